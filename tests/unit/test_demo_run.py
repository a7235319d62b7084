"""What a run on a local cloud does while it waits."""

from __future__ import annotations

from pathlib import Path

import pytest
from rich.console import Console

from cli import demo_run
from cli.demo_run import DemoFailed, DemoRun
from local.pubsub.control import SubscriptionStats

LOADING = "projects/sluice-local/subscriptions/load_postgres-validated"


class Control:
    """A Pub/Sub that has given a message up; how often it was asked."""

    looks = 0

    def __init__(self, _: str) -> None:
        return

    def __enter__(self) -> Control:
        return self

    def __exit__(self, *_: object) -> None:
        return

    def stats(self) -> dict[str, SubscriptionStats]:
        Control.looks += 1
        return {LOADING: SubscriptionStats(dead_lettered=Control.looks - 1)}


def test_a_message_that_was_given_up_ends_the_wait_and_no_two_looks_follow_each_other_closely(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PUBSUB_EMULATOR_HOST", "127.0.0.1:1")
    monkeypatch.setattr(demo_run, "PubSubControl", Control)
    monkeypatch.setattr(demo_run, "LOOK_SECONDS", 3600.0)
    run = DemoRun(tmp_path, Console(quiet=True))
    for _ in range(3):
        run._alive()
    assert Control.looks == 1
    monkeypatch.setattr(run, "_next_look", 0.0)
    with pytest.raises(DemoFailed, match="messages of load_postgres-validated were given up"):
        run._alive()
