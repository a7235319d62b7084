"""watch_queries against a ledger, with a warehouse that answers as INFORMATION_SCHEMA.JOBS does."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from functions.watch_queries import main as watch_queries
from shared.adapters.memory import MemoryPublisher, MemoryStore, MemoryWarehouse
from shared.adapters.meter import FinishedJob, PlannedJob
from shared.adapters.metering import PostgresMeter
from shared.adapters.postgres import Session
from shared.entrypoint import Outcome
from shared.messages import Alert
from tests.functions.harness import settings

NOW = datetime(2026, 3, 2, 12, 50, tzinfo=UTC)
TIB = 2**40


def job(
    name: str, *, at: datetime = NOW - timedelta(hours=1), seconds: float = 1, billed: int = 0, **more: Any
) -> dict[str, Any]:
    """One row of INFORMATION_SCHEMA.JOBS."""
    labels = {"app": "sluice", **more.pop("labels", {})}
    return {
        "job_id": name, "job_type": "QUERY", "statement_type": "SELECT", "creation_time": at,
        "end_time": at + timedelta(seconds=seconds), "query": "SELECT 1", "total_bytes_processed": billed,
        "total_bytes_billed": billed, "total_slot_ms": 100, "error_result": None,
        "labels": [{"key": key, "value": value} for key, value in labels.items()], **more,
    }  # fmt: skip


@dataclass
class Watch:
    """watch_queries with fakes around a real ledger."""

    session: Session
    jobs: list[dict[str, Any]] = field(default_factory=list)
    publisher: MemoryPublisher = field(default_factory=MemoryPublisher)
    asked: list[tuple[str, Mapping[str, Any]]] = field(default_factory=list)

    def run(self, now: datetime = NOW, **setting: str) -> Outcome:
        def answer(sql: str, params: Mapping[str, Any]) -> list[Mapping[str, Any]]:
            self.asked.append((sql, params))
            return [one for one in self.jobs if params["since"] <= one["creation_time"] < params["until"]]

        return watch_queries.run(
            now=now, session=self.session, warehouse=MemoryWarehouse(MemoryStore(), answer),
            publisher=self.publisher, settings=settings(**setting),
        )  # fmt: skip

    def alerts(self) -> list[Alert]:
        return self.publisher.of("alerts")

    def stats(self) -> list[tuple[Any, ...]]:
        sql = "SELECT stage, table_name, runs, failed, total_seconds, max_seconds, cost_usd FROM pipeline.query_stat"
        return self.session.rows(f"{sql} ORDER BY stage, table_name, runs")


@pytest.fixture
def watch(session: Session) -> Watch:
    return Watch(session)


def test_statements_are_summed_by_day_and_the_overlap_of_looks_changes_nothing(watch: Watch) -> None:
    named = {"stage": "report", "table": "marts__daily_sales_summary"}
    watch.jobs = [
        job("a", labels=named, seconds=2, billed=TIB // 1000),
        job("b", labels=named, seconds=4, query="SELECT 2"),
        job("c", seconds=1, error_result={"reason": "invalidQuery"}),
    ]
    for hour in range(2):
        assert watch.run(NOW + timedelta(hours=hour)).outcome == "watched"
        assert watch.stats() == [
            ("ad_hoc", "", 1, 1, 1, 1, 0),
            ("report", "marts.daily_sales_summary", 2, 0, 6, 4, Decimal("0.006250000")),
        ]
    first, second = (params for _, params in watch.asked)
    assert second["since"] == first["until"] - timedelta(hours=6)
    assert "`region-eu`" in watch.asked[0][0]


def test_no_text_of_a_statement_is_kept(watch: Watch) -> None:
    watch.jobs = [job("a", query="SELECT * FROM t WHERE email = 'bob@example.org'")]
    watch.run()
    kept = watch.session.rows(
        "SELECT j::text FROM pipeline.warehouse_job j UNION ALL SELECT s::text FROM pipeline.query_stat s"
    )
    assert len(kept) == 2
    assert not [row for row in kept if "bob" in row[0] or "email" in row[0]]


def test_a_job_that_its_function_recorded_is_not_counted_twice(watch: Watch) -> None:
    meter = PostgresMeter(watch.session)
    for name in ("ours", "died"):
        meter.admit(PlannedJob(name, "load_warehouse", "sales.users", "sales.users", "dml"))
    meter.record(FinishedJob("ours", NOW, "done", "", TIB, TIB, 50, 9))
    watch.jobs = [job(name, billed=TIB, statement_type="MERGE") for name in ("ours", "died")]
    watch.run()
    sql = "SELECT job_id, state, bytes_billed, target, rows, cost_usd FROM pipeline.warehouse_job ORDER BY job_id"
    assert watch.session.rows(sql) == [
        ("died", "done", TIB, "sales.users", 0, Decimal("6.25")),
        ("ours", "done", TIB, "sales.users", 9, Decimal("6.25")),
    ]


def test_a_standard_query_over_ten_seconds_is_told_once_a_day(watch: Watch) -> None:
    watch.jobs = [
        job("slow", labels={"stage": "report"}, seconds=10.5),
        job("ok", labels={"stage": "build_marts"}, seconds=9.5),
        job("mine", seconds=60),
    ]
    watch.run()
    watch.run(NOW + timedelta(hours=1))
    (alert,) = watch.alerts()
    assert (alert.kind, alert.subject) == ("slow_query", "report")
    assert alert.told == "the longest run took 10.500 s; a report or mart takes at most 10 s"


def test_a_statement_that_takes_twice_as_long_as_in_the_week_before_is_told(watch: Watch) -> None:
    sql = """INSERT INTO pipeline.query_stat (store, day, stage, table_name, fingerprint, runs, failed, total_seconds)
             SELECT 'bigquery', $1, 'ad_hoc', '', fingerprint, 10, 0, 10 FROM pipeline.query_stat WHERE day = $2"""
    watch.jobs = [job(f"j{n}", seconds=2) for n in range(5)]
    watch.run()
    assert watch.alerts() == []
    watch.session.rows(sql, NOW.date() - timedelta(days=3), NOW.date())
    watch.run()
    (alert,) = watch.alerts()
    assert alert.kind == "slow_query"
    assert alert.told == "5 runs took 2.0 s each, in the week before 1.0 s"


def test_a_day_above_the_budget_is_told(watch: Watch) -> None:
    watch.jobs = [job("dear", billed=TIB)]
    watch.run()
    assert watch.alerts() == []
    watch.run(DAILY_BUDGET_USD="6")
    (alert,) = watch.alerts()
    assert (alert.kind, alert.told) == ("cost_budget", "the jobs of the day cost 6.25 USD; the budget is 6 USD")


def test_without_the_extension_it_says_that_postgres_is_not_watched(watch: Watch) -> None:
    assert watch.run().detail == "Postgres has no pg_stat_statements: its statements are not watched"


def test_statements_of_postgres_count_by_what_they_add_and_after_a_reset_afresh(watch: Watch) -> None:
    """A table of the extension's shape stands for it: the server of the tests ships without."""
    watch.session.rows(
        "CREATE TABLE pg_stat_statements (userid oid, dbid oid, queryid bigint, calls bigint, total_exec_time float8)"
    )
    databases = "pg_database WHERE datname = current_database()"
    watch.session.rows(f"INSERT INTO pg_stat_statements SELECT 10, oid, 42, 100, 5000 FROM {databases}")
    sql = "SELECT fingerprint, runs, total_seconds FROM pipeline.query_stat WHERE store = 'postgres'"
    assert watch.run() == Outcome("watched", 0, 0)
    assert watch.session.rows(sql) == []
    for calls, total, expected in ((103, 6500, (3, "1.5")), (103, 6500, (3, "1.5")), (2, 100, (5, "1.6"))):
        watch.session.rows("UPDATE pg_stat_statements SET calls = $1, total_exec_time = $2", calls, total)
        watch.run()
        assert watch.session.rows(sql) == [("42", expected[0], Decimal(expected[1]))]
