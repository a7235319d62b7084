"""Copy jobs: whole tables, schema included."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from local.warehouse import catalog
from local.warehouse.catalog import TableRef
from local.warehouse.engine import Engine
from local.warehouse.errors import invalid, unsupported
from local.warehouse.job_store import JobStore
from local.warehouse.jobs import Job
from local.warehouse.types import quote
from local.warehouse.writes import TABLE_OPTIONS, read_target, write_rows

KEPT = (*TABLE_OPTIONS, "description", "labels")


class CopyRunner:
    """Runs copy jobs, each on the thread that calls it."""

    def __init__(self, engine: Engine, store: JobStore) -> None:
        self._engine = engine
        self._store = store

    def run(self, job: Job) -> None:
        """Copy one table, or several of the same columns, into another."""
        config = job.config("copy")
        operation = str(config.get("operationType") or "COPY")
        if operation not in ("COPY", "OPERATION_TYPE_UNSPECIFIED"):
            raise unsupported(f"operationType {operation}", "copy the table")
        references: list[dict[str, Any]] = config.get("sourceTables") or [config.get("sourceTable") or {}]
        destination = {"projectId": job.project, **(config.get("destinationTable") or {})}
        target = read_target(destination, config, "WRITE_EMPTY")
        with self._engine.writing() as cursor:
            job.cursor = cursor
            sources = [
                catalog.get_table(
                    cursor, TableRef(each.get("projectId") or job.project, each["datasetId"], each["tableId"])
                )
                for each in references
            ]
            if any(source.is_view for source in sources) or any(each.schema != sources[0].schema for each in sources):
                raise invalid("Copy jobs take tables (not views), all with the same schema")
            names = ", ".join(quote(item.name) for item in sources[0].schema)
            query = " UNION ALL ".join(f"SELECT {names} FROM {source.ref.physical}" for source in sources)  # noqa: S608
            options = {key: sources[0].body[key] for key in KEPT if sources[0].body.get(key)}
            target = replace(target, schema=sources[0].schema, options={**options, **target.options})
            _table, rows = write_rows(cursor, target, query)
            job.statistics(copy={"copiedRows": str(rows)})
            job.end()
            self._store.save(cursor, job)


def _reference(project: str, body: dict[str, Any]) -> TableRef:
    return TableRef(body.get("projectId") or project, str(body.get("datasetId")), str(body.get("tableId")))
