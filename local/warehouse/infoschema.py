"""INFORMATION_SCHEMA: JOBS, TABLES, COLUMNS and PARTITIONS, as views over tables of our own.

JOBS is read from the job records themselves; its slot time is the CPU time of the thread that ran the job. The other
three are written afresh before a query that mentions them, because they come from Python's reading of the metadata.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

from local.warehouse import catalog
from local.warehouse.catalog import Table, TableRef
from local.warehouse.engine import Cursor, Engine
from local.warehouse.infoschema_jobs import JOBS_VIEW
from local.warehouse.sql import Column, SqlType, TableInfo, array_of, scalar
from local.warehouse.sql import TableRef as SqlRef
from local.warehouse.stats import Statistics
from local.warehouse.types import Field, standard_type

SCHEMA = "_info"
PREFIX = "INFORMATION_SCHEMA."
NAMED = {"table_catalog": "STRING", "table_schema": "STRING", "table_name": "STRING"}
COLUMNS: dict[str, dict[str, str]] = {
    "JOBS": {
        "creation_time": "TIMESTAMP",
        "project_id": "STRING",
        "user_email": "STRING",
        "job_id": "STRING",
        "job_type": "STRING",
        "statement_type": "STRING",
        "start_time": "TIMESTAMP",
        "end_time": "TIMESTAMP",
        "state": "STRING",
        "parent_job_id": "STRING",
        "query": "STRING",
        "total_bytes_processed": "INT64",
        "total_bytes_billed": "INT64",
        "cache_hit": "BOOL",
        "error_result": "ERROR",
        "dml_statistics": "DML",
        "total_slot_ms": "INT64",
        "labels": "LABELS",
        "destination_table": "TABLE",
    },
    "TABLES": {**NAMED, "table_type": "STRING", "creation_time": "TIMESTAMP"},
    "COLUMNS": {
        **NAMED,
        "column_name": "STRING",
        "ordinal_position": "INT64",
        "is_nullable": "STRING",
        "data_type": "STRING",
        "is_partitioning_column": "STRING",
        "clustering_ordinal_position": "INT64",
    },
    "PARTITIONS": {
        **NAMED,
        "partition_id": "STRING",
        "total_rows": "INT64",
        "total_logical_bytes": "INT64",
        "last_modified_time": "TIMESTAMP",
    },
}
STRUCTS = {
    "ERROR": SqlType("STRUCT", fields=tuple((name, scalar("STRING")) for name in ("reason", "location", "message"))),
    "DML": SqlType(
        "STRUCT",
        fields=tuple((f"{name}_row_count", scalar("INT64")) for name in ("inserted", "deleted", "updated")),
    ),
    "LABELS": array_of(SqlType("STRUCT", fields=tuple((name, scalar("STRING")) for name in ("key", "value")))),
    "TABLE": SqlType(
        "STRUCT", fields=tuple((f"{name}_id", scalar("STRING")) for name in ("project", "dataset", "table"))
    ),
}


def setup(engine: Engine) -> None:
    """Make the tables and the view, once per start."""
    with engine.writing() as cursor:
        cursor.execute(f"CREATE SCHEMA IF NOT EXISTS {SCHEMA}")
        cursor.execute(JOBS_VIEW)
        for name in ("TABLES", "COLUMNS", "PARTITIONS"):
            columns = ", ".join(f"{each} {_type(kind).duckdb}" for each, kind in COLUMNS[name].items())
            cursor.execute(f"CREATE OR REPLACE TABLE {SCHEMA}.{name.lower()} ({columns})")


def _type(kind: str) -> SqlType:
    return STRUCTS.get(kind) or scalar(kind)


def mentioned(text: str) -> bool:
    """Whether a query may read these views."""
    return "information_schema" in text.lower()


def describe(ref: SqlRef, project: str) -> TableInfo | None:
    """A system view as the translation knows it, or None for an ordinary table."""
    if ref.dataset == SCHEMA and ref.table.upper() in COLUMNS:
        return TableInfo(tuple(Column(name, _type(kind)) for name, kind in COLUMNS[ref.table.upper()].items()))
    if not ref.table.upper().startswith(PREFIX):
        return None
    name = ref.table.upper().removeprefix(PREFIX).removesuffix("_BY_PROJECT")
    if name not in COLUMNS or (name == "JOBS" and not ref.dataset.lower().startswith("region-")):
        return None
    condition = f"project_id = '{project}'" if name == "JOBS" else f"table_catalog = '{project}'"
    if not ref.dataset.lower().startswith("region-"):
        condition += f" AND table_schema = '{ref.dataset}'"
    text = f"SELECT * FROM `{project}.{SCHEMA}.{name.lower()}` WHERE {condition}"  # noqa: S608
    return TableInfo(tuple(Column(each, _type(kind)) for each, kind in COLUMNS[name].items()), None, text)


def refresh(engine: Engine, statistics: Statistics) -> None:
    """Write what is known of all tables, for the query that comes next."""
    with engine.writing() as cursor:
        found: dict[str, list[tuple[Any, ...]]] = {"tables": [], "columns": [], "partitions": []}
        for table in _all_tables(cursor):
            named = (table.ref.project, table.ref.dataset, table.ref.table)
            created = _moment(table.body["creationTime"])
            found["tables"].append((*named, "VIEW" if table.is_view else "BASE TABLE", created))
            found["columns"] += [(*named, *row) for row in _columns(table)]
            if not table.is_view:
                modified = _moment(table.body["lastModifiedTime"])
                for day, count, size in statistics.partitions(cursor, table):
                    found["partitions"].append((*named, _partition_id(table, day), count, size, modified))
        for name, rows in found.items():
            cursor.execute(f"DELETE FROM {SCHEMA}.{name}")  # noqa: S608
            kinds = [_type(kind).duckdb for kind in COLUMNS[name.upper()].values()]
            unnested = ", ".join(f"unnest(CAST(? AS {kind}[]))" for kind in kinds)
            if rows:
                query = f"INSERT INTO {SCHEMA}.{name} SELECT {unnested}"
                cursor.execute(query, [list(column) for column in zip(*rows, strict=True)])


def _all_tables(cursor: Cursor) -> Iterator[Table]:
    query = "SELECT project, dataset, name FROM _bq.relation ORDER BY ALL"
    for project, dataset, name in cursor.execute(query).fetchall():
        table = catalog.find_table(cursor, TableRef(project, dataset, name))
        if table is not None:
            yield table


def _columns(table: Table) -> Iterator[tuple[str, int, str, str, str, int | None]]:
    clustering = [name.lower() for name in (table.body.get("clustering") or {}).get("fields") or []]
    for position, item in enumerate(table.schema, start=1):
        yield _column(table, item, position, clustering)


def _column(
    table: Table, item: Field, position: int, clustering: list[str]
) -> tuple[str, int, str, str, str, int | None]:
    partitioning = item.name.lower() == (table.partition_column or "").lower()
    order = clustering.index(item.name.lower()) + 1 if item.name.lower() in clustering else None
    nullable = "NO" if item.mode == "REQUIRED" else "YES"
    return item.name, position, nullable, standard_type(item), "YES" if partitioning else "NO", order


def _partition_id(table: Table, day: dt.date | None) -> str | None:
    if table.partition_column is None:
        return None
    return "__NULL__" if day is None else day.strftime("%Y%m%d")


def _moment(milliseconds: str) -> dt.datetime:
    return dt.datetime.fromtimestamp(int(milliseconds) / 1000, dt.UTC)
