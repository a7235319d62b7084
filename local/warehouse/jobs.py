"""Jobs: made once under their id, run on threads, kept 180 days as BigQuery does.

A job's record goes RUNNING into the file before it starts, and DONE in the very transaction that holds its effects:
after a crash either both are there or neither, and what still says RUNNING is shown as failed. A query that writes
nothing is only kept in memory and written with others, within a second of its end or when jobs are looked through; a
crash may lose it, as it loses the query's rows.
"""

from __future__ import annotations

import json
import threading
import time
import uuid
from collections import OrderedDict
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any

from local.warehouse.catalog import now_ms
from local.warehouse.engine import Cursor, Engine
from local.warehouse.errors import ApiError, already_exists, invalid, not_found

REMEMBERED = 2_000
KEPT_DAYS = 180
FLUSH_SECONDS = 1.0
INTERRUPTED = ApiError(
    503,
    "backendError",
    "The warehouse stopped while this job ran; nothing of it remains. Run it again under another job id.",
)


@dataclass
class Job:
    """One job; `body` is its REST resource."""

    project: str
    job_id: str
    body: dict[str, Any]
    finished: Future[None] = field(default_factory=Future)
    cursor: Cursor | None = None
    cancelled: bool = False
    clock: float | None = None

    @property
    def done(self) -> bool:
        """Whether it has ended, well or badly, and its effects are there."""
        return self.finished.done()

    @property
    def error(self) -> dict[str, Any] | None:
        """Why it failed."""
        found: dict[str, Any] | None = self.body["status"].get("errorResult")
        return found

    @property
    def key(self) -> str:
        """A name for its files and its anonymous table."""
        return "anon" + uuid.uuid5(uuid.NAMESPACE_OID, f"{self.project}:{self.job_id}").hex

    def config(self, kind: str) -> dict[str, Any]:
        """The configuration of its type."""
        return dict(self.body["configuration"].get(kind) or {})

    def resource(self) -> dict[str, Any]:
        """The job as the API answers it: RUNNING until its transaction is committed."""
        return self.body if self.done else {**self.body, "status": {"state": "RUNNING"}}

    def statistics(self, **values: Any) -> None:
        """Add to its statistics; a mapping is added to the mapping that is there."""
        for name, value in values.items():
            old = self.body["statistics"].get(name)
            self.body["statistics"][name] = {**old, **value} if isinstance(old, dict) else value

    def begin(self) -> None:
        """Start the clock, on the thread that runs the job."""
        self.clock = time.thread_time()

    def end(self, error: ApiError | None = None) -> None:
        """Mark it DONE; the caller saves it. Its slot time is the CPU time of the thread that ran it."""
        status: dict[str, Any] = {"state": "DONE"}
        if error is not None:
            status |= {"errorResult": error.proto(), "errors": [error.proto()]}
        self.body["status"] = status
        self.statistics(endTime=str(now_ms()))
        if self.clock is not None:
            slot = {"totalSlotMs": str(max(1, round((time.thread_time() - self.clock) * 1000)))}
            self.statistics(**slot)
            if self.body["configuration"]["jobType"] == "QUERY":
                self.statistics(query=slot)


def new_job(project: str, reference: dict[str, Any], configuration: dict[str, Any], parent: str | None = None) -> Job:
    """A job that runs from now on, not yet on record."""
    job_id = str(reference.get("jobId") or f"job_{uuid.uuid4().hex}")
    if len(job_id) > 1024 or not job_id.replace("-", "_").replace("_", "a").isalnum():
        raise invalid(f'Invalid job ID "{job_id}": letters, numbers, underscores and dashes, at most 1,024.')
    location = str(reference.get("location") or "EU")
    stamp = str(now_ms())
    statistics: dict[str, Any] = {"creationTime": stamp, "startTime": stamp}
    if parent is not None:
        statistics["parentJobId"] = parent
    kind = next((each for each in ("query", "load", "copy", "extract") if each in configuration), "")
    body = {
        "kind": "bigquery#job",
        "etag": uuid.uuid4().hex,
        "id": f"{project}:{location}.{job_id}",
        "jobReference": {"projectId": project, "jobId": job_id, "location": location},
        "configuration": {**configuration, "jobType": kind.upper()},
        "statistics": statistics,
        "status": {"state": "RUNNING"},
        "user_email": "sluice@localhost",
    }
    return Job(project, job_id, body)


@dataclass(frozen=True)
class Record:
    """A job as it is written down: when it was created, in milliseconds, and its resource."""

    created: int
    text: str


