"""BigQuery by the real client. Jobs have ids of our own: doing a thing twice finds the job that did it."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal
from itertools import count
from typing import Any

from google.api_core import exceptions as gax
from google.auth.credentials import AnonymousCredentials
from google.cloud import bigquery
from google.cloud.bigquery.retry import DEFAULT_RETRY
from requests import exceptions as rx

from shared.adapters.jobs import finished, kind_of, partitions_of, refused
from shared.adapters.meter import Meter, NoMeter, PlannedJob
from shared.adapters.ports import CALL_SECONDS, PATIENCE_SECONDS, Asked
from shared.errors import DependencyUnavailable, NotInWarehouse, QueryRefused, Throttled
from shared.settings import Settings

NULL = "\\N"
UNAVAILABLE = (gax.ServerError, gax.RetryError, rx.ConnectionError, rx.Timeout, rx.ChunkedEncodingError)


def bigquery_client(settings: Settings) -> bigquery.Client:
    """A client; against a local warehouse (BIGQUERY_EMULATOR_HOST) without credentials."""
    credentials = AnonymousCredentials() if settings.bigquery_emulator else None  # type: ignore[no-untyped-call]
    # With the location: outside the multi-regions EU and US no job is found again without it.
    return bigquery.Client(project=settings.project, credentials=credentials, location=settings.bigquery_location)


class BigQueryWarehouse:
    """Warehouse over google-cloud-bigquery. The meter is asked before each job and told after it."""

    call_seconds = CALL_SECONDS
    """For the calls that start a job, which the client would wait for without end."""

    def __init__(
        self, settings: Settings, stage: str = "", patience: float = PATIENCE_SECONDS, *, meter: Meter | None = None
    ) -> None:
        self._stage = stage
        self._meter = meter or NoMeter()
        self._most_bytes = settings.max_bytes_billed
        self._client = bigquery_client(settings)
        self._retry = DEFAULT_RETRY.with_timeout(patience)

    def load_csv(
        self, table: str, uris: list[str], schema: Sequence[Mapping[str, Any]], job_id: str, *, label: str = ""
    ) -> int:
        """Load CSV objects, each with a header, into a table made anew; nulls are written \\N. The number of rows."""
        config = bigquery.LoadJobConfig(
            source_format=bigquery.SourceFormat.CSV,
            skip_leading_rows=1,
            null_marker=NULL,
            allow_quoted_newlines=True,
            schema=[bigquery.SchemaField.from_api_repr(dict(field)) for field in schema],
            write_disposition=bigquery.WriteDisposition.WRITE_TRUNCATE,
            labels=labels(self._stage, label),
        )
        name = f"{self._client.project}.{table}"
        job = self._once(
            PlannedJob(job_id, self._stage, label or table, table, "load"),
            lambda id_: self._client.load_table_from_uri(
                uris, name, job_id=id_, job_config=config, retry=self._retry, timeout=self.call_seconds
            ),
        )
        return int(job.output_rows or 0)

    def run(
        self, sql: str, params: Mapping[str, Any], job_id: str | None = None, *, table: str = "", into: str = "",
        most_bytes: int | None = None,
    ) -> list[Mapping[str, Any]]:  # fmt: skip
        """Run one query or script. With a job id it runs once, whatever is delivered twice.

        Without `most_bytes` the limit is the setting MAX_BYTES_BILLED.
        """
        kind = kind_of(sql)
        target = into or ("" if kind == "query" else table)
        planned = PlannedJob(
            job_id or f"query-{uuid.uuid4().hex}", self._stage, table, target, kind, partitions_of(params)
        )
        config = bigquery.QueryJobConfig(
            query_parameters=[_parameter(name, value) for name, value in params.items()],
            labels=labels(self._stage, table),
            maximum_bytes_billed=most_bytes or self._most_bytes,
        )
        if into:
            config.destination = f"{self._client.project}.{into}"
            config.write_disposition = bigquery.WriteDisposition.WRITE_TRUNCATE

        def start(id_: str) -> Any:
            return self._client.query(
                sql, job_id=id_, job_config=config, retry=self._retry, job_retry=None, timeout=self.call_seconds
            )

        job = self._once(planned, start)
        with _mapped(planned.job_id):
            rows = job.result(retry=self._retry)
            return [] if into else [dict(row) for row in rows]

    def ask(self, sql: str, params: Mapping[str, Any], *, table: str, most_bytes: int) -> Asked:
        """Run one query that only reads by jobs.query, which answers with the rows in the same call."""
        config = bigquery.QueryJobConfig(
            query_parameters=[_parameter(name, value) for name, value in params.items()],
            labels=labels(self._stage, table),
            maximum_bytes_billed=most_bytes,
        )
        with _mapped("a query"):
            found = self._client.query_and_wait(
                sql,
                job_config=config,
                retry=self._retry,
                job_retry=None,  # type: ignore[arg-type]  # documented, but not in its types
                api_timeout=self.call_seconds,
            )
            return Asked([row[:] for row in found], int(found.total_bytes_processed or 0))

    def _once(self, planned: PlannedJob, start: Callable[[str], Any]) -> Any:
        """Start the job under the first free attempt's id; one that runs is waited for, one that failed is passed."""
        self._outwait(planned)
        for attempt in count(1):
            name = f"{planned.job_id}-{attempt}"
            self._meter.admit(replace(planned, job_id=name))
            with _mapped(name):
                try:
                    job = start(name)
                except gax.Conflict:
                    job = self._found(name)
                    if job.state == "DONE" and job.error_result:
                        self._meter.record(finished(job))
                        continue
                except gax.ClientError as exc:
                    self._meter.record(refused(name, exc))
                    raise
                self._finish(job)
                return job
        raise AssertionError("attempts are counted without end")

    def _outwait(self, planned: PlannedJob) -> None:
        """Wait for the jobs that write the same table: those of a process that died go on without it.

        BigQuery lets two MERGEs that insert run side by side, and both would insert the same row.
        """
        for name in self._meter.running(planned.target):
            with _mapped(name):
                try:
                    job = self._found(name)
                except gax.NotFound:
                    continue  # its process died before it was made
                try:
                    self._finish(job)
                except gax.GoogleAPICallError:
                    if job.state != "DONE":
                        raise

    def _found(self, name: str) -> Any:
        return self._client.get_job(name, retry=self._retry, timeout=self.call_seconds)

    def _finish(self, job: Any) -> None:
        """Wait for the job and tell the meter, also of a failure; a job that may still run is not told of."""
        try:
            job.result(retry=self._retry)
        finally:
            if job.state == "DONE":
                self._meter.record(finished(job))


