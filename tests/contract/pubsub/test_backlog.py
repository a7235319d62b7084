"""What would take too long to see from outside: retention, real ack deadlines, leases that are over."""

import asyncio
from collections.abc import Awaitable, Callable

from local.pubsub.backlog import Backlog, Policy
from local.pubsub.deliveries import AckId, Delivery, Message
from local.pubsub.faults import Faults, Weather


class Notebook:
    """A keeper that writes down what it is told."""

    def __init__(self) -> None:
        self.notes: list[tuple[str, int]] = []

    def settled(self, delivery: Delivery) -> None:
        self.notes.append(("settled", delivery.message.number))

    def failed(self, delivery: Delivery) -> None:
        self.notes.append(("failed", delivery.message.number))

    def bury(self, delivery: Delivery) -> None:
        self.notes.append(("bury", delivery.message.number))


def with_backlog(policy: Policy, now: float, check: Callable[[Backlog, Notebook], Awaitable[None]]) -> None:
    async def run() -> None:
        keeper = Notebook()
        weather = Weather(Faults(duplicate_rate=0.0), seed=1)
        await check(Backlog(policy, keeper, weather, lambda: now), keeper)

    asyncio.run(run())


def test_messages_older_than_the_retention_are_dropped() -> None:
    async def check(backlog: Backlog, keeper: Notebook) -> None:
        backlog.add(Message(1, published=0.0, size=1, holders=1))
        backlog.add(Message(2, published=900.0, size=1, holders=1))
        backlog.drop_expired()
        assert keeper.notes == [("settled", 1)]
        assert (backlog.snapshot().expired, backlog.snapshot().undelivered) == (1, 1)

    with_backlog(Policy(ack_deadline=10, retention=600), 1_000.0, check)


def test_a_lease_ends_at_the_ack_deadline() -> None:
    async def check(backlog: Backlog, keeper: Notebook) -> None:
        backlog.add(Message(1, published=0.0, size=1, holders=1))
        [first] = await backlog.take(1)
        lease = first.lease
        async with asyncio.timeout(2):
            [again] = await backlog.take(1)
        assert again is first
        assert keeper.notes == [("failed", 1)]
        backlog.extend(AckId(first.key, lease), 0)
        assert backlog.snapshot().outstanding == 1

    with_backlog(Policy(ack_deadline=0.05, retention=600), 0.0, check)


def test_a_consumer_that_gives_up_does_not_take_a_message_with_it() -> None:
    async def check(backlog: Backlog, keeper: Notebook) -> None:
        waiting = asyncio.ensure_future(backlog.take(1))
        patient = asyncio.ensure_future(backlog.take(1))
        await asyncio.sleep(0)
        backlog.add(Message(1, published=0.0, size=1, holders=1))
        waiting.cancel()
        async with asyncio.timeout(2):
            assert [delivery.message.number for delivery in await patient] == [1]
        assert keeper.notes == []

    with_backlog(Policy(ack_deadline=10, retention=600), 0.0, check)
