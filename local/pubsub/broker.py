"""The broker: which topics and subscriptions there are, and a message's way from one to the other.

A publish is answered when its messages are on disk, and only then do the subscriptions see them; so whatever a client
or an endpoint has seen survives a crash, and whatever was answered is delivered.
"""

import asyncio
import itertools
import logging
import sqlite3
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from local.pubsub.deliveries import Delivery, Message
from local.pubsub.faults import Faults, Weather
from local.pubsub.http_post import HttpPoster
from local.pubsub.payloads import Payloads
from local.pubsub.refusals import Refused, already_exists, not_found, unavailable
from local.pubsub.store import Statement, Store
from local.pubsub.subscription import Subscription, Surroundings
from local.pubsub.wire import Proto, message

log = logging.getLogger(__name__)

DELETED_TOPIC = "_deleted_topic_"
SWEEP_SECONDS = 60.0

PubsubMessage = message("PubsubMessage")
TopicResource = message("Topic")
SubscriptionResource = message("Subscription")


@dataclass(frozen=True, slots=True)
class Settings:
    """What the command line decides."""

    home: Path
    faults: Faults
    seed: int | None = None
    backoff_scale: float = 1.0
    push_outstanding: int = 8


@dataclass(slots=True)
class Topic:
    resource: Proto
    subscriptions: dict[str, Subscription] = field(default_factory=dict)


