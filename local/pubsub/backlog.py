"""The messages of one subscription that are not acknowledged yet, and the clock that brings them back.

A delivery is READY, WAITING (for its backoff or a delay), LEASED (to a client or a push), or BURYING (on its way to
the dead-letter topic). Nothing polls: a consumer with nothing to take sleeps until it is woken.
"""

import asyncio
import itertools
import math
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from local.pubsub.control import SubscriptionStats
from local.pubsub.deliveries import AckId, Delivery, Message, State
from local.pubsub.faults import Weather
from local.pubsub.retry import AT_ONCE, Backoff
from local.pubsub.timetable import Timetable


@dataclass(frozen=True, slots=True)
class Policy:
    """What a subscription's settings mean for its deliveries; no attempt limit means no dead-letter topic."""

    ack_deadline: float
    retention: float
    backoff: Backoff = AT_ONCE
    attempt_limit: int | None = None


class Keeper(Protocol):
    """Who makes durable what the backlog decides."""

    def settled(self, delivery: Delivery) -> None:
        """The delivery is over; forget it."""

    def failed(self, delivery: Delivery) -> None:
        """The delivery failed once more; remember how often."""

    def bury(self, delivery: Delivery) -> None:
        """The delivery failed too often; forward it, then call `buried`."""


class BacklogClosed(Exception):
    """The subscription was deleted while somebody waited for its messages."""


