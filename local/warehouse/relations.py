"""Operations on datasets and tables as the REST API words them: checks, defaults, resources."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from local.warehouse import catalog
from local.warehouse.catalog import Table, TableRef, now_ms
from local.warehouse.engine import Cursor
from local.warehouse.errors import ApiError, invalid, unsupported
from local.warehouse.stats import Statistics
from local.warehouse.types import Field, duckdb_type, parse_schema, quote

Body = dict[str, Any]
ViewMaker = Callable[[Cursor, TableRef, str], tuple[Field, ...]]

OUTPUT_ONLY = frozenset(
    {
        "kind",
        "etag",
        "id",
        "selfLink",
        "numRows",
        "numBytes",
        "numLongTermBytes",
        "creationTime",
        "lastModifiedTime",
        "type",
    }
)
TABLE_REFUSED = {
    "externalDataConfiguration": "load the files with a load job",
    "rangePartitioning": "partition by DAY on a DATE column",
    "materializedView": "use a view, or a table that a job rebuilds",
    "snapshotDefinition": "use a copy job",
    "cloneDefinition": "use a copy job",
    "biglakeConfiguration": "use an ordinary table",
}


def etag_of(body: Body, version: int = 0) -> str:
    """A tag that changes whenever the resource does."""
    return hashlib.sha256(json.dumps([body, version], sort_keys=True).encode()).hexdigest()[:22]


def require_match(wanted: str | None, etag: str) -> None:
    """Refuse an update made from a resource that has changed since."""
    if wanted not in (None, "*", etag):
        raise ApiError(412, "conditionNotMet", "Precondition check failed.")


def merge(old: Body, changes: Body) -> Body:
    """JSON merge patch: null deletes, objects merge, the rest replaces."""
    merged = dict(old)
    for key, value in changes.items():
        if value is None:
            merged.pop(key, None)
        elif isinstance(value, dict) and isinstance(merged.get(key), dict):
            merged[key] = merge(merged[key], value)
        else:
            merged[key] = value
    return merged


def strip(body: Body) -> Body:
    """A resource without what the server itself decides."""
    return {key: value for key, value in body.items() if key not in OUTPUT_ONLY and value is not None}


def render_dataset(project: str, name: str, body: Body) -> Body:
    """A dataset as the API answers it."""
    return {
        "location": "EU",
        **body,
        "kind": "bigquery#dataset",
        "id": f"{project}:{name}",
        "datasetReference": {"projectId": project, "datasetId": name},
        "type": "DEFAULT",
        "etag": etag_of(body),
        "access": body.get("access") or [],
    }


def check_partitioning(schema: tuple[Field, ...], body: Body) -> None:
    """Only days of an explicit column can be pruned the same way here and there."""
    spec = body.get("timePartitioning")
    if not spec:
        if body.get("requirePartitionFilter"):
            raise invalid("require_partition_filter can only be set for partitioned tables")
        return
    if str(spec.get("type", "DAY")).upper() != "DAY" or not spec.get("field"):
        raise unsupported("Partitioning other than by DAY on a column", "set timePartitioning.type DAY and .field")
    column = next((item for item in schema if item.name.lower() == spec["field"].lower()), None)
    if column is None:
        raise invalid(f"The field specified for partitioning cannot be found in the schema: {spec['field']}")
    if column.type not in ("DATE", "TIMESTAMP") or column.mode == "REPEATED":
        raise invalid(f"The field specified for partitioning must be DATE or TIMESTAMP: {spec['field']}")


def check_table(schema: tuple[Field, ...], body: Body) -> None:
    """Refuse table features that this stand-in does not keep."""
    for key, instead in TABLE_REFUSED.items():
        if body.get(key):
            raise unsupported(key, instead)
    check_partitioning(schema, body)
    names = {item.name.lower() for item in schema}
    for column in (body.get("clustering") or {}).get("fields") or []:
        if column.lower() not in names:
            raise invalid(f"The field specified for clustering cannot be found in the schema: {column}")


def defaults(cursor: Cursor, ref: TableRef, body: Body) -> Body:
    """A new table's body with what its dataset decides for it."""
    dataset = catalog.dataset_body(cursor, ref.project, ref.dataset)
    lifetime = dataset.get("defaultTableExpirationMs")
    if lifetime and not body.get("expirationTime"):
        body = {**body, "expirationTime": str(now_ms() + int(lifetime))}
    return body


