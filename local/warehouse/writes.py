"""Rows into a table, with the dispositions that loads, copies and query destinations share."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from local.warehouse import catalog
from local.warehouse.catalog import Table, TableRef
from local.warehouse.engine import Cursor
from local.warehouse.errors import ApiError, already_exists, invalid, not_found, unsupported
from local.warehouse.relations import create_table, widen
from local.warehouse.stats import day_expression
from local.warehouse.types import Field, quote

TABLE_OPTIONS = ("timePartitioning", "clustering", "rangePartitioning")


@dataclass(frozen=True)
class Target:
    """Where rows go and what happens to those that are there."""

    ref: TableRef
    schema: tuple[Field, ...]
    day: dt.date | None = None
    write: str = "WRITE_APPEND"
    create: str = "CREATE_IF_NEEDED"
    options: Mapping[str, Any] = field(default_factory=dict)
    may_add: bool = False
    may_relax: bool = False


def read_target(reference: Mapping[str, Any], config: Mapping[str, Any], default_write: str) -> Target:
    """The destination named by a job's configuration, `$YYYYMMDD` included."""
    name, _, decorator = str(reference.get("tableId", "")).partition("$")
    ref = TableRef(str(reference.get("projectId", "")), str(reference.get("datasetId", "")), name)
    updates = set(config.get("schemaUpdateOptions") or [])
    if unknown := updates - {"ALLOW_FIELD_ADDITION", "ALLOW_FIELD_RELAXATION"}:
        raise invalid(f"Invalid schemaUpdateOptions: {', '.join(sorted(unknown))}")
    return Target(
        ref,
        (),
        day=_decorated_day(decorator) if decorator else None,
        write=str(config.get("writeDisposition") or default_write),
        create=str(config.get("createDisposition") or "CREATE_IF_NEEDED"),
        options={key: config[key] for key in TABLE_OPTIONS if config.get(key)},
        may_add="ALLOW_FIELD_ADDITION" in updates,
        may_relax="ALLOW_FIELD_RELAXATION" in updates,
    )


def _decorated_day(decorator: str) -> dt.date:
    if len(decorator) != 8 or not decorator.isdigit():
        raise unsupported(f"The table decorator ${decorator}", "name one day as $YYYYMMDD")
    try:
        return dt.date(int(decorator[:4]), int(decorator[4:6]), int(decorator[6:]))
    except ValueError as error:
        raise invalid(f"Invalid partition ${decorator}; it names no day.") from error


def _create(cursor: Cursor, target: Target, old: Table | None = None) -> Table:
    """A new, empty table; one that replaces another keeps what the job does not say."""
    kept = {key: value for key, value in old.body.items() if key != "expirationTime"} if old else {}
    body = {**kept, **target.options, "schema": {"fields": [item.to_api() for item in target.schema]}}
    return create_table(cursor, target.ref, body)


def _replace(cursor: Cursor, target: Target, old: Table) -> Table:
    partitioning = target.options.get("timePartitioning")
    if partitioning and partitioning.get("field") != (old.body.get("timePartitioning") or {}).get("field"):
        raise invalid(f"Incompatible table partitioning specification for {target.ref.label}")
    catalog.drop_physical(cursor, old.ref)
    catalog.forget_table(cursor, old.ref)
    return _create(cursor, target, old)


def _extend(cursor: Cursor, target: Target, table: Table) -> Table:
    """Fit the table to the incoming schema as far as the job allows it, or say what does not fit."""
    merged = list(table.schema)
    for item in target.schema:
        old = table.column(item.name)
        if old is None:
            if not target.may_add:
                message = (
                    f"Provided Schema does not match Table {table.ref.label}. Cannot add fields (field: {item.name})"
                )
                raise invalid(message)
            merged.append(replace(item, mode="NULLABLE") if item.mode == "REQUIRED" else item)
        elif (old.type, old.mode == "REPEATED") != (item.type, item.mode == "REPEATED") or not same_shape(old, item):
            raise invalid(
                f"Provided Schema does not match Table {table.ref.label}. "
                f"Field {item.name} has changed type from {old.type} to {item.type}"
            )
        elif old.mode == "REQUIRED" and item.mode == "NULLABLE" and target.may_relax:
            merged[merged.index(old)] = replace(old, mode="NULLABLE")
    if tuple(merged) == table.schema:
        return table
    schema = widen(cursor, table, tuple(merged))
    return catalog.save_table(cursor, table, {**table.body, "schema": {"fields": [item.to_api() for item in schema]}})


def same_shape(old: Field, new: Field) -> bool:
    """Whether two records have the same members; descriptions and requiredness aside."""
    shape = [(each.name.lower(), each.type, each.mode == "REPEATED") for each in old.fields]
    other = [(each.name.lower(), each.type, each.mode == "REPEATED") for each in new.fields]
    return shape == other and all(same_shape(a, b) for a, b in zip(old.fields, new.fields, strict=True))


def prepare(cursor: Cursor, target: Target) -> Table:
    """Bring the destination into the state that its disposition asks for."""
    table = catalog.find_table(cursor, target.ref)
    if table is None:
        catalog.dataset_body(cursor, target.ref.project, target.ref.dataset)
        if target.create == "CREATE_NEVER":
            raise not_found("Table", target.ref.label)
        return _create(cursor, target)
    if table.is_view:
        raise invalid(f"{target.ref.label} is not allowed for this operation because it is currently a VIEW.")
    if target.write == "WRITE_TRUNCATE" and target.day is None:
        return _replace(cursor, target, table)
    if target.write == "WRITE_TRUNCATE":
        cursor.execute(f"DELETE FROM {table.ref.physical} WHERE {day_expression_of(table)} = ?", [target.day])  # noqa: S608
    elif target.write == "WRITE_EMPTY":
        if cursor.execute(f"SELECT 1 FROM {table.ref.physical} LIMIT 1").fetchone() is not None:  # noqa: S608
            raise already_exists("Table", target.ref.label)
    elif target.write != "WRITE_APPEND":
        raise invalid(f"Invalid writeDisposition {target.write}")
    return _extend(cursor, target, table)


def day_expression_of(table: Table) -> str:
    """The day of a row, for tables that have days."""
    if table.partition_column is None:
        raise invalid(f"Cannot write to a partition of {table.ref.label}: it is not partitioned")
    return day_expression(table)


def write_rows(
    cursor: Cursor, target: Target, query: str, values: Mapping[str, Any] | None = None
) -> tuple[Table, int]:
    """Run a query whose columns are the target's schema, in order, into the destination; gives its rows."""
    table = prepare(cursor, target)
    names = [quote(item.name) for item in target.schema]
    chosen = ", ".join(names)
    source = f"SELECT * FROM ({query}) AS _rows ({chosen})"  # noqa: S608
    if target.day is not None:
        day = day_expression_of(table)
        label = target.day.strftime("%Y%m%d")
        message = f"Some rows belong to different partitions rather than destination partition {label}"
        source += f" WHERE CASE WHEN {day} = DATE '{target.day}' THEN TRUE ELSE error('{message}') END"
    statement = f"INSERT INTO {table.ref.physical} ({chosen}) {source}"
    row = cursor.execute(statement, dict(values) if values else None).fetchone()
    if row is None:
        raise ApiError(500, "internalError", "The warehouse did not count the rows it wrote")
    return catalog.save_table(cursor, table), int(row[0])
