"""What a job of the BigQuery client is and did, in the words of the meter."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from google.api_core import exceptions as gax

from shared.adapters.meter import FinishedJob
from shared.domain.quotas import Kind

_COMMENT = re.compile(r"--[^\n]*|/\*.*?\*/", re.DOTALL)
_MUTATING = frozenset({"INSERT", "UPDATE", "DELETE", "MERGE", "TRUNCATE"})
WRITES_BY_STATEMENT: dict[str, Kind] = {
    "INSERT": "dml", "UPDATE": "dml", "DELETE": "dml", "MERGE": "dml", "TRUNCATE_TABLE": "dml", "SCRIPT": "script",
}  # fmt: skip
"""The kind of a job by its statement type in INFORMATION_SCHEMA.JOBS; any other is a query."""
_READING = frozenset({"SELECT", "WITH"})


def kind_of(sql: str) -> Kind:
    """What a statement is, by its first word; whatever neither reads nor mutates is a script."""
    first = re.match(r"\W*(\w+)", _COMMENT.sub(" ", sql))
    word = first[1].upper() if first else ""
    return "query" if word in _READING else "dml" if word in _MUTATING else "script"


def partitions_of(params: Mapping[str, Any]) -> int:
    """How many partitions a job may modify: as many as the longest of its lists of days, or one."""
    return max((len(value) for value in params.values() if isinstance(value, list)), default=1) or 1


def finished(job: Any) -> FinishedJob:
    """A job of the client that is DONE. What the service does not tell is zero."""
    failed = job.error_result
    return FinishedJob(
        job.job_id, job.ended or datetime.now(UTC), "failed" if failed else "done",
        error=str(failed["reason"]) if failed else "",
        bytes_processed=int(getattr(job, "total_bytes_processed", None) or 0),
        bytes_billed=int(getattr(job, "total_bytes_billed", None) or 0),
        slot_ms=int(getattr(job, "slot_millis", None) or 0),
        rows=_rows(job),
    )  # fmt: skip


def _rows(job: Any) -> int:
    """Rows that the job loaded or wrote; those that a statement deleted are none of them."""
    if stats := getattr(job, "dml_stats", None):
        return int(stats.inserted_row_count + stats.updated_row_count)
    return int(getattr(job, "output_rows", None) or 0)


def refused(job_id: str, error: gax.GoogleAPICallError) -> FinishedJob:
    """A job that was refused before it was made."""
    reasons = [found["reason"] for found in error.errors if "reason" in found]
    return FinishedJob(job_id, datetime.now(UTC), "refused", error=reasons[0] if reasons else type(error).__name__)
