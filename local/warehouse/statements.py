"""One translated statement against the catalog and DuckDB: what it costs, what it does, what it gives."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from local.warehouse import catalog, ddl
from local.warehouse.catalog import Table
from local.warehouse.engine import Cursor
from local.warehouse.errors import ApiError, invalid_query
from local.warehouse.lookup import Lookup
from local.warehouse.pages import BLOCK, ResultSet, ResultStore
from local.warehouse.sql import ReplaceDetails, Statement
from local.warehouse.sql import TableRef as SqlRef
from local.warehouse.stats import Pruning, Statistics
from local.warehouse.types import Field, from_sql_type
from local.warehouse.writes import Target, write_rows

Values = Mapping[str, Any]
DML = frozenset({"INSERT", "UPDATE", "DELETE", "MERGE", "TRUNCATE_TABLE"})
REWRITING = frozenset({"UPDATE", "DELETE", "MERGE"})
MEGABYTE = 1 << 20
LEAST_BILLED = 10 * MEGABYTE


@dataclass
class Outcome:
    """What a statement did, for its job's statistics."""

    affected: dict[str, int] | None = None
    rows: int | None = None
    result: ResultSet | None = None
    target: Table | None = None


def output_schema(statement: Statement) -> tuple[Field, ...]:
    """The result's columns; BigQuery names the nameless ones f0_, f1_ …"""
    columns = []
    for position, column in enumerate(statement.output):
        columns.append(from_sql_type(column.name or f"f{position}_", column.type, description=column.description))
    return tuple(columns)


def check_partition_filters(statement: Statement, lookup: Lookup) -> None:
    """Refuse to read a whole table that demands a partition filter, in BigQuery's words; a view may be made of one."""
    if statement.kind == "CREATE_VIEW":
        return
    rewritten = (statement.table_written,) if statement.kind in REWRITING and statement.table_written else ()
    for ref in dict.fromkeys((*statement.tables_read, *rewritten)):
        table = lookup.stored(ref)
        if table is not None and table.requires_filter and statement.partition_filters.get(ref) is None:
            raise ApiError(
                400,
                "invalidQuery",
                f"Cannot query over table '{ref}' without a filter over column(s) "
                f"'{table.partition_column}' that can be used for partition elimination",
                "query",
            )


def _pruning(statement: Statement, ref: SqlRef, table: Table, values: Values) -> Pruning | None:
    """The statement's partition filter with its values, unless one of them is not known yet."""
    found = statement.partition_filters.get(ref)
    column = table.column(table.partition_column or "")
    if found is None or column is None:
        return None
    sql = found.sql(f'"{column.name}"')
    names = [name for name in statement.placeholders if f"${name}" in sql]
    if any(name not in values for name in names):
        return None
    return Pruning(sql, {name: values[name] for name in names}, found)


def bytes_processed(
    cursor: Cursor, statement: Statement, lookup: Lookup, statistics: Statistics, values: Values
) -> int:
    """Logical bytes of the columns and partitions that a statement reads; rewriting DML reads whole rows, once."""
    total = 0
    for ref in () if statement.kind == "CREATE_VIEW" else statement.tables_read:
        if statement.kind in REWRITING and ref == statement.table_written:
            continue
        table = lookup.stored(ref)
        if table is None or table.is_view:
            continue
        names = {name.lower() for name in statement.columns_read.get(ref, frozenset())}
        total += statistics.size(cursor, table, names, _pruning(statement, ref, table, values)).bytes
    if statement.kind in REWRITING and statement.table_written is not None:
        table = lookup.stored(statement.table_written)
        assert table is not None, "system views are never written"
        total += statistics.size(cursor, table, None, _pruning(statement, table_ref(statement), table, values)).bytes
    return total


def table_ref(statement: Statement) -> SqlRef:
    """The table that a statement writes."""
    assert statement.table_written is not None
    return statement.table_written