class Broker:
    """Everything the services share; lives on one event loop."""

    def __init__(self, settings: Settings) -> None:
        settings.home.mkdir(parents=True, exist_ok=True)
        self.topics: dict[str, Topic] = {}
        self.subscriptions: dict[str, Subscription] = {}
        self.weather = Weather(settings.faults, settings.seed)
        self._store = Store(settings.home / "pubsub.sqlite3")
        self._payloads = Payloads(self._store.body)
        self._poster = HttpPoster()
        self._tasks: set[asyncio.Task[None]] = set()
        self._numbers = itertools.count(1)
        self._subscription_numbers = itertools.count(1)
        self._around = Surroundings(
            store=self._store,
            payloads=self._payloads,
            weather=self.weather,
            poster=self._poster,
            now=time.time,
            bury=self._bury,
            backoff_scale=settings.backoff_scale,
            push_outstanding=settings.push_outstanding,
        )

    def start(self) -> None:
        """Take up where the last run ended."""
        stored = self._store.open()
        # Message ids name rows downstream: they rise by the clock, so that even a wiped home never repeats one.
        self._numbers = itertools.count(max(stored.last_message + 1, time.time_ns() // 1000))
        for name, resource in stored.topics:
            self.topics[name] = Topic(TopicResource.FromString(resource))
        by_number = {}
        for number, _, resource in stored.subscriptions:
            by_number[number] = self._attach(number, SubscriptionResource.FromString(resource))
        self._subscription_numbers = itertools.count(stored.last_subscription + 1)
        messages: dict[int, Message] = {}
        for subscription, number, attempts, published, size in stored.deliveries:
            item = messages.setdefault(number, Message(number, published, size))
            item.holders += 1
            by_number[subscription].backlog.restore(item, attempts)
        for present in by_number.values():
            present.start()
        self._sweep()

    async def stop(self) -> None:
        """Stop pushing and commit what is queued."""
        for subscription in self.subscriptions.values():
            await subscription.stopped()
        self._poster.close()
        self._store.close()

    def topic(self, name: str) -> Topic:
        topic = self.topics.get(name)
        if topic is None:
            raise not_found(name)
        return topic

    def subscription(self, name: str) -> Subscription:
        subscription = self.subscriptions.get(name)
        if subscription is None:
            raise not_found(name)
        return subscription

    async def create_topic(self, resource: Proto) -> None:
        if resource.name in self.topics:
            raise already_exists(resource.name)
        self.topics[resource.name] = Topic(resource)
        await self.save_topic(resource)

    async def save_topic(self, resource: Proto) -> None:
        self.topics[resource.name].resource = resource
        row = (resource.name, resource.SerializeToString())
        await self._write(Statement("INSERT OR REPLACE INTO topic VALUES (?, ?)", [row]))

    async def delete_topic(self, name: str) -> None:
        """The subscriptions stay, with what they have, and never get anything again."""
        topic = self.topic(name)
        del self.topics[name]
        await self._write(Statement("DELETE FROM topic WHERE name = ?", [(name,)]))
        for subscription in topic.subscriptions.values():
            orphan = SubscriptionResource.FromString(subscription.resource.SerializeToString())
            orphan.topic = DELETED_TOPIC
            await self.save_subscription(subscription, orphan)

    async def create_subscription(self, resource: Proto) -> Subscription:
        if resource.name in self.subscriptions:
            raise already_exists(resource.name)
        self.topic(resource.topic)
        subscription = self._attach(next(self._subscription_numbers), resource)
        row = (subscription.number, resource.name, resource.SerializeToString())
        await self._write(Statement("INSERT INTO subscription VALUES (?, ?, ?)", [row]))
        subscription.start()
        return subscription

    async def save_subscription(self, subscription: Subscription, resource: Proto) -> None:
        subscription.replace(resource)
        row = (resource.SerializeToString(), subscription.number)
        await self._write(Statement("UPDATE subscription SET resource = ? WHERE number = ?", [row]))

    async def delete_subscription(self, name: str) -> None:
        subscription = self.subscription(name)
        del self.subscriptions[name]
        topic = self.topics.get(subscription.resource.topic)
        if topic is not None:
            topic.subscriptions.pop(name, None)
        subscription.delete()
        key = [(subscription.number,)]
        await self._write(
            Statement("DELETE FROM subscription WHERE number = ?", key),
            Statement("DELETE FROM delivery WHERE subscription = ?", key),
        )

    async def publish(self, topic: Topic, messages: Sequence[Proto]) -> list[str]:
        """Store the messages for every subscription that wants them, hand them on, and return their ids."""
        published = time.time_ns() // 1_000_000
        identifiers, routed = [], []
        for proto in messages:
            number = next(self._numbers)
            proto.message_id = str(number)
            proto.publish_time.FromMilliseconds(published)
            identifiers.append(proto.message_id)
            takers = [taker for taker in topic.subscriptions.values() if taker.accepts(proto.attributes)]
            if takers:
                body = proto.SerializeToString()
                routed.append((Message(number, published / 1000, len(body), len(takers)), body, takers))
        if routed:
            bodies = [(item.number, item.published, body) for item, body, _ in routed]
            deliveries = [(taker.number, item.number) for item, _, takers in routed for taker in takers]
            await self._write(
                Statement("INSERT INTO message VALUES (?, ?, ?)", bodies),
                Statement("INSERT INTO delivery VALUES (?, ?, 0)", deliveries),
            )
        for item, body, takers in routed:
            self._payloads.put(item.number, body)
            for taker in takers:
                taker.deliver(item)
        return identifiers

    def _attach(self, number: int, resource: Proto) -> Subscription:
        subscription = Subscription(number, resource, self._around)
        self.subscriptions[resource.name] = subscription
        topic = self.topics.get(resource.topic)
        if topic is not None:
            topic.subscriptions[resource.name] = subscription
        return subscription

    def _bury(self, subscription: Subscription, delivery: Delivery) -> None:
        task = asyncio.get_running_loop().create_task(self._forward(subscription, delivery))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _forward(self, subscription: Subscription, delivery: Delivery) -> None:
        """Publish to the dead-letter topic what failed too often, with a note of where it comes from."""
        original = PubsubMessage.FromString(self._payloads.get(delivery.message.number))
        dead = PubsubMessage(data=original.data, attributes=original.attributes)
        project, _, identifier = subscription.name.partition("/subscriptions/")
        dead.attributes["CloudPubSubDeadLetterSourceSubscription"] = identifier
        dead.attributes["CloudPubSubDeadLetterSourceSubscriptionProject"] = project.removeprefix("projects/")
        dead.attributes["CloudPubSubDeadLetterSourceTopicPublishTime"] = original.publish_time.ToJsonString()
        dead.attributes["CloudPubSubDeadLetterSourceDeliveryCount"] = str(delivery.failures)
        target = subscription.resource.dead_letter_policy.dead_letter_topic
        try:
            await self.publish(self.topic(target), [dead])
        except Refused as refused:
            log.warning("message of %s could not go to %s: %s", subscription.name, target, refused.message)
            subscription.backlog.buried(delivery, forwarded=False)
        else:
            log.warning("message of %s went to %s after %s attempts", subscription.name, target, delivery.failures)
            subscription.backlog.buried(delivery, forwarded=True)

    def _sweep(self) -> None:
        for subscription in self.subscriptions.values():
            subscription.backlog.drop_expired()
        asyncio.get_running_loop().call_later(SWEEP_SECONDS, self._sweep)

    async def _write(self, *statements: Statement) -> None:
        try:
            await self._store.write(*statements)
        except sqlite3.Error as error:
            raise unavailable(f"The local Pub/Sub could not write to its home folder: {error}.") from error