class Backlog:
    """Everything undelivered or unacknowledged of one subscription."""

    def __init__(self, policy: Policy, keeper: Keeper, weather: Weather, now: Callable[[], float]) -> None:
        self.policy = policy
        self.paused = False
        self._keeper = keeper
        self._weather = weather
        self._now = now
        self._loop = asyncio.get_running_loop()
        self._pending: dict[tuple[int, int], Delivery] = {}
        self._ready: deque[Delivery] = deque()
        self._timetable = Timetable(self._turn)
        self._leases = itertools.count(1)
        self._waiters: deque[asyncio.Future[None]] = deque()
        self._outstanding = 0
        self._closed = False
        self.stats = SubscriptionStats()

    def add(self, message: Message) -> None:
        """Take in a message that is durable by now, with as many copies as the weather asks for."""
        self.stats.received += 1
        self._enter(Delivery(message), self._weather.delay())
        for copy in range(1, self._weather.extra_copies() + 1):
            message.holders += 1
            self._enter(Delivery(message, copy), self._weather.copy_delay())

    def restore(self, message: Message, failures: int) -> None:
        """Take back a message that an earlier run of the program left unacknowledged."""
        self._enter(Delivery(message, failures=failures), 0.0)

    async def take(self, limit: int, size_limit: float = math.inf, *, leased: bool = True) -> list[Delivery]:
        """Lease at least one delivery, waiting for it if need be; `leased=False` sets no deadline on the lease."""
        while not (taken := self.take_now(limit, size_limit, leased=leased)):
            if self._closed:
                raise BacklogClosed
            waiter = self._loop.create_future()
            self._waiters.append(waiter)
            try:
                await waiter
            except asyncio.CancelledError:
                if waiter.done() and not waiter.cancelled():
                    self._wake(1)
                raise
        return taken

    def take_now(self, limit: int, size_limit: float = math.inf, *, leased: bool = True) -> list[Delivery]:
        """Lease what is ready, at most `limit` and about `size_limit` bytes of it, but one however large."""
        taken: list[Delivery] = []
        size = 0
        while self._ready and len(taken) < limit and not self.paused:
            index = self._weather.pick(len(self._ready))
            if taken and size + self._ready[index].message.size > size_limit:
                break
            delivery = self._ready[index]
            del self._ready[index]
            if delivery.state is State.READY:
                size += delivery.message.size
                self._lease(delivery, self.policy.ack_deadline if leased else None)
                taken.append(delivery)
        return taken

    def acknowledge(self, ack_id: AckId) -> None:
        """Settle a delivery; one that went out again since counts too, for its work is done."""
        delivery = self._pending.get(ack_id.key)
        if delivery is not None and delivery.state is not State.BURYING:
            self.settle(delivery)

    def settle(self, delivery: Delivery) -> None:
        """The delivery was acknowledged."""
        if delivery.state is not State.DONE:
            self.stats.acked += delivery.copy == 0
            self._finish(delivery)

    def extend(self, ack_id: AckId, seconds: float) -> None:
        """Move the deadline of a lease; zero gives the message back. A lease that is over is left alone."""
        delivery = self._pending.get(ack_id.key)
        if delivery is None or delivery.state is not State.LEASED or delivery.lease != ack_id.lease:
            return
        if seconds == 0:
            self.fail(delivery)
        else:
            self._timetable.schedule(delivery, seconds)

    def fail(self, delivery: Delivery) -> None:
        """The delivery was refused or its deadline passed: again later, or to the dead-letter topic."""
        delivery.failures += 1
        self.stats.failed += 1
        if delivery.copy:
            self._finish(delivery)
        elif self.policy.attempt_limit is not None and delivery.failures >= self.policy.attempt_limit:
            self._release(delivery, State.BURYING)
            self._outstanding += 1
            self._keeper.bury(delivery)
        else:
            self._keeper.failed(delivery)
            self._release(delivery, State.WAITING)
            self._later(delivery, self.policy.backoff.delay(delivery.failures))

    def buried(self, delivery: Delivery, *, forwarded: bool) -> None:
        """The dead-letter topic has it; or could not take it, and the message is tried again as before."""
        if delivery.state is not State.BURYING:
            return
        self._outstanding -= 1
        if forwarded:
            self.stats.dead_lettered += 1
            self._finish(delivery)
        else:
            delivery.state = State.WAITING
            self._later(delivery, max(self.policy.backoff.delay(delivery.failures), 1.0))

    def drop_expired(self) -> None:
        """Forget what is older than the subscription keeps messages."""
        oldest = self._now() - self.policy.retention
        for delivery in list(self._pending.values()):
            if delivery.message.published >= oldest:
                break
            if delivery.state is not State.BURYING:
                self.stats.expired += delivery.copy == 0
                self._finish(delivery)

    def pause(self, *, paused: bool) -> None:
        """Stop handing out messages, or go on; what is out already stays out."""
        self.paused = paused
        if not paused:
            self._wake(len(self._ready))

    def close(self) -> list[Delivery]:
        """End every wait and hand over what was pending, for a subscription that is deleted."""
        self._closed = True
        self._timetable.close()
        self._wake(len(self._waiters))
        pending = list(self._pending.values())
        for delivery in pending:
            self._release(delivery, State.DONE)
        self._pending.clear()
        self._ready.clear()
        return pending

    def snapshot(self) -> SubscriptionStats:
        """The counters, with what is open at this moment."""
        oldest = next(iter(self._pending.values()), None)
        self.stats.outstanding = self._outstanding
        self.stats.undelivered = len(self._pending) - self._outstanding
        self.stats.oldest_unacked_seconds = max(self._now() - oldest.message.published, 0.0) if oldest else 0.0
        self.stats.paused = self.paused
        return self.stats

    def _enter(self, delivery: Delivery, delay: float) -> None:
        self._pending[delivery.key] = delivery
        delivery.state = State.WAITING
        self._later(delivery, delay)

    def _later(self, delivery: Delivery, delay: float) -> None:
        if delay > 0:
            self._timetable.schedule(delivery, delay)
        else:
            self._make_ready(delivery)

    def _make_ready(self, delivery: Delivery) -> None:
        delivery.state = State.READY
        self._ready.append(delivery)
        if not self.paused:
            self._wake(1)

    def _lease(self, delivery: Delivery, deadline: float | None) -> None:
        delivery.state = State.LEASED
        delivery.lease = next(self._leases)
        self._outstanding += 1
        self.stats.delivered += 1
        if deadline is not None:
            self._timetable.schedule(delivery, deadline)

    def _release(self, delivery: Delivery, state: State) -> None:
        if delivery.state is State.LEASED:
            self._outstanding -= 1
        delivery.state = state
        self._timetable.cancel(delivery)
        released, delivery.released = delivery.released, None
        if released is not None:
            released(delivery)

    def _finish(self, delivery: Delivery) -> None:
        self._release(delivery, State.DONE)
        self._pending.pop(delivery.key, None)
        self._keeper.settled(delivery)

    def _turn(self, delivery: Delivery) -> None:
        """The time of a delivery has come: its lease ran out, or its wait is over."""
        if delivery.state is State.LEASED:
            self.fail(delivery)
        else:
            self._make_ready(delivery)

    def _wake(self, count: int) -> None:
        while count > 0 and self._waiters:
            waiter = self._waiters.popleft()
            if not waiter.done():
                waiter.set_result(None)
                count -= 1