def create_table(cursor: Cursor, ref: TableRef, body: Body, make_view: ViewMaker | None = None) -> Table:
    """Make a table, or a view, which is only a record: its query is translated wherever it is used."""
    catalog.require_free(cursor, ref)
    body = defaults(cursor, ref, {**strip(body), "tableReference": ref.to_api()})
    if body.get("view"):
        if make_view is None or body["view"].get("useLegacySql", False):
            raise unsupported("Legacy SQL in a view", "set view.useLegacySql to false")
        schema = make_view(cursor, ref, str(body["view"].get("query", "")))
        body = {**body, "schema": {"fields": [item.to_api() for item in schema]}}
        return catalog.record_table(cursor, ref, body)
    schema = parse_schema((body.get("schema") or {}).get("fields") or [])
    check_table(schema, body)
    if not schema:
        raise unsupported("A table without a schema", "give at least one field")
    cursor.execute(f"CREATE TABLE {ref.physical} ({catalog.column_definitions(schema)})")
    return catalog.record_table(cursor, ref, {**body, "schema": {"fields": [item.to_api() for item in schema]}})


def widen(cursor: Cursor, table: Table, new: tuple[Field, ...]) -> tuple[Field, ...]:
    """Apply a new schema to a table: columns may be added and relaxed, never dropped or retyped."""
    mismatch = f"Provided Schema does not match Table {table.ref.label}."
    for old in table.schema:
        item = next((each for each in new if each.name.lower() == old.name.lower()), None)
        if item is None or (item.type, item.fields) != (old.type, old.fields):
            what = "missing in new schema" if item is None else "has changed type"
            raise invalid(f"{mismatch} Field {old.name} {what}")
        if item.mode != old.mode:
            if (old.mode, item.mode) != ("REQUIRED", "NULLABLE"):
                raise invalid(f"{mismatch} Field {old.name} has changed mode")
            cursor.execute(f"ALTER TABLE {table.ref.physical} ALTER COLUMN {quote(old.name)} DROP NOT NULL")
    for item in new:
        if table.column(item.name) is not None:
            continue
        if item.mode == "REQUIRED":
            raise invalid(f"{mismatch} Cannot add required field {item.name}")
        cursor.execute(f"ALTER TABLE {table.ref.physical} ADD COLUMN {quote(item.name)} {duckdb_type(item)}")
    order = {each.name.lower(): position for position, each in enumerate(table.schema)}
    return tuple(sorted(new, key=lambda item: order.get(item.name.lower(), len(order))))


def described(schema: tuple[Field, ...], given: tuple[Field, ...]) -> tuple[Field, ...]:
    """A view's columns with the descriptions that someone gave them."""
    texts = {item.name.lower(): item.description for item in given}
    return tuple(replace(item, description=texts.get(item.name.lower())) for item in schema)


def update_table(cursor: Cursor, table: Table, body: Body, make_view: ViewMaker) -> Table:
    """Replace a table's metadata, altering the table where the schema asks for it."""
    body = strip(body)
    body["creationTime"] = table.body["creationTime"]
    body["tableReference"] = table.ref.to_api()
    if table.is_view:
        schema = make_view(cursor, table.ref, str((body.get("view") or {}).get("query", "")))
        schema = described(schema, parse_schema((body.get("schema") or {}).get("fields") or []))
    else:
        new = parse_schema((body.get("schema") or {}).get("fields") or []) or table.schema
        old_spec = table.body.get("timePartitioning") or {}
        if (body.get("timePartitioning") or {}).get("field") != old_spec.get("field"):
            raise invalid("Cannot change partitioning spec for a partitioned/clustered table.")
        check_table(new, body)
        schema = widen(cursor, table, new) if new != table.schema else new
    return catalog.save_table(cursor, table, {**body, "schema": {"fields": [item.to_api() for item in schema]}})


def delete_table(cursor: Cursor, table: Table) -> None:
    """Drop a table or view."""
    if not table.is_view:
        catalog.drop_physical(cursor, table.ref)
    catalog.forget_table(cursor, table.ref)


def render_table(cursor: Cursor, table: Table, statistics: Statistics) -> Body:
    """A table as the API answers it, with its size."""
    size = statistics.size(cursor, table)
    body = {
        "location": "EU",
        **table.body,
        "kind": "bigquery#table",
        "id": table.ref.label,
        "type": "VIEW" if table.is_view else "TABLE",
        "etag": etag_of(table.body, table.version),
        "numRows": str(size.rows),
        "numBytes": str(size.bytes),
        "numLongTermBytes": "0",
    }
    return {**body, "requirePartitionFilter": True} if table.requires_filter else body
