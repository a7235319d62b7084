"""The ledger of warehouse jobs and the governor, by sessions that ask at once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from structlog.testing import capture_logs

from shared.adapters.meter import FinishedJob, PlannedJob
from shared.adapters.metering import PostgresMeter
from shared.adapters.postgres import Session
from shared.adapters.queries import rows_of
from shared.errors import QueryRefused, Throttled
from shared.telemetry import logger

MERGE = PlannedJob("merge-1", "load_warehouse", "sales.transactions", "sales.transactions", "dml", 3)
DONE = FinishedJob("merge-1", datetime(2100, 1, 1, tzinfo=UTC), "done", "", 2**40, 2**40, 1500, 7)
ROW = "SELECT state, error, bytes_billed, slot_ms, rows, cost_usd FROM pipeline.warehouse_job WHERE job_id = $1"


def never(seconds: float) -> None:
    raise AssertionError(f"waits {seconds} s")


@pytest.fixture
def meter(session: Session) -> PostgresMeter:
    return PostgresMeter(session, sleep=never)


def test_a_job_is_a_row_from_its_admission_on_and_has_its_cost_when_it_is_done(
    session: Session, meter: PostgresMeter
) -> None:
    meter.admit(MERGE)
    assert session.rows(ROW, "merge-1") == [("running", "", 0, 0, 0, Decimal(0))]
    meter.record(DONE)
    assert session.rows(ROW, "merge-1") == [("done", "", 2**40, 1500, 7, Decimal("6.250000000"))]


def test_a_job_that_is_found_again_is_counted_once(session: Session, meter: PostgresMeter) -> None:
    for size in (10, 20):
        meter.admit(MERGE)
        meter.record(replace(DONE, bytes_billed=size))
    assert session.rows("SELECT count(*), sum(bytes_billed) FROM pipeline.warehouse_job") == [(1, 10)]


def test_a_failure_is_on_record_and_gives_way_to_what_became_of_the_job(session: Session, meter: PostgresMeter) -> None:
    meter.admit(MERGE)
    meter.record(FinishedJob("merge-1", DONE.ended_at, "failed", "rateLimitExceeded"))
    assert session.rows(ROW, "merge-1")[0][:2] == ("failed", "rateLimitExceeded")
    meter.record(DONE)
    assert session.rows(ROW, "merge-1")[0][:2] == ("done", "")


def test_the_jobs_of_a_table_of_whose_end_nothing_is_known_are_told_the_oldest_first(meter: PostgresMeter) -> None:
    for number in (1, 2, 3):
        meter.admit(replace(MERGE, job_id=f"merge-{number}"))
    meter.admit(replace(MERGE, job_id="elsewhere-1", target="sales.users"))
    meter.record(replace(DONE, job_id="merge-2"))
    assert meter.running("sales.transactions") == ["merge-1", "merge-3"]
    assert meter.running("") == []


def test_a_job_that_was_refused_or_never_began_is_one_that_runs_when_it_is_tried_again(
    session: Session, meter: PostgresMeter
) -> None:
    for job_id in ("refused", "never-began", "failed"):
        meter.admit(replace(MERGE, job_id=job_id))
    meter.record(replace(DONE, job_id="refused", state="refused", error="quotaExceeded"))
    meter.record(replace(DONE, job_id="failed", state="failed", error="invalid"))
    session.rows(
        "UPDATE pipeline.warehouse_job SET started_at = started_at - interval '9 hours' WHERE state = 'running'"
    )
    assert meter.running("sales.transactions") == []
    for job_id in ("refused", "never-began", "failed"):
        meter.admit(replace(MERGE, job_id=job_id))
    assert sorted(meter.running("sales.transactions")) == ["never-began", "refused"], "a name that failed is used up"
    assert session.row("SELECT min(started_at) > now() - interval '1 minute' FROM pipeline.warehouse_job") == (True,)


def test_what_was_refused_is_told_as_a_failure(session: Session, meter: PostgresMeter) -> None:
    meter.admit(MERGE)
    meter.record(replace(DONE, state="refused", error="quotaExceeded"))
    assert session.rows(ROW, "merge-1")[0][:2] == ("refused", "quotaExceeded")
    assert [row[:3] for row in rows_of(session, "sum_costs", by="stage", first_day=None, last_day=None)] == [
        ("load_warehouse", 1, 1)
    ]


def test_a_query_that_only_reads_never_waits(meter: PostgresMeter) -> None:
    for number in range(60):
        meter.admit(PlannedJob(f"read-{number}", "reconcile", "", "", "query"))


def test_a_job_on_too_many_partitions_is_refused(meter: PostgresMeter) -> None:
    with pytest.raises(QueryRefused, match="4001 partitions of sales"):
        meter.admit(replace(MERGE, partitions=4001))


def test_it_waits_for_its_turn_and_says_so(session: Session) -> None:
    waits: list[float] = []

    def sleep(seconds: float) -> None:
        waits.append(seconds)
        session.rows("UPDATE pipeline.warehouse_job SET started_at = started_at - interval '1 minute'")

    meter = PostgresMeter(session, sleep=sleep)
    logger()  # configured before what it writes is captured
    with capture_logs() as logged:
        for number in range(6):
            meter.admit(PlannedJob(f"load-{number}", "load_warehouse", "sales.users", "staging.t", "load"))
    assert len(waits) == 1
    assert 5 < waits[0] <= 12
    told = [one for one in logged if one["event"] == "quota_wait"]
    assert [(one["table"], one["quota"]) for one in told] == [("staging.t", "table_updates")]
    assert told[0]["seconds"] == round(waits[0], 1)


def test_what_would_wait_too_long_is_left_to_the_retry(session: Session) -> None:
    meter = PostgresMeter(session, budget=5, sleep=never)
    for number in range(5):
        meter.admit(replace(MERGE, job_id=f"m{number}", target="sales.users"))
    with pytest.raises(Throttled, match=r"sales\.users: table_updates is used up"):
        meter.admit(replace(MERGE, job_id="m5", target="sales.users"))
    assert session.rows("SELECT count(*) FROM pipeline.warehouse_job") == [(5,)]


def test_sessions_that_ask_at_once_stay_inside_the_quota_together(open_session: Callable[[], Session]) -> None:
    def asker(number: int) -> Callable[[], int]:
        meter, admitted = PostgresMeter(open_session(), budget=0), 0

        def ask() -> int:
            nonlocal admitted
            for turn in range(8):
                try:
                    meter.admit(replace(MERGE, job_id=f"{number}-{turn}", partitions=1))
                    admitted += 1
                except Throttled:
                    continue
            return admitted

        return ask

    askers = [asker(number) for number in range(6)]
    with ThreadPoolExecutor(6) as pool:
        assert sum(pool.map(lambda ask: ask(), askers)) == 22


def test_costs_are_told_by_day_table_and_stage(session: Session, meter: PostgresMeter) -> None:
    meter.admit(MERGE)
    meter.record(DONE)
    meter.admit(PlannedJob("q", "build_marts", "marts.daily_sales_summary", "", "query"))
    meter.record(FinishedJob("q", DONE.ended_at, "failed", "timeout"))
    today = session.row("SELECT (now() AT TIME ZONE 'UTC')::date")[0]
    (day,) = rows_of(session, "sum_costs", by="day", first_day=today, last_day=today)
    assert day == (str(today), 2, 1, 2**40, 2**40, Decimal("1.5"), 7, Decimal("6.250000000"))
    names = {
        by: Counter({row[0]: row[1] for row in rows_of(session, "sum_costs", by=by, first_day=today, last_day=None)})
        for by in ("table", "stage")
    }
    assert names["table"] == {"sales.transactions": 1, "marts.daily_sales_summary": 1}
    assert names["stage"] == {"load_warehouse": 1, "build_marts": 1}
    assert rows_of(session, "sum_costs", by="day", first_day=today + timedelta(days=1), last_day=None) == []
