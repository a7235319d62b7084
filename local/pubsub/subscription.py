"""One subscription: its resource, its backlog, and the pusher while it has an endpoint."""

from collections.abc import Callable
from dataclasses import dataclass

from local.pubsub.backlog import Backlog
from local.pubsub.checks import policy
from local.pubsub.deliveries import Delivery, Message
from local.pubsub.faults import Weather
from local.pubsub.filters import parse_filter
from local.pubsub.http_post import HttpPoster
from local.pubsub.payloads import Payloads
from local.pubsub.push import Pusher
from local.pubsub.store import Statement, Store
from local.pubsub.wire import Proto, message

FORGET_DELIVERY = "DELETE FROM delivery WHERE subscription = ? AND message = ?"
FORGET_MESSAGE = "DELETE FROM message WHERE number = ?"
COUNT_FAILURE = "UPDATE delivery SET attempts = ? WHERE subscription = ? AND message = ?"

ReceivedMessage = message("ReceivedMessage")
PubsubMessage = message("PubsubMessage")


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What all subscriptions of one program share."""

    store: Store
    payloads: Payloads
    weather: Weather
    poster: HttpPoster
    now: Callable[[], float]
    bury: Callable[["Subscription", Delivery], None]
    backoff_scale: float
    push_outstanding: int


class Subscription:
    """A subscription in service; it is its backlog's keeper."""

    def __init__(self, number: int, resource: Proto, around: Surroundings) -> None:
        self.number = number
        self.resource = resource
        self.deleted = False
        self._around = around
        self.accepts = parse_filter(resource.filter)
        self.backlog = Backlog(policy(resource, around.backoff_scale), self, around.weather, around.now)
        self._pusher: Pusher | None = None

    @property
    def name(self) -> str:
        return str(self.resource.name)

    @property
    def pushes(self) -> bool:
        return bool(self.resource.push_config.push_endpoint)

    def start(self) -> None:
        """Begin to push, if it is a push subscription."""
        self.replace(self.resource)

    def replace(self, resource: Proto) -> None:
        """Take on new settings; they hold from the next delivery on."""
        self.resource = resource
        self.backlog.policy = policy(resource, self._around.backoff_scale)
        if self._pusher is not None:
            self._pusher.stop()
            self._pusher = None
        if self.pushes:
            self._pusher = Pusher(resource, self.backlog, self._around.payloads.get, self._around.poster)
            self._pusher.start(self._around.push_outstanding)

    def deliver(self, item: Message) -> None:
        """Take in a message that is on disk; a subscription that was deleted meanwhile lets go of it."""
        if self.deleted:
            self._let_go(item)
        else:
            self.backlog.add(item)

    def received(self, delivery: Delivery) -> Proto:
        """A leased delivery as a client gets it."""
        counted = delivery.failures + 1 if self.backlog.policy.attempt_limit is not None else 0
        return ReceivedMessage(
            ack_id=delivery.ack_id,
            message=PubsubMessage.FromString(self._around.payloads.get(delivery.message.number)),
            delivery_attempt=counted,
        )

    def settled(self, delivery: Delivery) -> None:
        if delivery.copy == 0:
            self._around.store.write_soon(Statement(FORGET_DELIVERY, [(self.number, delivery.message.number)]))
        self._let_go(delivery.message)

    def failed(self, delivery: Delivery) -> None:
        row = (delivery.failures, self.number, delivery.message.number)
        self._around.store.write_soon(Statement(COUNT_FAILURE, [row]))

    def bury(self, delivery: Delivery) -> None:
        self._around.bury(self, delivery)

    def delete(self) -> None:
        """Let go of everything; the rows of its deliveries are the caller's to remove."""
        self.deleted = True
        self.stop()
        for delivery in self.backlog.close():
            self._let_go(delivery.message)

    def stop(self) -> None:
        if self._pusher is not None:
            self._pusher.stop()

    async def stopped(self) -> None:
        if self._pusher is not None:
            await self._pusher.cancel()

    def _let_go(self, item: Message) -> None:
        item.holders -= 1
        if item.holders == 0:
            self._around.payloads.forget(item.number)
            self._around.store.write_soon(Statement(FORGET_MESSAGE, [(item.number,)]))
