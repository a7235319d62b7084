"""The local stand-in of Cloud Scheduler: how often and when it tries a call again."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import pytest

from local.scheduler import Scheduler

NOBODY = "http://127.0.0.1:1"


def test_a_call_that_fails_is_tried_three_more_times_and_its_failure_is_told_without_another_wait(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    waits: list[float] = []

    async def sleep(seconds: float) -> None:
        waits.append(seconds)

    monkeypatch.setattr(asyncio, "sleep", sleep)
    scheduler = Scheduler(NOBODY)
    assert asyncio.run(scheduler.call(scheduler.jobs["enrich"], datetime(2026, 3, 1, tzinfo=UTC))) == 0
    assert waits == [0.5, 1.0, 2.0]
    assert scheduler.last["enrich"] == {"at": "2026-03-01T00:00:00+00:00", "status": 0, "answer": "ConnectError"}
