"""jobs.* of the REST API: insert, query, results, get, list, cancel, delete."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Awaitable, Callable
from typing import Any

import anyio
from anyio import to_thread

from local.warehouse import catalog
from local.warehouse.calls import Call
from local.warehouse.catalog import TableRef
from local.warehouse.errors import CODE_OF_REASON, ApiError, not_found, unsupported
from local.warehouse.http_tables import ANONYMOUS, int64_timestamps, table_rows
from local.warehouse.jobs import Job, new_job
from local.warehouse.pages import PAGE_ROWS, page_body
from local.warehouse.reports import schema_body

AsyncHandler = Callable[[Call, anyio.CapacityLimiter], Awaitable[dict[str, Any]]]
QUICK_SECONDS = 0.3
LOAD_SECONDS = 2.0
WAIT_MS = 10_000
MULTI_REGIONS = ("eu", "us")
QUERY_KEYS = frozenset(
    {"kind", "query", "dryRun", "labels", "location", "requestId", "jobTimeoutMs", "timeoutMs", "maxResults",
     "formatOptions", "jobCreationMode", "useInt64Timestamp"}
)  # fmt: skip


def create(call: Call, reference: dict[str, Any], configuration: dict[str, Any]) -> Job:
    """Start a job; queries that name no destination get an anonymous one."""
    job = new_job(call.project, reference, configuration)
    query = job.body["configuration"].get("query")
    if query is not None and not query.get("destinationTable") and not configuration.get("dryRun"):
        job.body["anonymous"] = True
        table = {"projectId": call.project, "datasetId": ANONYMOUS, "tableId": job.key}
        job.body["configuration"]["query"] = {**query, "destinationTable": table}
    call.warehouse.start(job)
    return job


async def wait(job: Job, seconds: float) -> None:
    """Until a job ends, or the time is up."""
    if not job.done and seconds > 0:
        await asyncio.wait([asyncio.wrap_future(job.finished)], timeout=seconds)


async def insert(call: Call, limiter: anyio.CapacityLimiter) -> dict[str, Any]:
    """jobs.insert; waits a moment, because clients poll a running job only every second."""
    configuration = dict(call.body.get("configuration") or {})
    reference = dict(call.body.get("jobReference") or {})
    job = await to_thread.run_sync(create, call, reference, configuration, limiter=limiter)
    await wait(job, QUICK_SECONDS if "query" in configuration else LOAD_SECONDS)
    return job.resource()


async def query(call: Call, limiter: anyio.CapacityLimiter) -> dict[str, Any]:
    """jobs.query: insert, wait, first page."""
    body = call.body
    request_id = body.get("requestId")
    shared = {key: body[key] for key in ("dryRun", "labels", "jobTimeoutMs") if body.get(key)}
    config = {key: value for key, value in body.items() if key not in QUERY_KEYS}
    configuration = {**shared, "query": {"useLegacySql": True, **config, "query": body.get("query")}}
    name = f"job_{uuid.uuid5(uuid.NAMESPACE_OID, str(request_id)).hex}" if request_id else None
    reference = {"jobId": name, "location": body.get("location")}
    try:
        job = await to_thread.run_sync(create, call, reference, configuration, limiter=limiter)
    except ApiError as error:
        if error.reason != "duplicate":
            raise
        job = call.warehouse.jobs.get(call.project, str(name))
    await wait(job, int(body.get("timeoutMs") or WAIT_MS) / 1000)
    int64 = bool((body.get("formatOptions") or {}).get("useInt64Timestamp"))
    page = (0, int(body.get("maxResults") or PAGE_ROWS))
    answer = await to_thread.run_sync(lambda: results(call, job, page, int64=int64), limiter=limiter)
    return {**answer, "kind": "bigquery#queryResponse"}


async def get_results(call: Call, limiter: anyio.CapacityLimiter) -> dict[str, Any]:
    """jobs.getQueryResults: wait, then one page."""
    job = await to_thread.run_sync(named, call, limiter=limiter)
    if job.body["configuration"]["jobType"] != "QUERY":
        raise ApiError(400, "invalid", f"Job {job.body['id']} is not a query")
    await wait(job, call.number("timeoutMs", WAIT_MS) / 1000)
    start = call.number("pageToken", call.number("startIndex", 0))
    page = (start, call.number("maxResults", PAGE_ROWS))
    int64 = int64_timestamps(call)
    return await to_thread.run_sync(lambda: results(call, job, page, int64=int64), limiter=limiter)


def results(call: Call, job: Job, page: tuple[int, int], *, int64: bool) -> dict[str, Any]:
    """A query's state and one page of its rows."""
    body: dict[str, Any] = {
        "kind": "bigquery#getQueryResultsResponse",
        "jobReference": job.body["jobReference"],
        "jobComplete": job.done,
        "cacheHit": False,
    }
    if not job.done:
        return body
    if job.error is not None:
        code = CODE_OF_REASON.get(job.error["reason"], 400)
        raise ApiError(code, job.error["reason"], job.error["message"], job.error.get("location"))
    statistics = job.body["statistics"].get("query") or {}
    body["totalBytesProcessed"] = job.body["statistics"].get("totalBytesProcessed", "0")
    for key in ("numDmlAffectedRows", "dmlStats", "statementType", "totalSlotMs"):
        if key in statistics:
            body[key] = statistics[key]
    if job.body["configuration"].get("dryRun"):
        return {**body, "schema": statistics.get("schema"), "totalRows": "0"}
    return {**body, **rows(call, job, page, int64=int64)}


