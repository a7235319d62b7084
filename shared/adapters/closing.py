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

TABLE = "sales.close_lines"
COLUMNS = tuple(field["name"] for field in feed_schema(TABLE))
SUMS = ("transactions", "gross_base", "refunds_base", "transactions_without_rate")
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
    """Bring every close that is not in BigQuery there, in order; how many.

    `touched` is told the days of sale of a close's lines, to be built anew, before the close counts as published.
    Every step may be done twice, so a call that was cut off is simply made again. Raises Inconsistent where BigQuery
    then has other lines of a month than its close: somebody changed them, or Postgres was restored and closed anew.
    """
    waiting = rows_of(session, "list_unpublished_closes")
    for (period,) in waiting:
        lines = rows_of(session, "list_close_lines", period=period)
        if lines:
            _append(Month(period), lines, store, warehouse, bucket)
        _check(period, lines, warehouse)
        touched(sorted({line[0] for line in lines}))
        rows_of(session, "mark_close_published", period=period)
    return len(waiting)


def _append(month: Month, lines: Sequence[Line], store: ObjectStore, warehouse: Warehouse, bucket: str) -> None:
    """Load the staging table, which expires, and add what is not there, anew each time: lines may have been deleted."""
    data = _csv(lines)
    name = f"{month}-{hashlib.sha256(data).hexdigest()[:12]}"
    path, staging = f"close/{name}.csv", f"staging.close_{name.replace('-', '_')}"
    store.write_once(bucket, path, data)
    job = f"close-{name}-{uuid.uuid4().hex}"
    loaded = warehouse.load_csv(staging, f"gs://{bucket}/{path}", feed_schema(TABLE), f"{job}-load", label=TABLE)
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


def _check(period: date, lines: Sequence[Line], warehouse: Warehouse) -> None:
    everything = {"period": period, "first_day": FIRST_DAY, "last_day": LAST_DAY}
    (there,) = warehouse.run(warehouse_sql(TABLE, "totals"), everything, table=TABLE)
    found = (there["line_count"], *(there[name] for name in SUMS))
    booked = (len(lines), *(sum(line[COLUMNS.index(name)] for line in lines) for name in SUMS))
    if found != booked:
        raise Inconsistent(
            "close_differs",
            f"the close of {Month(period)} has {booked[0]:,} lines, {TABLE} has {found[0]:,} of it or other sums; "
            "see docs/close.md",
        )
