"""The Scheduler's jobs on a faster clock: each by an ordinary call to the scheduler, which calls the function."""

from __future__ import annotations

import threading
from datetime import UTC, datetime
from types import TracebackType

import httpx
from croniter import croniter  # type: ignore[import-untyped]

from local.table import Function, read_table
from shared.adapters.tls import certificates

FASTER = 80
"""What takes two minutes takes a second and a half."""
LONGEST_SECONDS = 2.0
"""So that a daily job runs often enough to be interrupted at each of its points."""
CALL_SECONDS = 120.0


def interval(function: Function) -> float:
    """Seconds between two runs on the faster clock, by the most frequent of the function's cron lines."""
    start = datetime(2026, 1, 1, tzinfo=UTC)
    gaps = []
    for cron in function.schedules:
        times = croniter(cron, start)
        first: datetime = times.get_next(datetime)
        gaps.append((times.get_next(datetime) - first).total_seconds() / FASTER)
    return min(*gaps, LONGEST_SECONDS) if gaps else LONGEST_SECONDS


class Clock:
    """Runs every scheduled function of functions.yaml again and again, each in a thread of its own."""

    def __init__(self, scheduler_url: str) -> None:
        self._url = scheduler_url
        self._ended = threading.Event()
        jobs = [f for f in read_table().functions if f.schedules]
        self._threads = [threading.Thread(target=self._keep, args=(f,), name=f"clock {f.name}") for f in jobs]

    def __enter__(self) -> Clock:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._ended.set()
        for thread in self._threads:
            thread.join()

    def _keep(self, function: Function) -> None:
        every = interval(function)
        with httpx.Client(timeout=CALL_SECONDS, verify=certificates()) as client:
            while not self._ended.wait(every):
                try:
                    client.post(f"{self._url}/v1/jobs/{function.name}:run")
                except httpx.HTTPError:
                    continue  # its next time comes