def labels(stage: str, table: str) -> dict[str, str]:
    """The labels of a job, by which its cost is told apart: which function ran it, and for which table."""
    named = {"app": "sluice", "stage": stage, "table": table.replace(".", "__")}
    return {name: value for name, value in named.items() if value}


def _parameter(name: str, value: Any) -> bigquery.ScalarQueryParameter | bigquery.ArrayQueryParameter:
    if isinstance(value, list):
        return bigquery.ArrayQueryParameter(name, "DATE", value)
    for kind, type_name in (
        (int, "INT64"),
        (Decimal, "NUMERIC"),
        (datetime, "TIMESTAMP"),
        (date, "DATE"),
        (str, "STRING"),
    ):
        if isinstance(value, kind):
            return bigquery.ScalarQueryParameter(name, type_name, value)
    raise TypeError(f"query parameter {name}: {type(value).__name__} is not supported")


@contextmanager
def _mapped(what: str) -> Iterator[None]:
    try:
        yield
    except (gax.BadRequest, gax.InternalServerError) as exc:
        if "bytesBilledLimitExceeded" in {error.get("reason") for error in exc.errors}:
            raise QueryRefused(
                "too_many_bytes", f"{what} would read more than its limit of bytes; see MAX_BYTES_BILLED"
            ) from exc
        if isinstance(exc, gax.ServerError):
            raise DependencyUnavailable(f"BigQuery does not answer for {what}: {type(exc).__name__}") from exc
        raise
    except gax.NotFound as exc:
        raise NotInWarehouse(
            "not_found", f"BigQuery does not find what {what} names; see the job in the console"
        ) from exc
    except gax.TooManyRequests as exc:
        raise Throttled(f"BigQuery throttles {what}") from exc
    except UNAVAILABLE as exc:
        raise DependencyUnavailable(f"BigQuery does not answer for {what}: {type(exc).__name__}") from exc
