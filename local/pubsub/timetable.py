"""When each delivery has its next turn: one heap and one timer, however many deliveries wait."""

import asyncio
import heapq
import itertools
from collections.abc import Callable

from local.pubsub.deliveries import Delivery

TOGETHER_SECONDS = 0.001
"""Turns this close to each other are taken at once, which saves a timer each."""


class Timetable:
    """Calls back for each delivery when its time has come; only the last time set for a delivery counts."""

    def __init__(self, callback: Callable[[Delivery], None]) -> None:
        self._callback = callback
        self._loop = asyncio.get_running_loop()
        self._turns: list[tuple[float, int, int, Delivery]] = []
        self._sequence = itertools.count()
        self._timer: asyncio.TimerHandle | None = None

    def schedule(self, delivery: Delivery, delay: float) -> None:
        """Give the delivery its turn after the delay; an earlier time no longer counts."""
        delivery.turn += 1
        heapq.heappush(self._turns, (self._loop.time() + delay, next(self._sequence), delivery.turn, delivery))
        self._set_timer()

    def cancel(self, delivery: Delivery) -> None:
        delivery.turn += 1

    def close(self) -> None:
        self._turns.clear()
        if self._timer is not None:
            self._timer.cancel()

    def _set_timer(self) -> None:
        while self._turns and self._turns[0][2] != self._turns[0][3].turn:
            heapq.heappop(self._turns)
        if self._timer is not None:
            if self._turns and self._timer.when() <= self._turns[0][0]:
                return
            self._timer.cancel()
        self._timer = self._loop.call_at(self._turns[0][0], self._due) if self._turns else None

    def _due(self) -> None:
        self._timer = None
        until = self._loop.time() + TOGETHER_SECONDS
        while self._turns and self._turns[0][0] <= until:
            _, _, turn, delivery = heapq.heappop(self._turns)
            if turn == delivery.turn:
                self._callback(delivery)
        self._set_timer()
