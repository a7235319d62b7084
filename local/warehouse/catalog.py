"""Datasets and tables: what exists, and its metadata, kept in the same file and transactions as the rows.

A table's metadata is its REST resource; `version` changes with every write and is never used twice, so whatever is
computed from a version may be cached for good.
"""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from local.warehouse.engine import Cursor
from local.warehouse.errors import already_exists, invalid, not_found
from local.warehouse.types import Field, duckdb_type, parse_schema, quote

RESERVED = frozenset(
    {"main", "temp", "system", "_bq", "_info", "_results", "_bigquery", "pg_catalog", "information_schema"}
)


@dataclass(frozen=True)
class TableRef:
    """The full name of a table or view."""

    project: str
    dataset: str
    table: str

    @property
    def physical(self) -> str:
        """The name inside DuckDB."""
        return f"{quote(self.dataset)}.{quote(self.table)}"

    @property
    def label(self) -> str:
        """The name as error messages of BigQuery spell it."""
        return f"{self.project}:{self.dataset}.{self.table}"

    def to_api(self) -> dict[str, str]:
        """The name as the REST API writes it."""
        return {"projectId": self.project, "datasetId": self.dataset, "tableId": self.table}


@dataclass(frozen=True)
class Table:
    """A table or view as it stands in one transaction."""

    ref: TableRef
    version: int
    body: dict[str, Any] = field(compare=False)
    schema: tuple[Field, ...] = field(compare=False)

    @property
    def is_view(self) -> bool:
        """Whether it is a stored query."""
        return "view" in self.body

    @property
    def partition_column(self) -> str | None:
        """The DATE or TIMESTAMP column that cuts the table into days."""
        return (self.body.get("timePartitioning") or {}).get("field")

    @property
    def requires_filter(self) -> bool:
        """Whether a query must say which partitions it reads."""
        nested = (self.body.get("timePartitioning") or {}).get("requirePartitionFilter")
        return bool(self.body.get("requirePartitionFilter") or nested)

    def column(self, name: str) -> Field | None:
        """A column by name, whatever its case."""
        return next((item for item in self.schema if item.name.lower() == name.lower()), None)


def now_ms() -> int:
    """The time as the REST API counts it."""
    return time.time_ns() // 1_000_000


def dataset_body(cursor: Cursor, project: str, name: str) -> dict[str, Any]:
    """A dataset's stored resource, or notFound."""
    found = cursor.execute("SELECT body FROM _bq.dataset WHERE project = ? AND name = ?", [project, name]).fetchone()
    if found is None:
        raise not_found("Dataset", f"{project}:{name}")
    return dict(json.loads(found[0]))


def dataset_names(cursor: Cursor, project: str) -> list[str]:
    """The datasets of a project, sorted."""
    rows = cursor.execute("SELECT name FROM _bq.dataset WHERE project = ? ORDER BY name", [project]).fetchall()
    return [row[0] for row in rows]


def create_dataset(cursor: Cursor, project: str, name: str, body: dict[str, Any]) -> None:
    """Record a dataset and make its DuckDB schema."""
    if name.lower() in RESERVED or not name.replace("_", "a").isalnum() or len(name) > 1024:
        raise invalid(f'Invalid dataset ID "{name}": letters, numbers and underscores, and not a reserved name.')
    taken = cursor.execute("SELECT project, name FROM _bq.dataset WHERE lower(name) = lower(?)", [name]).fetchone()
    if taken == (project, name):
        raise already_exists("Dataset", f"{project}:{name}")
    if taken is not None:
        raise invalid(f"Dataset {name} would share its storage with {taken[0]}:{taken[1]}; choose another name.")
    stamp = str(now_ms())
    stored = {**body, "creationTime": stamp, "lastModifiedTime": stamp}
    cursor.execute(f"CREATE SCHEMA {quote(name)}")
    cursor.execute("INSERT INTO _bq.dataset VALUES (?, ?, ?)", [project, name, json.dumps(stored)])


def save_dataset(cursor: Cursor, project: str, name: str, body: dict[str, Any]) -> None:
    """Replace a dataset's stored resource."""
    stored = json.dumps({**body, "lastModifiedTime": str(now_ms())})
    cursor.execute("UPDATE _bq.dataset SET body = ? WHERE project = ? AND name = ?", [stored, project, name])


def delete_dataset(cursor: Cursor, project: str, name: str, *, contents: bool) -> None:
    """Drop a dataset; one that holds tables only when told to."""
    dataset_body(cursor, project, name)
    tables = list_tables(cursor, project, name)
    if tables and not contents:
        raise invalid(f"Dataset {project}:{name} is still in use", "resourceInUse")
    cursor.execute(f"DROP SCHEMA {quote(name)} CASCADE")
    cursor.execute("DELETE FROM _bq.relation WHERE project = ? AND dataset = ?", [project, name])
    cursor.execute("DELETE FROM _bq.dataset WHERE project = ? AND name = ?", [project, name])


