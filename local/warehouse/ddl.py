"""CREATE, DROP, ALTER as SQL says them, through the same operations as the REST API."""

from __future__ import annotations

import datetime as dt
from typing import Any

from local.warehouse import catalog
from local.warehouse.catalog import Table, TableRef
from local.warehouse.engine import Cursor
from local.warehouse.errors import ApiError, invalid_query, not_found, unsupported
from local.warehouse.lookup import catalog_ref
from local.warehouse.relations import create_table, delete_table, widen
from local.warehouse.sql import AlterDetails, CreateDetails, DropDetails, SchemaDetails, Statement, TableOptions
from local.warehouse.types import Field, from_sql_type, quote
from local.warehouse.writes import Target, write_rows

Values = dict[str, Any] | None


def run(cursor: Cursor, statement: Statement, values: Values) -> Table | None:
    """Run one DDL statement; gives the table it made or changed."""
    details = statement.details
    if isinstance(details, SchemaDetails):
        _schema(cursor, statement.kind, details)
        return None
    if statement.table_written is None:
        raise unsupported(f"Statement {statement.kind}", "use the statements in BigQuery's DDL for tables")
    ref = catalog_ref(statement.table_written)
    if isinstance(details, CreateDetails):
        return _create(cursor, ref, statement, details, values)
    if isinstance(details, DropDetails):
        return _drop(cursor, ref, statement.kind, details)
    if isinstance(details, AlterDetails):
        return _alter(cursor, ref, details)
    raise unsupported(f"Statement {statement.kind}", "use the statements in BigQuery's DDL for tables")


def option_body(options: TableOptions) -> dict[str, Any]:
    """OPTIONS(…) as the REST resource's properties."""
    body: dict[str, Any] = {"description": options.description, "friendlyName": options.friendly_name}
    if options.labels is not None:
        body["labels"] = dict(options.labels)
    if options.require_partition_filter is not None:
        body["requirePartitionFilter"] = options.require_partition_filter
    if options.expiration_timestamp is not None:
        moment = dt.datetime.fromisoformat(options.expiration_timestamp.removesuffix(" UTC"))
        moment = moment.replace(tzinfo=dt.UTC) if moment.tzinfo is None else moment
        body["expirationTime"] = str(int(moment.timestamp() * 1000))
    return {key: value for key, value in body.items() if value is not None}


def table_body(details: CreateDetails, schema: tuple[Field, ...]) -> dict[str, Any]:
    """A CREATE TABLE as the REST resource."""
    body: dict[str, Any] = {**option_body(details.options), "schema": {"fields": [item.to_api() for item in schema]}}
    if details.partition_column is not None:
        body["timePartitioning"] = {"type": details.partition_granularity or "DAY", "field": details.partition_column}
        if details.options.partition_expiration_days is not None:
            body["timePartitioning"]["expirationMs"] = str(int(details.options.partition_expiration_days * 86_400_000))
    if details.clustering:
        body["clustering"] = {"fields": list(details.clustering)}
    return body


def _create(cursor: Cursor, ref: TableRef, statement: Statement, details: CreateDetails, values: Values) -> Table:
    old = catalog.find_table(cursor, ref)
    if old is not None and details.if_not_exists:
        return old
    if old is not None and details.or_replace:
        delete_table(cursor, old)
    schema = tuple(
        from_sql_type(each.name, each.type, required=each.required, description=each.description)
        for each in details.columns or statement.output
    )
    if statement.kind == "CREATE_VIEW":
        body = {**option_body(details.options), "view": {"query": details.query_sql or "", "useLegacySql": False}}
        return create_table(cursor, ref, body, lambda _cursor, _ref, _query: schema)
    table = create_table(cursor, ref, table_body(details, schema))
    if statement.kind == "CREATE_TABLE_AS_SELECT":
        table, _rows = write_rows(cursor, Target(ref, schema), statement.duckdb_sql, values)
    return table


def _drop(cursor: Cursor, ref: TableRef, kind: str, details: DropDetails) -> Table | None:
    table = catalog.find_table(cursor, ref)
    if table is None:
        if details.if_exists:
            return None
        raise not_found("Table", ref.label)
    if table.is_view != (kind == "DROP_VIEW"):
        raise invalid_query(
            f"{ref.label} is a {'VIEW' if table.is_view else 'TABLE'}; {kind.replace('_', ' ')} is for the other"
        )
    delete_table(cursor, table)
    return table


def _alter(cursor: Cursor, ref: TableRef, details: AlterDetails) -> Table | None:
    table = catalog.find_table(cursor, ref)
    if table is None:
        if details.if_exists:
            return None
        raise not_found("Table", ref.label)
    body = {**table.body, **(option_body(details.options) if details.options else {})}
    schema = _without(cursor, table, details)
    for column in details.add_columns:
        if any(item.name.lower() == column.name.lower() for item in schema):
            if details.add_if_not_exists:
                continue
            raise invalid_query(f"Column already exists: {column.name}")
        item = from_sql_type(column.name, column.type, required=column.required, description=column.description)
        table = catalog.save_table(cursor, table, {**body, "schema": {"fields": [each.to_api() for each in schema]}})
        schema = widen(cursor, table, (*schema, item))
    return catalog.save_table(cursor, table, {**body, "schema": {"fields": [item.to_api() for item in schema]}})


def _without(cursor: Cursor, table: Table, details: AlterDetails) -> tuple[Field, ...]:
    """Drop columns; gives the schema that is left."""
    schema = table.schema
    bound = [table.partition_column, *((table.body.get("clustering") or {}).get("fields") or [])]
    for name in details.drop_columns:
        column = table.column(name)
        if column is None:
            if details.drop_if_exists:
                continue
            raise invalid_query(f"Column not found: {name}")
        if column.name.lower() in {each.lower() for each in bound if each}:
            raise invalid_query(f"Column {name} cuts or orders the table and can not be dropped")
        cursor.execute(f"ALTER TABLE {table.ref.physical} DROP COLUMN {quote(column.name)}")
        schema = tuple(item for item in schema if item.name != column.name)
    return schema


def _schema(cursor: Cursor, kind: str, details: SchemaDetails) -> None:
    if kind == "CREATE_SCHEMA":
        try:
            catalog.create_dataset(cursor, details.project, details.dataset, option_body(details.options))
        except ApiError as error:
            if error.reason != "duplicate" or not details.if_not_exists:
                raise
        return
    try:
        catalog.delete_dataset(cursor, details.project, details.dataset, contents=details.cascade)
    except ApiError as error:
        if error.reason != "notFound" or not details.if_exists:
            raise
