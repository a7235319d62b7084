"""`sluice cost` and `sluice queries` on a ledger."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from typer.testing import CliRunner

from cli.main import app
from local.stack import BUCKETS, PROJECT
from shared.adapters.meter import FinishedJob, PlannedJob
from shared.adapters.metering import PostgresMeter
from shared.adapters.postgres import Session
from tests.integration.postgres.target import Target


@pytest.fixture
def now() -> datetime:
    """The ledger keeps the database's time."""
    return datetime.now(UTC)


@pytest.fixture
def sluice(session: Session, target: Target, now: datetime, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """Runs a command; what it prints as JSON, or its text."""
    meter = PostgresMeter(session)
    meter.admit(PlannedJob("a", "load_warehouse", "sales.transactions", "sales.transactions", "dml", 2))
    meter.record(FinishedJob("a", now, "done", "", 2**40, 2**40, 1000, 2_000_000))
    meter.admit(PlannedJob("b", "load_warehouse", "sales.transactions", "staging.feed_1", "load"))
    meter.record(FinishedJob("b", now, "failed", "invalid"))
    variables = {
        **BUCKETS, "GOOGLE_CLOUD_PROJECT": PROJECT, "DATABASE_URL": target.database_url,
        "STORAGE_EMULATOR_HOST": "http://127.0.0.1:9", "BIGQUERY_EMULATOR_HOST": "http://127.0.0.1:9",
    }  # fmt: skip
    for name, value in variables.items():
        monkeypatch.setenv(name, value)

    def run(*words: str) -> Any:
        done = CliRunner().invoke(app, list(words))
        assert done.exit_code == 0, done.output
        return json.loads(done.output) if "--json" in words else done.output

    return run


def test_cost_is_told_for_a_table_and_a_million_rows(sluice: Callable[..., Any]) -> None:
    (row,) = sluice("cost", "--by", "table", "--json")
    assert row == {
        "table": "sales.transactions", "jobs": 2, "failed": 1, "bytes_processed": 2**40, "bytes_billed": 2**40,
        "slot_seconds": "1.0", "rows": 2_000_000, "cost_usd": "6.250000000", "usd_per_million_rows": "3.125000",
    }  # fmt: skip


def test_days_bound_the_cost(sluice: Callable[..., Any], now: datetime) -> None:
    (row,) = sluice("cost", "--json")
    assert row["day"] == now.date().isoformat()
    assert sluice("cost", "--from", (now + timedelta(days=2)).date().isoformat(), "--json") == []


def test_the_table_of_costs_has_its_sum(sluice: Callable[..., Any]) -> None:
    printed = sluice("cost", "--by", "stage")
    assert "load_warehouse" in printed
    assert "together 6.250000 USD" in printed


def test_queries_are_ranked_and_regressions_found(sluice: Callable[..., Any], session: Session, now: datetime) -> None:
    today = now.date()
    for day, mark, runs, failed, total in (
        (today, "aaa", 10, 0, 20), (today - timedelta(days=1), "aaa", 10, 0, 10), (today, "bbb", 10, 1, 100),
    ):  # fmt: skip
        session.rows(
            """INSERT INTO pipeline.query_stat (store, day, stage, table_name, fingerprint, runs, failed, total_seconds)
               VALUES ('bigquery', $1, 'report', '', $2, $3, $4, $5)""",
            day, mark, runs, failed, total,
        )  # fmt: skip
    assert [row["fingerprint"] for row in sluice("queries", "--json")] == ["bbb", "aaa"]
    assert [row["fingerprint"] for row in sluice("queries", "--failing", "--json")] == ["bbb"]
    (found,) = sluice("queries", "--regressions", "--json")
    assert (found["fingerprint"], float(found["mean_seconds"]), float(found["mean_before"])) == ("aaa", 2, 1)
    assert "aaa" in sluice("queries", "--slowest", "--days", "1")
