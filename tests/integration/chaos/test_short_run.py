"""The chaos suite in its short form: a handful of faults of each kind, from a fixed seed."""

from __future__ import annotations

from dataclasses import replace

import pytest

from local.chaos.cloud import SERVERS
from local.chaos.plan import ROUND
from local.chaos.proxy import FAULTS
from local.chaos.run import Goal, Run, run_chaos
from local.table import read_table
from tests.long import size

LEAST_POINTS = 70
DEATHS = 3
NOTHING_DURABLE = {"redrive"}
"""Functions that write only where another one has failed for good."""
STEPS = {
    "receive_upload": ("register_file", "record_chunks", "publish_chunks", "checkpoint_file", "finish_file"),
    "validate": ("write_raw", "write_validated_rows", "write_validated_bad", "publish_validated"),
    "load_postgres": ("commit_load_transactions", "commit_load_users", "commit_hold_chunk", "load_message"),
    "enrich": ("write_feed_csv", "commit_record_feed", "publish_enriched", "mark_feed"),
    "load_warehouse": ("job_feed_transactions_load", "job_feed_transactions_merge", "publish_warehouse_loaded"),
    "notify": ("commit_mark_alert_delivered",),
    "replay_quarantine": ("publish_chunks",),
    "build_marts": (
        "mark_dirty", "mark_feed_dirty", "begin_mart_build", "job_mart_daily_sales_summary_query",
        "job_mart_daily_sales_summary_replace", "clear_dirty", "finish_mart_build", "settle_feeds",
    ),
}  # fmt: skip


pytestmark = pytest.mark.timeout(600)
"""The first test waits for the whole run, which a busy machine draws out."""


@pytest.fixture(scope="module")
def run() -> Run:
    """One round of calm and one of chaos."""
    short = replace(ROUND.shortened(), rows=size(400, 600), seconds=float(size(6, 8)), points=size(6, 8), deaths=DEATHS)
    return run_chaos("short", short, Goal(rounds=1), lambda _: None)


def test_everything_comes_right_without_help(run: Run) -> None:
    assert run.wrong == []
    assert [(result.number, result.lost, result.doubled) for result in run.results] == [(0, 0, 0), (1, 0, 0)]
    assert run.tally.by_itself == []


def test_faults_of_every_kind_were_injected(run: Run) -> None:
    assert [run.faults[server, "kill -9"] for server in SERVERS] == [1, 1, 1, 1]
    assert run.faults["postgres", "connections"] == 1
    kinds = {kind for (_, kind), count in run.faults.items() if count}
    assert kinds >= {"refuse", "reset", "hang", "silence", "error"} & set(FAULTS)
    assert sum(run.kills.values()) >= DEATHS


def test_each_durable_step_of_each_stage_has_a_kill_point_before_and_after_it(run: Run) -> None:
    assert len(run.catalogue) >= LEAST_POINTS
    wanted = {
        f"{name}.{step}.{when}" for name, steps in STEPS.items() for step in steps for when in ("before", "after")
    }
    assert wanted <= set(run.catalogue)


def test_every_function_that_writes_has_kill_points(run: Run) -> None:
    without = {function.name for function in read_table().functions if not function.http} - NOTHING_DURABLE
    without -= {point.partition(".")[0] for point in run.catalogue}
    assert without == set()
