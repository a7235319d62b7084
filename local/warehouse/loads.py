"""Load jobs: files into a table in one transaction, every value converted exactly or refused."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import Any

import duckdb

from local.warehouse import catalog, readers
from local.warehouse.engine import Cursor, Engine
from local.warehouse.errors import invalid, unsupported
from local.warehouse.fetch import ObjectFetcher, Source
from local.warehouse.job_store import JobStore
from local.warehouse.jobs import Job
from local.warehouse.readers import Plan
from local.warehouse.records import BadRecords
from local.warehouse.types import Field, parse_schema
from local.warehouse.writes import Target, read_target, write_rows

KNOWN = frozenset(
    {
        "sourceUris", "destinationTable", "schema", "sourceFormat", "writeDisposition", "createDisposition",
        "skipLeadingRows", "fieldDelimiter", "quote", "nullMarker", "allowQuotedNewlines", "allowJaggedRows",
        "encoding", "maxBadRecords", "ignoreUnknownValues", "schemaUpdateOptions", "timePartitioning", "clustering",
        "autodetect", "destinationTableProperties", "parquetOptions", "preserveAsciiControlCharacters",
        "useAvroLogicalTypes",
    }
)  # fmt: skip


MOST_CSV_BYTES = 4 << 30
"""Of one file: https://cloud.google.com/bigquery/docs/loading-data-cloud-storage-csv#troubleshoot_quota_errors"""


class LoadRunner:
    """Runs load jobs, each on the thread that calls it."""

    def __init__(
        self, engine: Engine, store: JobStore, fetcher: ObjectFetcher, folder: Path, most_csv_bytes: int
    ) -> None:
        self._engine = engine
        self._store = store
        self._fetcher = fetcher
        self._folder = folder
        self._most_csv_bytes = most_csv_bytes
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)

    def new_upload(self) -> Path:
        """A file for bytes that arrive with the request."""
        return Path(tempfile.mkdtemp(dir=self._folder)) / "upload.data"

    def run(self, job: Job, upload: Path | None = None) -> None:
        """Run a load job to its end; raises what made it fail."""
        config = job.config("load")
        if unknown := sorted(key for key, value in config.items() if key not in KNOWN and value):
            raise unsupported(f"The load option {unknown[0]}", "leave it out")
        folder = upload.parent if upload else Path(tempfile.mkdtemp(dir=self._folder))
        try:
            uris = config.get("sourceUris") or []
            if upload is None and not uris:
                raise invalid("Required parameter is missing: sourceUris")
            sources = [Source("upload", upload)] if upload else self._fetcher.fetch(uris, folder)
            self._load(job, config, sources)
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def _load(self, job: Job, config: dict[str, Any], sources: list[Source]) -> None:
        reference = {"projectId": job.project, **(config.get("destinationTable") or {})}
        target = read_target(reference, config, "WRITE_APPEND")
        check_sizes(config, sources, self._most_csv_bytes, target.ref.table)
        bad = BadRecords(allowed=int(config.get("maxBadRecords") or 0))
        given = parse_schema((config.get("schema") or {}).get("fields") or [])
        with self._engine.reading() as cursor:
            job.cursor = cursor
            schema = given or self._existing_schema(cursor, target)
            plan = readers.prepare(cursor, config, sources, schema, bad)
        target = with_schema(target, plan.schema, config)
        with self._engine.writing() as cursor:
            job.cursor = cursor
            catalog.sweep(cursor)
            rows = self._write(cursor, target, plan, bad)
            job.statistics(load=_statistics(sources, rows, bad))
            job.end()
            self._store.save(cursor, job)

    def _existing_schema(self, cursor: Cursor, target: Target) -> tuple[Field, ...]:
        table = catalog.find_table(cursor, target.ref)
        return table.schema if table is not None else ()

    def _write(self, cursor: Cursor, target: Target, plan: Plan, bad: BadRecords) -> int:
        """Insert the rows; when a value is refused, find out where it stands."""
        if bad.allowed:
            query = readers.tolerant(cursor, plan, bad)
            return write_rows(cursor, target, query)[1]
        try:
            return write_rows(cursor, target, plan.query)[1]
        except (duckdb.InvalidInputException, duckdb.ConversionException) as error:
            raise readers.explained(plan, error) from error


def check_sizes(config: dict[str, Any], sources: list[Source], most: int, table: str) -> None:
    """Refuse a large CSV that BigQuery cannot split: one that is packed, or whose quotes may hold line ends."""
    if str(config.get("sourceFormat") or "CSV").upper() != "CSV":
        return
    for source in sources:
        if source.size > most and (config.get("allowQuotedNewlines") or source.gzipped):
            raise invalid(
                f"Error while reading table: {table}, error message: Input CSV files are not splittable and at least "
                f"one of the files is larger than the maximum allowed size. Size is: {source.size}. "
                f"Max allowed size is: {most}."
            )


def with_schema(target: Target, schema: tuple[Field, ...], config: dict[str, Any]) -> Target:
    """The target with the schema of what is loaded, and the properties of a table that the job may create."""
    properties = config.get("destinationTableProperties") or {}
    options = {**target.options, **{key: value for key, value in properties.items() if value}}
    return Target(
        target.ref, schema, target.day, target.write, target.create, options, target.may_add, target.may_relax
    )


def _statistics(sources: list[Source], rows: int, bad: BadRecords) -> dict[str, str]:
    size = sum(source.size for source in sources)
    return {
        "inputFiles": str(len(sources)),
        "inputFileBytes": str(size),
        "outputRows": str(rows),
        "outputBytes": str(size),
        "badRecords": str(bad.count),
    }