class JobStore:
    """Finds and keeps jobs; the recent ones in memory, all of them in the file."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._recent: OrderedDict[tuple[str, str], Job] = OrderedDict()
        self._lock = threading.Lock()
        self._writing = threading.Lock()
        self._unwritten: dict[tuple[str, str], Record] = {}
        self._timer: threading.Timer | None = None
        self._recover()
        self._known = self._ids()

    def _ids(self) -> set[tuple[str, str]]:
        with self._engine.reading() as cursor:
            return set(cursor.execute("SELECT project, job_id FROM _bq.job").fetchall())

    def _recover(self) -> None:
        """Turn what ran when the last process was killed into failed jobs."""
        with self._engine.writing() as cursor:
            cursor.execute("DELETE FROM _bq.job WHERE created < now() - to_days(?)", [KEPT_DAYS])
            query = 'SELECT project, job_id, body FROM _bq.job WHERE body LIKE \'%"state": "RUNNING"%\''
            for project, job_id, text in cursor.execute(query).fetchall():
                job = Job(project, job_id, json.loads(text))
                job.end(INTERRUPTED)
                self.save(cursor, job)

    def add(self, job: Job, *, lasting: bool = True) -> None:
        """Put a new job on record, in the file if it is a lasting one; its id must be new."""
        key = (job.project, job.job_id)
        record = Record(int(job.body["statistics"]["creationTime"]), json.dumps(job.body))
        with self._lock:
            if key in self._known:
                raise already_exists("Job", job.body["id"])
            self._known.add(key)
            self._remember(job)
            if not lasting:
                self._unwritten[key] = record
        if lasting:
            self._insert({key: record})

    def _insert(self, records: dict[tuple[str, str], Record]) -> None:
        columns = (
            [key[0] for key in records],
            [key[1] for key in records],
            [each.created * 1000 for each in records.values()],
            [each.text for each in records.values()],
        )
        with self._engine.reading() as cursor:
            cursor.execute(
                "INSERT INTO _bq.job SELECT unnest(?::VARCHAR[]), unnest(?::VARCHAR[]), "
                "make_timestamptz(unnest(?::BIGINT[])), unnest(?::VARCHAR[])",
                columns,
            )

    def _remember(self, job: Job) -> None:
        self._recent[job.project, job.job_id] = job
        if len(self._recent) > REMEMBERED:
            oldest = next((key for key, each in self._recent.items() if each.done), None)
            if oldest is not None:
                del self._recent[oldest]

    def save(self, cursor: Cursor, job: Job) -> None:
        """Write a job's present state, in the caller's transaction if there is one."""
        cursor.execute(
            "UPDATE _bq.job SET body = ? WHERE project = ? AND job_id = ?",
            [json.dumps(job.body), job.project, job.job_id],
        )

    def settle(self, job: Job) -> None:
        """Write the end of a job that has no effects, or soon: many at once."""
        key = (job.project, job.job_id)
        with self._writing, self._lock:
            record = self._unwritten.get(key)
            if record is not None:
                self._unwritten[key] = Record(record.created, json.dumps(job.body))
                if self._timer is None:
                    self._timer = threading.Timer(FLUSH_SECONDS, self.flush)
                    self._timer.daemon = True
                    self._timer.start()
        if record is None:
            with self._engine.reading() as cursor:
                self.save(cursor, job)

    def flush(self) -> None:
        """Write down what is only in memory."""
        with self._writing:
            with self._lock:
                records, self._unwritten = self._unwritten, {}
                self._timer = None
            if records:
                self._insert(records)

    def _stored(self, cursor: Cursor, project: str, job_id: str) -> Job | None:
        query = "SELECT body FROM _bq.job WHERE project = ? AND job_id = ?"
        found = cursor.execute(query, [project, job_id]).fetchone()
        if found is None:
            return None
        job = Job(project, job_id, json.loads(found[0]))
        job.finished.set_result(None)
        return job

    def get(self, project: str, job_id: str) -> Job:
        """A job by its id, or notFound."""
        with self._lock:
            job = self._recent.get((project, job_id))
        if job is None:
            self.flush()
            with self._engine.reading() as cursor:
                job = self._stored(cursor, project, job_id)
        if job is None:
            raise not_found("Job", f"{project}:{job_id}")
        return job

    def running(self) -> list[Job]:
        """The jobs that have not ended."""
        with self._lock:
            return [job for job in self._recent.values() if not job.done]

    def delete(self, project: str, job_id: str) -> None:
        """Forget a finished job and its children."""
        job = self.get(project, job_id)
        if not job.done:
            raise invalid(f"Job {project}:{job_id} is still running; cancel it first.")
        self.flush()
        with self._engine.reading() as cursor:
            parent = "json_extract_string(body, '$.statistics.parentJobId')"
            query = f"DELETE FROM _bq.job WHERE project = ? AND (job_id = ? OR {parent} = ?) RETURNING job_id"  # noqa: S608
            gone = cursor.execute(query, [project, job_id, job_id]).fetchall()
        with self._lock:
            for (name,) in gone:
                self._recent.pop((project, name), None)
                self._known.discard((project, name))

    def listing(self, project: str, query: dict[str, str]) -> tuple[list[dict[str, Any]], str | None]:
        """Jobs, newest first, with the filters of jobs.list; the second value is the next page's token."""
        parent, state = query.get("parentJobId"), query.get("stateFilter")
        low, high = int(query.get("minCreationTime") or 0), int(query.get("maxCreationTime") or 2**52)
        limit, start = int(query.get("maxResults") or 1000), int(query.get("pageToken") or 0)
        sql = """
            SELECT body FROM _bq.job
            WHERE project = $project AND epoch_ms(created) BETWEEN $low AND $high
              AND json_extract_string(body, '$.statistics.parentJobId') IS NOT DISTINCT FROM $parent
              AND ($state IS NULL OR lower(json_extract_string(body, '$.status.state')) = lower($state))
            ORDER BY created DESC, rowid DESC LIMIT $limit OFFSET $start"""
        values = {"project": project, "low": low, "high": high, "parent": parent, "state": state}
        self.flush()
        with self._engine.reading() as cursor:
            rows = cursor.execute(sql, {**values, "limit": limit + 1, "start": start}).fetchall()
        bodies = [json.loads(row[0]) for row in rows[:limit]]
        for body in bodies:
            body["state"] = body["status"]["state"]
            if "errorResult" in body["status"]:
                body["errorResult"] = body["status"]["errorResult"]
        return bodies, str(start + limit) if len(rows) > limit else None
