"""The discovery document from which the `bq` command learns what may be called: what is served here, nothing else."""

from __future__ import annotations

from typing import Any

QUERY = {
    **dict.fromkeys(("all", "allUsers", "deleteContents", "autodetect_schema"), "boolean"),
    **dict.fromkeys(("maxResults", "timeoutMs"), "integer"),
    **dict.fromkeys(
        ("filter", "pageToken", "startIndex", "selectedFields", "view", "projection", "parentJobId", "location",
         "minCreationTime", "maxCreationTime", "datasetView", "accessPolicyVersion", "updateMode", "uploadType"),
        "string",
    ),
    "stateFilter": "string",
    "formatOptions.useInt64Timestamp": "boolean",
    "formatOptions.timestampOutputFormat": "string",
}  # fmt: skip
DATASETS = "projects/{+projectId}/datasets"
DATASET = DATASETS + "/{+datasetId}"
TABLES = DATASET + "/tables"
TABLE = TABLES + "/{+tableId}"
JOBS = "projects/{+projectId}/jobs"
METHODS = {
    "datasets": {
        "list": ("GET", DATASETS),
        "insert": ("POST", DATASETS),
        "get": ("GET", DATASET),
        "patch": ("PATCH", DATASET),
        "update": ("PUT", DATASET),
        "delete": ("DELETE", DATASET),
    },
    "tables": {
        "list": ("GET", TABLES),
        "insert": ("POST", TABLES),
        "get": ("GET", TABLE),
        "patch": ("PATCH", TABLE),
        "update": ("PUT", TABLE),
        "delete": ("DELETE", TABLE),
    },
    "tabledata": {"list": ("GET", TABLE + "/data"), "insertAll": ("POST", TABLE + "/insertAll")},
    "jobs": {
        "list": ("GET", JOBS),
        "insert": ("POST", JOBS),
        "get": ("GET", JOBS + "/{+jobId}"),
        "cancel": ("POST", JOBS + "/{+jobId}/cancel"),
        "delete": ("DELETE", JOBS + "/{+jobId}/delete"),
        "query": ("POST", "projects/{+projectId}/queries"),
        "getQueryResults": ("GET", "projects/{+projectId}/queries/{+jobId}"),
    },
    "projects": {"list": ("GET", "projects")},
    "models": {"list": ("GET", DATASET + "/models")},
    "routines": {"list": ("GET", DATASET + "/routines")},
}
UPLOAD = "/upload/bigquery/v2/projects/{+projectId}/jobs"


def document(root: str) -> dict[str, Any]:
    """The document for a server at a root URL."""
    resources = {
        name: {"methods": {verb: _method(f"bigquery.{name}.{verb}", *call) for verb, call in methods.items()}}
        for name, methods in METHODS.items()
    }
    protocols = {kind: {"multipart": True, "path": UPLOAD} for kind in ("simple", "resumable")}
    resources["jobs"]["methods"]["insert"] |= {
        "supportsMediaUpload": True,
        "mediaUpload": {"accept": ["*/*"], "protocols": protocols},
    }
    return {
        "kind": "discovery#restDescription",
        "id": "bigquery:v2",
        "name": "bigquery",
        "version": "v2",
        "protocol": "rest",
        "rootUrl": root,
        "servicePath": "bigquery/v2/",
        "basePath": "/bigquery/v2/",
        "baseUrl": root + "bigquery/v2/",
        "batchPath": "batch/bigquery/v2",
        "parameters": {"prettyPrint": {"type": "boolean", "location": "query"}},
        "schemas": {"Any": {"id": "Any", "type": "object"}},
        "resources": resources,
    }


def _method(name: str, http: str, path: str) -> dict[str, Any]:
    order = [part.strip("{+}") for part in path.split("/") if part.startswith("{")]
    parameters: dict[str, Any] = {each: {"type": "string", "required": True, "location": "path"} for each in order}
    parameters |= {each: {"type": kind, "location": "query"} for each, kind in QUERY.items()}
    body: dict[str, Any] = {} if http in ("GET", "DELETE") else {"request": {"$ref": "Any"}}
    method = {"id": name, "path": path, "httpMethod": http, "parameters": parameters, "parameterOrder": order}
    return {**method, **body, "response": {"$ref": "Any"}}