@lru_cache(maxsize=1_000)
def _table(ref: TableRef, version: int, text: str) -> Table:
    body = json.loads(text)
    return Table(ref, version, body, parse_schema((body.get("schema") or {}).get("fields") or []))


def _expired(table: Table) -> bool:
    return int(table.body.get("expirationTime") or 2**62) <= now_ms()


def find_table(cursor: Cursor, ref: TableRef) -> Table | None:
    """A table as this transaction sees it; an expired one is not there."""
    # by the name alone: for DuckDB a scan with three conditions is twice the work
    query = "SELECT project, dataset, version, body FROM _bq.relation WHERE name = ?"
    for project, dataset, version, body in cursor.execute(query, [ref.table]).fetchall():
        if (project, dataset) == (ref.project, ref.dataset):
            table = _table(ref, version, body)
            return None if _expired(table) else table
    return None


def get_table(cursor: Cursor, ref: TableRef) -> Table:
    """A table, or notFound for whichever of dataset and table is missing."""
    table = find_table(cursor, ref)
    if table is None:
        dataset_body(cursor, ref.project, ref.dataset)
        raise not_found("Table", ref.label)
    return table


def list_tables(cursor: Cursor, project: str, dataset: str) -> list[Table]:
    """The tables and views of a dataset, sorted by name."""
    query = "SELECT name, version, body FROM _bq.relation WHERE project = ? AND dataset = ? ORDER BY name"
    rows = cursor.execute(query, [project, dataset]).fetchall()
    tables = [_table(TableRef(project, dataset, name), version, text) for name, version, text in rows]
    return [table for table in tables if not _expired(table)]


def column_definitions(schema: tuple[Field, ...]) -> str:
    """The column list of CREATE TABLE."""
    return ", ".join(
        f"{quote(item.name)} {duckdb_type(item)}{' NOT NULL' if item.mode == 'REQUIRED' else ''}" for item in schema
    )


def record_table(cursor: Cursor, ref: TableRef, body: dict[str, Any]) -> Table:
    """Write down a table whose DuckDB side exists; creation time is now."""
    stamp = str(now_ms())
    text = json.dumps({**body, "creationTime": stamp, "lastModifiedTime": stamp})
    version = time.time_ns()
    forget_table(cursor, ref)
    cursor.execute(
        "INSERT INTO _bq.relation VALUES (?, ?, ?, ?, ?)", [ref.project, ref.dataset, ref.table, version, text]
    )
    return _table(ref, version, text)


def save_table(cursor: Cursor, table: Table, body: dict[str, Any] | None = None) -> Table:
    """Replace a table's metadata; without a body, only say that its rows changed."""
    text = json.dumps({**(table.body if body is None else body), "lastModifiedTime": str(now_ms())})
    version = time.time_ns()
    ref = table.ref
    cursor.execute(
        "UPDATE _bq.relation SET version = ?, body = ? WHERE project = ? AND dataset = ? AND name = ?",
        [version, text, ref.project, ref.dataset, ref.table],
    )
    return _table(ref, version, text)


def forget_table(cursor: Cursor, ref: TableRef) -> None:
    """Remove the record of a table."""
    cursor.execute(
        "DELETE FROM _bq.relation WHERE project = ? AND dataset = ? AND name = ?", [ref.project, ref.dataset, ref.table]
    )


def drop_physical(cursor: Cursor, ref: TableRef) -> None:
    """Remove DuckDB's side of a name, if there is one."""
    cursor.execute(f"DROP TABLE IF EXISTS {ref.physical}")


def sweep(cursor: Cursor) -> None:
    """Remove the tables whose time is up; until then they were only hidden."""
    query = """
        SELECT project, dataset, name FROM _bq.relation
        WHERE CAST(json_extract_string(body, '$.expirationTime') AS BIGINT) <= ?"""
    for project, dataset, name in cursor.execute(query, [now_ms()]).fetchall():
        ref = TableRef(project, dataset, name)
        drop_physical(cursor, ref)
        forget_table(cursor, ref)


def require_free(cursor: Cursor, ref: TableRef) -> None:
    """Refuse a name that is taken, in any spelling of its case (DuckDB keeps one of them)."""
    dataset_body(cursor, ref.project, ref.dataset)
    query = "SELECT name FROM _bq.relation WHERE project = ? AND dataset = ? AND lower(name) = lower(?)"
    for (name,) in cursor.execute(query, [ref.project, ref.dataset, ref.table]).fetchall():
        if find_table(cursor, TableRef(ref.project, ref.dataset, name)) is not None:
            raise already_exists("Table", ref.label)
        drop_physical(cursor, TableRef(ref.project, ref.dataset, name))
        forget_table(cursor, TableRef(ref.project, ref.dataset, name))