def billed(processed: int) -> int:
    """Bytes billed: whole megabytes, ten at least."""
    return 0 if processed == 0 else max(LEAST_BILLED, -(-processed // MEGABYTE) * MEGABYTE)


def check_limit(processed: int, limit: str | int | None) -> None:
    """Refuse a query that would be billed more than its job allows."""
    if limit is not None and billed(processed) > int(limit):
        message = f"Query exceeded limit for bytes billed: {limit}. {billed(processed)} or higher required."
        raise ApiError(400, "bytesBilledLimitExceeded", message)


def placeholders(statement: Statement, values: Values, sql: str | None = None) -> dict[str, Any] | None:
    """Exactly the values that the DuckDB text names; `sql` is one of a statement's several texts."""
    missing = [name for name in statement.placeholders if name not in values]
    if missing:
        raise invalid_query(f"Query parameter '{missing[0]}' not found")
    names = [name for name in statement.placeholders if sql is None or f"CAST(${name} AS " in sql]
    return {name: values[name] for name in names} or None


class Executor:
    """Runs statements in the caller's transaction."""

    def __init__(self, results: ResultStore, statistics: Statistics) -> None:
        self._results = results
        self.statistics = statistics

    def select(self, cursor: Cursor, statement: Statement, values: Values, key: str) -> ResultSet:
        """Run a query and keep its rows for paging."""
        result = self._results.new(key, output_schema(statement))
        cursor.execute(statement.duckdb_sql, placeholders(statement, values))
        result.fill(_batches(cursor))
        self._results.keep(key, result)
        return result

    def share(self, key: str, result: ResultSet) -> None:
        """Offer a result under a second key: a script's is that of its last query."""
        self._results.keep(key, result)

    def select_into(self, cursor: Cursor, statement: Statement, values: Values, target: Target) -> tuple[Table, int]:
        """Run a query into a table."""
        target = replace(target, schema=output_schema(statement))
        return write_rows(cursor, target, statement.duckdb_sql, placeholders(statement, values))

    def change(self, cursor: Cursor, statement: Statement, values: Values, lookup: Lookup) -> Outcome:
        """Run DML or DDL."""
        if statement.kind not in DML:
            table = ddl.run(cursor, statement, placeholders(statement, values))
            return Outcome(target=table)
        table = lookup.stored(table_ref(statement))
        if table is None or table.is_view:
            raise invalid_query(f"Table {table_ref(statement)} cannot be modified: it is a view")
        if isinstance(statement.details, ReplaceDetails):
            counts = _replace(cursor, statement, statement.details, values)
        else:
            cursor.execute(statement.duckdb_sql, placeholders(statement, values))
            counts = _merge_counts(cursor) if statement.count_column else _plain_counts(cursor, statement.kind)
        return Outcome(affected=counts, target=catalog.save_table(cursor, table))


def _batches(cursor: Cursor) -> Iterator[list[tuple[Any, ...]]]:
    while rows := cursor.fetchmany(BLOCK):
        yield rows


def _merge_counts(cursor: Cursor) -> dict[str, int]:
    found: Counter[str] = Counter()
    while rows := cursor.fetchmany(100_000):
        found.update(row[0] for row in rows)
    return _dml_stats(found["INSERT"], found["UPDATE"], found["DELETE"])


def _replace(cursor: Cursor, statement: Statement, details: ReplaceDetails, values: Values) -> dict[str, int]:
    """Stage the source's rows, delete the old ones, insert the new ones."""
    cursor.execute(details.stage, placeholders(statement, values, details.stage))
    deleted = cursor.execute(details.delete, placeholders(statement, values, details.delete)).fetchone()
    inserted = cursor.execute(statement.duckdb_sql).fetchone()
    assert deleted is not None, "DuckDB counts the rows it deletes"
    assert inserted is not None, "DuckDB counts the rows it inserts"
    return _dml_stats(int(inserted[0]), 0, int(deleted[0]))


def _plain_counts(cursor: Cursor, kind: str) -> dict[str, int]:
    row = cursor.fetchone()
    count = int(row[0]) if row is not None else 0
    return _dml_stats(
        count if kind == "INSERT" else 0,
        count if kind == "UPDATE" else 0,
        count if kind in ("DELETE", "TRUNCATE_TABLE") else 0,
    )


def _dml_stats(inserted: int, updated: int, deleted: int) -> dict[str, int]:
    return {"insertedRowCount": inserted, "updatedRowCount": updated, "deletedRowCount": deleted}
