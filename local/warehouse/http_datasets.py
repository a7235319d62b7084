"""datasets.* of the REST API, and projects.list."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from local.warehouse import catalog
from local.warehouse.calls import Call
from local.warehouse.errors import invalid
from local.warehouse.relations import etag_of, merge, render_dataset, require_match, strip


def insert(call: Call) -> dict[str, Any]:
    """Create a dataset."""
    name = str((call.body.get("datasetReference") or {}).get("datasetId") or "")
    if not name:
        raise invalid("Required parameter is missing: datasetReference.datasetId")
    with call.warehouse.engine.writing() as cursor:
        catalog.create_dataset(cursor, call.project, name, strip(call.body))
        return render_dataset(call.project, name, catalog.dataset_body(cursor, call.project, name))


def get(call: Call) -> dict[str, Any]:
    """One dataset."""
    name = call.names["dataset"]
    with call.warehouse.engine.reading() as cursor:
        return render_dataset(call.project, name, catalog.dataset_body(cursor, call.project, name))


def projects(call: Call) -> dict[str, Any]:
    """The projects that have datasets."""
    with call.warehouse.engine.reading() as cursor:
        rows = cursor.execute("SELECT DISTINCT project FROM _bq.dataset ORDER BY 1").fetchall()
    found = [{"kind": "bigquery#project", "id": name, "projectReference": {"projectId": name}} for (name,) in rows]
    page, token = call.page(found)
    return {"kind": "bigquery#projectList", "projects": page, "totalItems": len(found), **token}


def listing(call: Call) -> dict[str, Any]:
    """The datasets of a project."""
    wanted = [each.removeprefix("labels.").split(":", 1) for each in call.query.get("filter", "").split()]
    found = []
    with call.warehouse.engine.reading() as cursor:
        for name in catalog.dataset_names(cursor, call.project):
            body = render_dataset(call.project, name, catalog.dataset_body(cursor, call.project, name))
            labels = body.get("labels") or {}
            if all(key in labels and (not value or labels[key] == value[0]) for key, *value in wanted):
                found.append({key: body[key] for key in LISTED if key in body})
    page, token = call.page(found)
    return {"kind": "bigquery#datasetList", "datasets": page, **token}


LISTED = ("kind", "id", "datasetReference", "labels", "friendlyName", "location")


def _save(call: Call, *, patch: bool) -> dict[str, Any]:
    name = call.names["dataset"]
    with call.warehouse.engine.writing() as cursor:
        old = catalog.dataset_body(cursor, call.project, name)
        require_match(call.if_match, etag_of(old))
        kept = {"creationTime": old["creationTime"]}
        body = merge(old, strip_changes(call.body)) if patch else {**strip(call.body), **kept}
        catalog.save_dataset(cursor, call.project, name, body)
        return render_dataset(call.project, name, catalog.dataset_body(cursor, call.project, name))


def strip_changes(body: dict[str, Any]) -> dict[str, Any]:
    """A patch without what the server decides; its nulls stay, they delete."""
    return {key: value for key, value in body.items() if value is None or key in strip({key: value})}


def patch(call: Call) -> dict[str, Any]:
    """Change some properties of a dataset."""
    return _save(call, patch=True)


def update(call: Call) -> dict[str, Any]:
    """Replace the properties of a dataset."""
    return _save(call, patch=False)


def delete(call: Call) -> None:
    """Drop a dataset."""
    with call.warehouse.engine.writing() as cursor:
        catalog.delete_dataset(cursor, call.project, call.names["dataset"], contents=call.flag("deleteContents"))


ROUTES: list[tuple[str, str, Callable[[Call], dict[str, Any] | None]]] = [
    ("POST", "/{project}/datasets", insert),
    ("GET", "/{project}/datasets", listing),
    ("GET", "/{project}/datasets/{dataset}", get),
    ("PATCH", "/{project}/datasets/{dataset}", patch),
    ("PUT", "/{project}/datasets/{dataset}", update),
    ("DELETE", "/{project}/datasets/{dataset}", delete),
]