def rows(call: Call, job: Job, page: tuple[int, int], *, int64: bool) -> dict[str, Any]:
    """The rows of a finished query: kept results, or nothing for DML and DDL."""
    result = call.warehouse.results.get(job.key)
    if result is None:
        kind = (job.body["statistics"].get("query") or {}).get("statementType")
        if kind == "SELECT" and job.body.get("anonymous"):
            raise ApiError(404, "notFound", f"The rows of job {job.body['id']} are no longer kept; run the query again")
        if kind == "SELECT":
            return destination_rows(call, job, page, int64=int64)
        return {"totalRows": "0", "schema": {"fields": []}}
    start, limit = page
    found = result.rows(start, limit)
    end = start + len(found)
    body: dict[str, Any] = {"totalRows": str(result.total), "schema": schema_body(result.schema), "etag": job.key}
    if limit:
        body["rows"] = page_body(found, result.schema, int64_timestamps=int64)
    if end < result.total and (found or not limit):
        body["pageToken"] = str(end)
    return body


def destination_rows(call: Call, job: Job, page: tuple[int, int], *, int64: bool) -> dict[str, Any]:
    """The rows of a query that went to a table, read from there."""
    named = job.config("query")["destinationTable"]
    ref = TableRef(named.get("projectId") or job.project, named["datasetId"], named["tableId"].partition("$")[0])
    with call.warehouse.engine.reading() as cursor:
        schema = catalog.get_table(cursor, ref).schema
    body = table_rows(call, ref, page, int64=int64)
    return {**body, "schema": schema_body(schema)}


def named(call: Call) -> Job:
    """The job of the path: by its id alone in the multi-regions, elsewhere only with its location."""
    job = call.warehouse.jobs.get(call.project, call.names["job"])
    place, asked = str(job.body["jobReference"]["location"]).lower(), call.query.get("location", "").lower()
    if asked not in (("", place) if place in MULTI_REGIONS else (place,)):
        raise not_found("Job", f"{job.project}:{job.job_id}")
    return job


def get(call: Call) -> dict[str, Any]:
    """One job."""
    return named(call).resource()


def listing(call: Call) -> dict[str, Any]:
    """The jobs of a project, newest first."""
    if call.query.get("stateFilter", "").lower() not in ("", "done", "running", "pending"):
        raise unsupported(f"stateFilter {call.query['stateFilter']}", "use done, running or pending")
    jobs, token = call.warehouse.jobs.listing(call.project, call.query)
    return {"kind": "bigquery#jobList", "jobs": jobs, **({"nextPageToken": token} if token else {})}


def cancel(call: Call) -> dict[str, Any]:
    """Ask a job to stop."""
    job = named(call)
    call.warehouse.cancel(job)
    return {"kind": "bigquery#jobCancelResponse", "job": job.resource()}


def delete(call: Call) -> None:
    """Forget a job."""
    call.warehouse.jobs.delete(call.project, call.names["job"])


ROUTES: list[tuple[str, str, Callable[[Call], dict[str, Any] | None]]] = [
    ("GET", "/{project}/jobs", listing),
    ("GET", "/{project}/jobs/{job}", get),
    ("POST", "/{project}/jobs/{job}/cancel", cancel),
    ("DELETE", "/{project}/jobs/{job}/delete", delete),
]
WAITING_ROUTES: list[tuple[str, str, AsyncHandler]] = [
    ("POST", "/{project}/jobs", insert),
    ("POST", "/{project}/queries", query),
    ("GET", "/{project}/queries/{job}", get_results),
]
