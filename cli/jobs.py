"""The scheduled jobs of an installation: listing them and running one now, on the local cloud or by Cloud Scheduler."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any, Protocol

import httpx

from cli.google_api import ApiRefused, GoogleApi
from shared.adapters.tls import certificates
from shared.errors import DependencyUnavailable, PipelineError

RUN_SECONDS = 1800.0
"""The longest attempt that Cloud Scheduler allows (https://cloud.google.com/scheduler/docs/reference/rest)."""
POLL_SECONDS = 2.0
ENABLED = "ENABLED"


class NoSuchJob(PipelineError):
    """The installation has no such job; the message names those that it has."""


class JobFailed(PipelineError):
    """The job ran and did not succeed."""


@dataclass(frozen=True)
class Job:
    """One job: `function` is what it calls, `failed` what its last attempt said where that was no success."""

    function: str
    name: str
    schedule: str
    state: str
    attempted_at: str = ""
    failed: str = ""


class Jobs(Protocol):
    """The jobs of one installation."""

    def list(self) -> list[Job]:
        """Every job. Raises PipelineError where the scheduler does not answer."""

    def run(self, function: str) -> dict[str, Any]:
        """Run a function's job now and wait for it, as far as the API tells its end. Raises NoSuchJob, JobFailed."""


class LocalJobs:
    """Jobs of the local cloud's scheduler."""

    def __init__(self, url: str) -> None:
        self._url = url

    def list(self) -> list[Job]:
        listed: list[dict[str, Any]] = self._call("GET", "").json()["jobs"]
        return [
            Job(
                one["name"], one["name"], ", ".join(one["schedules"]), one["state"], str(one.get("at", "")),
                "" if 200 <= int(one.get("status", 200)) < 300 else f"status {one['status']}: {one['answer']}",
            )
            for one in listed
        ]  # fmt: skip

    def run(self, function: str) -> dict[str, Any]:
        answer = self._call("POST", f"/{function}:run")
        body: dict[str, Any] = answer.json()
        if answer.status_code == 404:
            raise NoSuchJob(f"{function}: {body['error']['message']}")
        if answer.status_code != 200:
            raise JobFailed(f"{function} failed: {body.get('answer')}")
        return body

    def _call(self, method: str, path: str) -> httpx.Response:
        try:
            return httpx.request(method, f"{self._url}/v1/jobs{path}", timeout=RUN_SECONDS, verify=certificates())
        except httpx.HTTPError as exc:
            raise DependencyUnavailable(f"the scheduler does not answer ({type(exc).__name__})") from exc


class CloudJobs:
    """Jobs of Cloud Scheduler, by its REST API. A job is named after its function, with - or _ between the words."""

    def __init__(self, api: GoogleApi, project: str, region: str, poll_seconds: float = POLL_SECONDS) -> None:
        self._api = api
        self._parent = f"v1/projects/{project}/locations/{region}/jobs"
        self._poll_seconds = poll_seconds

    def list(self) -> list[Job]:
        return [_job(one) for one in self._api.pages("cloudscheduler", self._parent, "jobs", pageSize="100")]

    def run(self, function: str) -> dict[str, Any]:
        """An attempt counts as ours when it began after the order; its answer is known by its status alone."""
        jobs = {job.function: job for job in self.list()}
        if function not in jobs:
            raise NoSuchJob(f"{function}: no such job; known are {', '.join(sorted(jobs)) or 'none'}")
        path = f"{self._parent}/{jobs[function].name}"
        before = jobs[function].attempted_at
        self._api.post("cloudscheduler", f"{path}:run")
        deadline = time.monotonic() + RUN_SECONDS
        while (now := _job(self._api.get("cloudscheduler", path))).attempted_at == before:
            if time.monotonic() > deadline:
                raise JobFailed(f"{function}: no attempt is on record after {RUN_SECONDS:.0f} s; look at its log")
            time.sleep(self._poll_seconds)
        if now.failed:
            raise JobFailed(f"{function} failed: {now.failed}; its log says why")
        return {"job": now.name, "at": now.attempted_at, "status": "OK"}


def _job(found: dict[str, Any]) -> Job:
    """A job's `status` is that of its last attempt; without a code it is a success (google.rpc.Status)."""
    name = found["name"].rpartition("/")[2]
    status = found.get("status", {})
    failed = f"code {status['code']} {status.get('message', '')}".strip() if status.get("code") else ""
    return Job(
        name.replace("-", "_"), name, found.get("schedule", ""), found.get("state", ""),
        found.get("lastAttemptTime", ""), failed,
    )  # fmt: skip


def attempt_of(jobs: Jobs, function: str) -> str:
    """Run a job and do not mind where it fails: its schedule runs it again. What went wrong, or nothing."""
    try:
        jobs.run(function)
    except (ApiRefused, JobFailed, DependencyUnavailable) as exc:
        return str(exc)
    return ""
