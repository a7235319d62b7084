"""What a query job's statistics say, in the REST API's words."""

from __future__ import annotations

from typing import Any

from local.warehouse.jobs import Job
from local.warehouse.sql import Statement, TableRef
from local.warehouse.statements import Outcome, billed
from local.warehouse.types import Field


def schema_body(schema: tuple[Field, ...]) -> dict[str, Any]:
    """A schema as the REST API writes it."""
    return {"fields": [item.to_api() for item in schema]}


def table_body(ref: TableRef) -> dict[str, str]:
    """A table's name as the REST API writes it."""
    return {"projectId": ref.project, "datasetId": ref.dataset, "tableId": ref.table}


def describe(job: Job, statement: Statement, size: int) -> None:
    """Record in a job what its statement is and reads."""
    tables = [
        {"projectId": ref.project, "datasetId": ref.dataset, "tableId": ref.table} for ref in statement.tables_read
    ]
    job.statistics(
        totalBytesProcessed=str(size),
        query={
            "statementType": statement.kind,
            "totalBytesProcessed": str(size),
            "totalBytesBilled": str(billed(size)),
            "cacheHit": False,
            "referencedTables": tables,
        },
    )


def report(job: Job, statement: Statement, outcome: Outcome) -> None:
    """Record in a job what its statement did."""
    if outcome.affected is not None:
        stats = {name: str(count) for name, count in outcome.affected.items()}
        job.statistics(query={"numDmlAffectedRows": str(sum(outcome.affected.values())), "dmlStats": stats})
    if statement.kind.startswith(("CREATE", "DROP", "ALTER")):
        operation = statement.kind.split("_")[0]
        found: dict[str, Any] = {"ddlOperationPerformed": operation}
        if statement.table_written is not None:
            found["ddlTargetTable"] = table_body(statement.table_written)
        job.statistics(query=found)
    if outcome.rows is not None:
        job.statistics(query={"outputRows": str(outcome.rows)})
