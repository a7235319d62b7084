"""tables.* and tabledata.* of the REST API."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from local.warehouse import catalog, relations
from local.warehouse.calls import Call
from local.warehouse.catalog import TableRef
from local.warehouse.errors import invalid, not_found, unsupported
from local.warehouse.http_datasets import strip_changes
from local.warehouse.pages import BLOCK, page_body
from local.warehouse.types import Field, quote
from local.warehouse.values import encode_rows

ANONYMOUS = "_results"
LISTED = ("kind", "id", "tableReference", "type", "labels", "timePartitioning", "clustering", "creationTime", "view")


def insert(call: Call) -> dict[str, Any]:
    """Create a table or view."""
    name = str((call.body.get("tableReference") or {}).get("tableId") or "")
    if not name or "$" in name:
        raise invalid("Required parameter is missing: tableReference.tableId")
    ref = TableRef(call.project, call.names["dataset"], name)
    with call.warehouse.engine.writing() as cursor:
        table = relations.create_table(cursor, ref, call.body, call.warehouse.queries.make_view)
        return relations.render_table(cursor, table, call.warehouse.statistics)


def get(call: Call) -> dict[str, Any]:
    """One table."""
    if call.names["dataset"] == ANONYMOUS:
        return _result_table(call)
    with call.warehouse.engine.reading() as cursor:
        table = catalog.get_table(cursor, call.table)
        return relations.render_table(cursor, table, call.warehouse.statistics)


def listing(call: Call) -> dict[str, Any]:
    """The tables of a dataset."""
    with call.warehouse.engine.reading() as cursor:
        catalog.dataset_body(cursor, call.project, call.names["dataset"])
        tables = catalog.list_tables(cursor, call.project, call.names["dataset"])
        page, token = call.page(tables)
        found = []
        for table in page:
            kind = "VIEW" if table.is_view else "TABLE"
            body = {**table.body, "kind": "bigquery#table", "id": table.ref.label, "type": kind}
            found.append({key: body[key] for key in LISTED if key in body})
    return {"kind": "bigquery#tableList", "tables": found, "totalItems": len(tables), **token}


def _save(call: Call, *, patch: bool) -> dict[str, Any]:
    with call.warehouse.engine.writing() as cursor:
        table = catalog.get_table(cursor, call.table)
        relations.require_match(call.if_match, relations.etag_of(table.body, table.version))
        body = relations.merge(table.body, strip_changes(call.body)) if patch else call.body
        table = relations.update_table(cursor, table, body, call.warehouse.queries.make_view)
        return relations.render_table(cursor, table, call.warehouse.statistics)


def patch(call: Call) -> dict[str, Any]:
    """Change some properties of a table."""
    return _save(call, patch=True)


def update(call: Call) -> dict[str, Any]:
    """Replace the properties of a table."""
    return _save(call, patch=False)


def delete(call: Call) -> None:
    """Drop a table or view."""
    with call.warehouse.engine.writing() as cursor:
        relations.delete_table(cursor, catalog.get_table(cursor, call.table))


def rows(call: Call) -> dict[str, Any]:
    """tabledata.list: a table's rows in the order in which they were written."""
    start = call.number("pageToken", call.number("startIndex", 0))
    limit = call.number("maxResults", BLOCK)
    int64 = int64_timestamps(call)
    if call.names["dataset"] == ANONYMOUS:
        return _result_rows(call, start, limit, int64=int64)
    return table_rows(call, call.table, (start, limit), int64=int64)


def table_rows(call: Call, ref: TableRef, page: tuple[int, int], *, int64: bool) -> dict[str, Any]:
    """One page of a stored table."""
    start, limit = page
    with call.warehouse.engine.reading() as cursor:
        table = catalog.get_table(cursor, ref)
        if table.is_view:
            raise invalid(f"Cannot list a table of type VIEW: {table.ref.label}")
        schema = _selected(table.schema, call.query.get("selectedFields"))
        total = call.warehouse.statistics.size(cursor, table, frozenset()).rows
        names = ", ".join(quote(item.name) for item in schema)
        query = f"SELECT {names} FROM {table.ref.physical} ORDER BY rowid LIMIT ? OFFSET ?"  # noqa: S608
        found = cursor.execute(query, [min(limit, BLOCK), start]).fetchall()
        body = page_body(encode_rows(schema, found), schema, int64_timestamps=int64)
    answer = _page(body, start, total, relations.etag_of(table.body, table.version))
    if limit == 0 and total > start:
        answer["pageToken"] = str(start)
    return answer


def _selected(schema: tuple[Field, ...], wanted: str | None) -> tuple[Field, ...]:
    if not wanted:
        return schema
    names = [name.strip().lower() for name in wanted.split(",")]
    found = tuple(item for item in schema if item.name.lower() in names)
    if len(found) != len(names):
        raise unsupported(f"selectedFields {wanted}", "name whole columns that exist")
    return found


def _result_table(call: Call) -> dict[str, Any]:
    result = call.warehouse.results.get(call.names["table"])
    if result is None:
        raise not_found("Table", call.table.label)
    schema = {"fields": [item.to_api() for item in result.schema]}
    named = {"id": call.table.label, "tableReference": call.table.to_api()}
    return {"kind": "bigquery#table", **named, "type": "TABLE", "schema": schema, "numRows": str(result.total)}


def _result_rows(call: Call, start: int, limit: int, *, int64: bool) -> dict[str, Any]:
    result = call.warehouse.results.get(call.names["table"])
    if result is None:
        raise not_found("Table", call.table.label)
    body = page_body(result.rows(start, limit), result.schema, int64_timestamps=int64)
    return _page(body, start, result.total, call.names["table"])


def _page(body: list[dict[str, Any]], start: int, total: int, etag: str) -> dict[str, Any]:
    end = start + len(body)
    token = {"pageToken": str(end)} if body and end < total else {}
    return {"kind": "bigquery#tableDataList", "etag": etag, "totalRows": str(total), "rows": body, **token}


def int64_timestamps(call: Call) -> bool:
    """How the client wants its timestamps."""
    if call.query.get("formatOptions.timestampOutputFormat") not in (None, "", "INT64", "FLOAT64"):
        raise unsupported("formatOptions.timestampOutputFormat", "use formatOptions.useInt64Timestamp")
    return call.flag("formatOptions.useInt64Timestamp")


def insert_all(call: Call) -> None:
    """tabledata.insertAll: a streaming buffer has rules of its own, which are not here."""
    raise unsupported(
        f"tabledata.insertAll into {call.table.label}", "use load jobs (load_table_from_json, load_table_from_uri)"
    )


ROUTES: list[tuple[str, str, Callable[[Call], dict[str, Any] | None]]] = [
    ("POST", "/{project}/datasets/{dataset}/tables", insert),
    ("GET", "/{project}/datasets/{dataset}/tables", listing),
    ("GET", "/{project}/datasets/{dataset}/tables/{table}", get),
    ("PATCH", "/{project}/datasets/{dataset}/tables/{table}", patch),
    ("PUT", "/{project}/datasets/{dataset}/tables/{table}", update),
    ("DELETE", "/{project}/datasets/{dataset}/tables/{table}", delete),
    ("GET", "/{project}/datasets/{dataset}/tables/{table}/data", rows),
    ("POST", "/{project}/datasets/{dataset}/tables/{table}/insertAll", insert_all),
]
