"""What BigQuery gets of the closes: their lines, once, and from which day on the books are open."""

from __future__ import annotations

import csv
import hashlib
import io
import uuid
from collections.abc import Callable, Sequence
from datetime import date
from typing import Any

from shared.adapters.ports import ObjectStore, Warehouse
from shared.adapters.postgres import Session
from shared.adapters.queries import rows_of
from shared.adapters.refeeds import FIRST_DAY, LAST_DAY
from shared.adapters.warehouse import NULL
from shared.adapters.warehouse_sql import feed_schema, warehouse_sql
from shared.domain.closing import Month
from shared.errors import Inconsistent

TABLE, REPORTS = "sales.close_lines", "marts.financial_reports"
COLUMNS = tuple(field["name"] for field in feed_schema(TABLE))
SUMS = ("line_count", "transactions", "gross_base", "refunds_base", "transactions_without_rate")
NONE: list[Any] = [0] * len(SUMS)
MOST_DAYS = 4_000
"""Partitions that one BigQuery job may modify: https://cloud.google.com/bigquery/quotas#partitioned_tables"""

Line = tuple[Any, ...]


def open_day(session: Session) -> date:
    """The first day after the months whose lines BigQuery has; where it has none every day is open."""
    ((last,),) = rows_of(session, "read_last_published")
    return FIRST_DAY if last is None else Month(last).following.first_day


def publish_closes(
    session: Session, store: ObjectStore, warehouse: Warehouse, bucket: str, *, touched: Callable[[list[date]], None]
) -> int:
    """Bring every close that BigQuery has not, or no longer has, there, in order; how many.

    `touched` is told the days of sale whose booking the close moves, to be built anew, before it counts as published.
    Every step may be done twice, so a call that was cut off is simply made again. Where BigQuery then has other lines
    of a month than its close, somebody changed them, or Postgres was restored and closed anew: that month does not
    count as published and keeps no other back, but Inconsistent is raised after the last of them.
    """
    closes = rows_of(session, "list_close_sums")
    there = _sums(warehouse) if closes else {}
    waiting = [
        (period, booked) for period, published, *booked in closes if not published or booked != there.get(period, NONE)
    ]
    differing: list[Inconsistent] = []
    for period, booked in waiting:
        lines = rows_of(session, "list_close_lines", period=period)
        if lines:
            _append(Month(period), lines, store, warehouse, bucket)
        found = _sums(warehouse).get(period, NONE)
        if booked != found:
            differing.append(_differs(period, booked, found))
            continue
        touched(sorted({line[0] for line in lines} | open_before(warehouse, Month(period).following.first_day)))
        rows_of(session, "mark_close_published", period=period)
    if differing:
        raise differing[0]
    return len(waiting)


def open_before(warehouse: Warehouse, open_day: date) -> set[date]:
    """Days before this one that the mart shows as open: sales that came after the close, but were built before this."""
    days = {"first_day": FIRST_DAY, "open_day": open_day}
    return {row["sale_date"] for row in warehouse.run(warehouse_sql(REPORTS, "open_before"), days, table=REPORTS)}


def _sums(warehouse: Warehouse) -> dict[date, list[Any]]:
    """What BigQuery has of each close."""
    everything = {"first_day": FIRST_DAY, "last_day": LAST_DAY}
    found = warehouse.run(warehouse_sql(TABLE, "totals"), everything, table=TABLE)
    return {row["period"]: [row[name] for name in SUMS] for row in found}


def _append(month: Month, lines: Sequence[Line], store: ObjectStore, warehouse: Warehouse, bucket: str) -> None:
    """Load the staging table, which expires, and add what is not there, anew each time: lines may have been deleted."""
    data = _csv(lines)
    name = f"{month}-{hashlib.sha256(data).hexdigest()[:12]}"
    path, staging = f"close/{name}.csv", f"staging.close_{name.replace('-', '_')}"
    store.write_once(bucket, path, data)
    job = f"close-{name}-{uuid.uuid4().hex}"
    loaded = warehouse.load_csv(staging, [f"gs://{bucket}/{path}"], feed_schema(TABLE), f"{job}-load", label=TABLE)
    if loaded != len(lines):
        raise Inconsistent(
            "close_incomplete", f"gs://{bucket}/{path} has {loaded} rows, the close of {month} {len(lines)}"
        )
    sql = warehouse_sql(TABLE, "append").replace("${lines}", staging)
    days = sorted({line[0] for line in lines})
    for start in range(0, len(days), MOST_DAYS):
        some = days[start : start + MOST_DAYS]
        warehouse.run(sql, {"days": some}, f"{job}-append-{start // MOST_DAYS}", table=TABLE)


def _csv(lines: Sequence[Line]) -> bytes:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows([NULL if value is None else value for value in line] for line in lines)
    return out.getvalue().encode()


def _differs(period: date, booked: list[Any], there: list[Any]) -> Inconsistent:
    return Inconsistent(
        "close_differs",
        f"the close of {Month(period)} has {booked[0]:,} lines, {TABLE} has {there[0]:,} of it or other sums; "
        "see docs/close.md",
    )
