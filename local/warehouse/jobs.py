"""Jobs: made once under their id, and what the API says of them."""

from __future__ import annotations

import time
import uuid
from concurrent.futures import Future
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from local.warehouse.catalog import now_ms
from local.warehouse.engine import Cursor
from local.warehouse.errors import ApiError, invalid


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

    @cached_property
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
