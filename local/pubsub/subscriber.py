"""The Subscriber service: subscriptions, and pulling from them one request at a time."""

import asyncio
from collections.abc import AsyncIterator, Iterable

from local.pubsub.backlog import BacklogClosed
from local.pubsub.broker import Broker
from local.pubsub.checks import (
    ACK_DEADLINE_MOST,
    SUBSCRIPTION_UPDATABLE,
    check_mask,
    check_push_config,
    check_subscription,
)
from local.pubsub.deliveries import AckId
from local.pubsub.names import check_name, check_project, page
from local.pubsub.refusals import invalid, not_found, precondition
from local.pubsub.streaming import StreamingPull
from local.pubsub.subscription import Subscription
from local.pubsub.wire import Empty, Proto, message, updated

ListSubscriptionsResponse = message("ListSubscriptionsResponse")
PullResponse = message("PullResponse")
SubscriptionResource = message("Subscription")

PULL_LIMIT_MESSAGES = 1_000
PULL_LIMIT_BYTES = 3_500_000
"""Below gRPC's 4 MiB, which the client library does not raise when it talks to an emulator."""
PULL_WAIT_SECONDS = 90.0
PULL_SHARE_OF_DEADLINE = 0.9
"""An empty pull is answered before the client gives up, so that nothing is leased to a client that has gone."""


class SubscriberService:
    def __init__(self, broker: Broker) -> None:
        self._broker = broker

    async def create_subscription(self, request: Proto) -> Proto:
        check_subscription(request)
        check_name(request.topic, "topics")
        self._check_dead_letter_topic(request)
        return (await self._broker.create_subscription(request)).resource

    async def get_subscription(self, request: Proto) -> Proto:
        return self._subscription(request.subscription).resource

    async def update_subscription(self, request: Proto) -> Proto:
        check_mask(request.update_mask.paths, SUBSCRIPTION_UPDATABLE, "subscription")
        subscription = self._subscription(request.subscription.name)
        changed = updated(subscription.resource, request.subscription, request.update_mask)
        check_subscription(changed)
        self._check_dead_letter_topic(changed)
        await self._broker.save_subscription(subscription, changed)
        return changed

    async def modify_push_config(self, request: Proto) -> Proto:
        subscription = self._subscription(request.subscription)
        check_push_config(request.push_config)
        changed = SubscriptionResource.FromString(subscription.resource.SerializeToString())
        changed.push_config.CopyFrom(request.push_config)
        await self._broker.save_subscription(subscription, changed)
        return Empty()

    async def list_subscriptions(self, request: Proto) -> Proto:
        check_project(request.project)
        names = [name for name in self._broker.subscriptions if name.startswith(f"{request.project}/")]
        shown, token = page(names, request.page_size, request.page_token)
        resources = [self._broker.subscription(name).resource for name in shown]
        return ListSubscriptionsResponse(subscriptions=resources, next_page_token=token)

    async def delete_subscription(self, request: Proto) -> Proto:
        self._subscription(request.subscription)
        await self._broker.delete_subscription(request.subscription)
        return Empty()

    async def pull(self, request: Proto, remaining_seconds: float | None) -> Proto:
        subscription = self._for_pulling(request.subscription)
        if request.max_messages < 1:
            raise invalid(f"Invalid max_messages: {request.max_messages}; it must be at least 1.")
        limit = min(request.max_messages, PULL_LIMIT_MESSAGES)
        patience = min((remaining_seconds or PULL_WAIT_SECONDS) * PULL_SHARE_OF_DEADLINE, PULL_WAIT_SECONDS)
        taken = subscription.backlog.take_now(limit, PULL_LIMIT_BYTES)
        if not taken and not request.return_immediately:
            try:
                async with asyncio.timeout(patience):
                    taken = await subscription.backlog.take(limit, PULL_LIMIT_BYTES)
            except TimeoutError:
                taken = []
            except BacklogClosed as closed:
                raise not_found(request.subscription) from closed
        return PullResponse(received_messages=[subscription.received(delivery) for delivery in taken])

    async def streaming_pull(self, requests: AsyncIterator[Proto]) -> AsyncIterator[Proto]:
        first = await anext(aiter(requests), None)
        if first is None:
            raise invalid("The first request of a streaming pull names the subscription.")
        stream = StreamingPull(self._for_pulling(first.subscription), first)
        async for response in stream.responses(requests):
            yield response

    async def acknowledge(self, request: Proto) -> Proto:
        backlog = self._subscription(request.subscription).backlog
        for ack_id in parsed(request.ack_ids):
            backlog.acknowledge(ack_id)
        return Empty()

    async def modify_ack_deadline(self, request: Proto) -> Proto:
        backlog = self._subscription(request.subscription).backlog
        if not 0 <= request.ack_deadline_seconds <= ACK_DEADLINE_MOST:
            raise invalid(
                f"Invalid ack deadline given (ack_deadline={request.ack_deadline_seconds}); it must be between 0 and"
                f" {ACK_DEADLINE_MOST} seconds."
            )
        for ack_id in parsed(request.ack_ids):
            backlog.extend(ack_id, request.ack_deadline_seconds)
        return Empty()

    def _subscription(self, name: str) -> Subscription:
        check_name(name, "subscriptions")
        return self._broker.subscription(name)

    def _for_pulling(self, name: str) -> Subscription:
        subscription = self._subscription(name)
        if subscription.pushes:
            raise precondition("This method is not supported for this subscription type: it pushes.")
        return subscription

    def _check_dead_letter_topic(self, resource: Proto) -> None:
        if resource.HasField("dead_letter_policy"):
            self._broker.topic(resource.dead_letter_policy.dead_letter_topic)


def parsed(ack_ids: Iterable[str]) -> list[AckId]:
    """All of them, or a refusal that names the first that this service never gave out; none at all is refused too."""
    found = []
    for text in ack_ids:
        ack_id = AckId.parse(text)
        if ack_id is None:
            raise invalid(f"You have passed an invalid ack ID to the service (ack_id={text}).")
        found.append(ack_id)
    if not found:
        raise invalid("No ack ids specified.")
    return found
