"""Finished statements of BigQuery and Postgres, read into pipeline.warehouse_job and pipeline.query_stat."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from shared.adapters.jobs import WRITES_BY_STATEMENT
from shared.adapters.metering import cost_of
from shared.adapters.ports import Warehouse
from shared.adapters.postgres import Session
from shared.adapters.queries import rows_of
from shared.adapters.warehouse_sql import monitoring_sql
from shared.domain.queries_seen import SLOW_SECONDS, STANDARD_STAGES, Trend, fingerprint

OVERLAP = timedelta(hours=6)
"""The longest that a BigQuery query may run: one that was made that long ago may have ended since the last look.
https://cloud.google.com/bigquery/quotas#query_jobs"""
FIRST_LOOK = timedelta(days=1)
TREND_DAYS = 7
STATISTICS = "pg_stat_statements"


def watch_bigquery(session: Session, warehouse: Warehouse, region: str, now: datetime) -> tuple[int, date]:
    """Read the jobs since the last look; how many were found, and the first day that changed."""
    found = rows_of(session, "read_query_watermark", store="bigquery")
    since = found[0][0] - OVERLAP if found else now - FIRST_LOOK
    sql = monitoring_sql("jobs").replace("${region}", region.lower())
    jobs = warehouse.run(sql, {"since": since, "until": now})
    for job in jobs:
        _keep(session, job)
    first_day = since.date()
    with session.transaction():
        rows_of(session, "replace_query_stats", first_day=first_day)
        rows_of(session, "store_query_watermark", store="bigquery", watched_to=now)
    return len(jobs), first_day


def _keep(session: Session, job: Mapping[str, Any]) -> None:
    labels = {one["key"]: one["value"] for one in job["labels"] or ()}
    table = labels.get("table", "").replace("__", ".")
    kind = "load" if job["job_type"] == "LOAD" else WRITES_BY_STATEMENT.get(job["statement_type"] or "", "query")
    billed = int(job["total_bytes_billed"] or 0)
    error = job["error_result"]
    rows_of(
        session, "record_seen_job", job_id=job["job_id"], stage=labels.get("stage", "ad_hoc"), table_name=table,
        kind=kind, started_at=job["creation_time"], ended_at=job["end_time"], state="failed" if error else "done",
        error=error["reason"] if error else "", bytes_processed=int(job["total_bytes_processed"] or 0),
        bytes_billed=billed, slot_ms=int(job["total_slot_ms"] or 0), cost_usd=str(cost_of(billed)),
        fingerprint=fingerprint(job["query"] or ""),
    )  # fmt: skip


def watch_postgres(session: Session, day: date) -> int | None:
    """Add what Postgres ran since the last look to the day; how many statements, None where it keeps no statistics."""
    if not session.row("SELECT to_regclass($1) IS NOT NULL", STATISTICS)[0]:
        return None
    return len(rows_of(session, "record_statements", day=day))


def slow_statements(session: Session, first_day: date) -> list[tuple[date, str, str, Decimal]]:
    """Day, stage, table and longest run of each standard statement that took too long."""
    found = rows_of(
        session, "list_slow_queries", first_day=first_day, stages=sorted(STANDARD_STAGES), seconds=SLOW_SECONDS
    )
    return [(day, stage, table, seconds) for day, stage, table, seconds in found]


def trends(session: Session, day: date) -> list[tuple[str, str, str, str, Trend]]:
    """Store, stage, table, fingerprint and trend of each statement that ran on a day."""
    found = rows_of(session, "list_query_trends", day=day, first_day=day - timedelta(days=TREND_DAYS))
    return [(*row[:4], Trend(*row[4:])) for row in found]  # type: ignore[misc]


def cost_of_days(session: Session, first_day: date) -> dict[date, Decimal]:
    """What the warehouse's jobs cost, by day."""
    rows = rows_of(session, "sum_costs", by="day", first_day=first_day, last_day=None)
    return {date.fromisoformat(row[0]): row[7] for row in rows}
