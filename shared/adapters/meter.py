"""The seam of the meter: what a warehouse tells of its jobs, before and after. A function that only reads has none."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol

from shared.domain.quotas import Kind


@dataclass(frozen=True)
class PlannedJob:
    """A job before it starts. `table` is what it is for, `target` the table that it writes (empty: it only reads)."""

    job_id: str
    stage: str
    table: str
    target: str
    kind: Kind
    partitions: int = 1


@dataclass(frozen=True)
class FinishedJob:
    """What became of a job. `error` is a reason code of BigQuery, never its message; times are UTC."""

    job_id: str
    ended_at: datetime
    state: Literal["done", "failed", "refused"]
    error: str = ""
    bytes_processed: int = 0
    bytes_billed: int = 0
    slot_ms: int = 0
    rows: int = 0


class Meter(Protocol):
    """What a warehouse tells of its jobs."""

    def admit(self, job: PlannedJob) -> None:
        """Return when the job may start. Raises Throttled where a quota stays used up, QueryRefused on a wide job."""

    def record(self, job: FinishedJob) -> None:
        """Keep what it did; told twice it counts once."""

    def running(self, target: str) -> list[str]:
        """The ids of the jobs that were admitted to this table and of whose end nothing is known."""


class NoMeter:
    """Admits everything and keeps nothing: for operators, whose queries watch_queries finds."""

    def admit(self, job: PlannedJob) -> None:
        """Nothing waits."""

    def record(self, job: FinishedJob) -> None:
        """Nothing is kept."""

    def running(self, target: str) -> list[str]:  # noqa: ARG002  # as the seam has it
        """Nothing is known."""
        return []
