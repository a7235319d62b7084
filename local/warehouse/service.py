"""Everything wired together: the engine, the catalog, and the threads that run jobs."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from local.warehouse import infoschema
from local.warehouse.copies import CopyRunner
from local.warehouse.engine import Engine
from local.warehouse.errors import ApiError, unsupported
from local.warehouse.faults import api_error
from local.warehouse.fetch import ObjectFetcher
from local.warehouse.job_store import JobStore
from local.warehouse.jobs import Job
from local.warehouse.loads import MOST_CSV_BYTES, LoadRunner
from local.warehouse.pages import ResultStore
from local.warehouse.queries import QueryRunner
from local.warehouse.statements import Executor
from local.warehouse.stats import Statistics

logger = logging.getLogger(__name__)
THREADS = 64


@dataclass(frozen=True)
class Limits:
    """What the server may use of the machine. With one thread a query has its own alone, and slots share the cores.

    `csv_bytes` is the largest CSV file that a load job takes where it cannot be split.
    """

    memory: str = "1GB"
    threads: int = 1
    slots: int = 4
    csv_bytes: int = MOST_CSV_BYTES


class Warehouse:
    """The stand-in without its HTTP face."""

    def __init__(self, home: Path, storage_url: str, limits: Limits) -> None:
        self.engine = Engine(home, memory=limits.memory, threads=limits.threads, slots=limits.slots)
        infoschema.setup(self.engine)
        self.statistics = Statistics()
        self.jobs = JobStore(self.engine)
        self.results = ResultStore(home / "results")
        self.queries = QueryRunner(self.engine, self.jobs, Executor(self.results, self.statistics))
        fetcher = ObjectFetcher(storage_url)
        self.loads = LoadRunner(self.engine, self.jobs, fetcher, home / "loads", limits.csv_bytes)
        self.copies = CopyRunner(self.engine, self.jobs)
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="job")

    def start(self, job: Job, upload: Path | None = None) -> None:
        """Put a job on record and run it; a dry run is answered at once and leaves no record."""
        if job.body["configuration"].get("dryRun"):
            if job.body["configuration"]["jobType"] != "QUERY":
                raise unsupported("A dry run of anything but a query", "leave dryRun out")
            self._dry_run(job)
            return
        query = job.body["configuration"]["jobType"] == "QUERY"
        self.jobs.add(job, lasting=not (query and self.queries.leaves_nothing(job)))
        self._threads.submit(self._run, job, upload)

    def _dry_run(self, job: Job) -> None:
        try:
            self.queries.run(job)
        except Exception as error:
            raise api_error(error) from error
        job.end()
        job.finished.set_result(None)

    def _run(self, job: Job, upload: Path | None) -> None:
        job.begin()
        try:
            with self._time_limit(job):
                self._dispatch(job, upload)
        except Exception as error:
            failure = api_error(error)
            if failure.reason == "internalError":
                logger.exception("job %s failed", job.job_id)
            self._fail(job, failure)
        finally:
            job.cursor = None
            job.finished.set_result(None)

    @contextmanager
    def _time_limit(self, job: Job) -> Iterator[None]:
        limit = int(job.body["configuration"].get("jobTimeoutMs") or 0)
        if not limit:
            yield
            return
        timer = threading.Timer(limit / 1000, self.cancel, [job])
        timer.start()
        try:
            yield
        finally:
            timer.cancel()

    def _dispatch(self, job: Job, upload: Path | None) -> None:
        kind = job.body["configuration"]["jobType"]
        if kind == "QUERY":
            self.queries.run(job)
        elif kind == "LOAD":
            self.loads.run(job, upload)
        elif kind == "COPY":
            self.copies.run(job)
        elif kind == "EXTRACT":
            raise unsupported("An extract job", "read the table with a query or tabledata.list")
        else:
            raise ApiError(400, "invalid", "Required parameter is missing: a query, load or copy configuration")

    def _fail(self, job: Job, failure: ApiError) -> None:
        for effect in ("load", "copy"):
            job.body["statistics"].pop(effect, None)
        job.end(failure)
        self.jobs.settle(job)

    def cancel(self, job: Job) -> None:
        """Ask a running job to stop; one that has ended stays as it is."""
        job.cancelled = True
        if job.cursor is not None and not job.done:
            job.cursor.interrupt()

    def close(self) -> None:
        """Stop what runs (its transactions are undone), then write everything down."""
        for job in self.jobs.running():
            self.cancel(job)
        self._threads.shutdown(wait=True, cancel_futures=True)
        self.jobs.flush()
        self.engine.close()
