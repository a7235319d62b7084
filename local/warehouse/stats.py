"""How many bytes a query reads, by BigQuery's logical sizes.

Counted by a query over the columns and partitions concerned and remembered per table version: nothing to keep up to
date on writes, and after a write only what is asked for is counted again. Of a table cut by a DATE each day is counted
by itself, once, whatever the period it is asked for in.
"""

from __future__ import annotations

import datetime as dt
import threading
from collections import OrderedDict
from collections.abc import Collection, Iterable, Mapping, Set
from dataclasses import dataclass
from typing import Any

from local.warehouse.catalog import Table
from local.warehouse.days import chosen as chosen_days
from local.warehouse.engine import Cursor
from local.warehouse.sql import PartitionFilter
from local.warehouse.types import Field, bytes_of_all, quote

REMEMBERED = 2_000


@dataclass(frozen=True)
class Pruning:
    """A condition on the partition column, as SQL with the values of its placeholders."""

    sql: str
    values: Mapping[str, Any]
    filter: PartitionFilter | None = None

    @property
    def key(self) -> str:
        """What tells this condition from another."""
        return f"{self.sql} {sorted(self.values.items())!r}"


@dataclass(frozen=True, slots=True)
class Size:
    """Rows and logical bytes."""

    rows: int
    bytes: int


def day_expression(table: Table) -> str:
    """SQL for the day of a row's partition."""
    column = table.column(table.partition_column or "")
    assert column is not None, "only partitioned tables have days"
    return quote(column.name) if column.type == "DATE" else f"CAST({quote(column.name)} AS DATE)"


def pruned(table: Table, pruning: Pruning | None) -> str:
    """SQL that keeps the rows of the partitions that a query must read: whole days, whatever it asks of them."""
    if pruning is None:
        return "TRUE"
    if pruning.sql == "":
        return "FALSE"
    column = table.column(table.partition_column or "")
    if column is not None and column.type == "DATE":
        return pruning.sql
    day = day_expression(table)
    return f"{day} IN (SELECT DISTINCT {day} FROM {table.ref.physical} WHERE {pruning.sql})"  # noqa: S608


def total_bytes(columns: Iterable[Field]) -> str:
    """SQL for the logical bytes of the columns in all rows of a group."""
    return " + ".join(bytes_of_all(each) for each in columns) or "0"


class Statistics:
    """Sizes of tables and partitions, remembered by table version."""

    def __init__(self) -> None:
        self._known: OrderedDict[tuple[object, ...], Any] = OrderedDict()
        self._lock = threading.Lock()

    def size(
        self,
        cursor: Cursor,
        table: Table,
        columns: Collection[str] | None = None,
        pruning: Pruning | None = None,
    ) -> Size:
        """Rows and bytes of the chosen columns (all of them by default) in the chosen partitions."""
        if table.is_view:
            return Size(0, 0)
        chosen = [each for each in table.schema if columns is None or each.name.lower() in columns]
        if pruning is not None and pruning.filter is not None and _cut_by_date(table):
            days = chosen_days(cursor, pruning.filter, pruning.values, self._days(cursor, table))
            by_day = self._by_day(cursor, table, chosen, days)
            return Size(sum(by_day[day].rows for day in days), sum(by_day[day].bytes for day in days))
        key = (table.ref, table.version, tuple(each.name for each in chosen), pruning and pruning.key)
        found: Size | None = self._recall(key)
        if found is None:
            query = f"SELECT count(*), {total_bytes(chosen)} FROM {table.ref.physical} WHERE {pruned(table, pruning)}"  # noqa: S608
            row = cursor.execute(query, dict(pruning.values) if pruning else None).fetchone()
            assert row is not None
            found = Size(int(row[0]), int(row[1]))
            self._remember(key, found)
        return found

    def _days(self, cursor: Cursor, table: Table) -> list[dt.date]:
        """The days that a table cut by a DATE has."""
        key = (table.ref, table.version, "days")
        found: list[dt.date] | None = self._recall(key)
        if found is None:
            day = day_expression(table)
            query = f"SELECT DISTINCT {day} FROM {table.ref.physical} WHERE {day} IS NOT NULL"  # noqa: S608
            found = [row[0] for row in cursor.execute(query).fetchall()]
            self._remember(key, found)
        return found

    def _by_day(self, cursor: Cursor, table: Table, columns: list[Field], days: Set[dt.date]) -> Mapping[dt.date, Size]:
        """The sizes of these days at least; counts those that are not known yet."""
        key = (table.ref, table.version, "by day", tuple(each.name for each in columns))
        found: dict[dt.date, Size] = self._recall(key) or {}
        if unknown := days - found.keys():
            day = day_expression(table)
            query = (
                f"SELECT {day}, count(*), {total_bytes(columns)} FROM {table.ref.physical} "  # noqa: S608
                f"WHERE {day} IN (SELECT unnest($days)) GROUP BY 1"
            )
            rows = cursor.execute(query, {"days": sorted(unknown)}).fetchall()
            found = found | {day: Size(int(count), int(size)) for day, count, size in rows}
            self._remember(key, found)
        return found

    def partitions(self, cursor: Cursor, table: Table) -> list[tuple[dt.date | None, int, int]]:
        """Day, rows and bytes of each partition; one without a day for an unpartitioned table."""
        if table.partition_column is None:
            size = self.size(cursor, table)
            return [(None, size.rows, size.bytes)]
        key = (table.ref, table.version, "partitions")
        found = self._recall(key)
        if found is None:
            source = f"FROM {table.ref.physical} GROUP BY 1 ORDER BY 1"
            query = f"SELECT {day_expression(table)}, count(*), {total_bytes(table.schema)} {source}"
            found = [(day, int(n), int(size)) for day, n, size in cursor.execute(query).fetchall()]
            self._remember(key, found)
        return list(found)

    def _recall(self, key: tuple[object, ...]) -> Any:
        with self._lock:
            if key in self._known:
                self._known.move_to_end(key)
            return self._known.get(key)

    def _remember(self, key: tuple[object, ...], value: Any) -> None:
        with self._lock:
            self._known[key] = value
            while len(self._known) > REMEMBERED:
                self._known.popitem(last=False)


def _cut_by_date(table: Table) -> bool:
    column = table.column(table.partition_column or "")
    return column is not None and column.type == "DATE"
