"""The ledger of warehouse jobs and the governor: before a job it may have to wait, after it its cost is on record.

The state is in Postgres, so the governor counts over all instances. The session may be the function's own, but must
not be inside a transaction: what a job cost is true even where the caller rolls back.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from decimal import Decimal

from shared.adapters.meter import FinishedJob, PlannedJob
from shared.adapters.postgres import Session
from shared.adapters.prices import price_list
from shared.adapters.queries import rows_of
from shared.adapters.warehouse_sql import is_partitioned
from shared.domain.quotas import MOST_PARTITIONS_A_JOB, Job, Wait, decide
from shared.errors import QueryRefused, Throttled
from shared.telemetry import logger

BUDGET_SECONDS = 60.0
"""How long a job waits for a quota; then the platform's retry takes over, which frees the instance."""


class PostgresMeter:
    """Meter over pipeline.warehouse_job."""

    def __init__(
        self, session: Session, *, budget: float = BUDGET_SECONDS, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self._session = session
        self._budget = budget
        self._sleep = sleep

    def admit(self, job: PlannedJob) -> None:
        """Wait for the quotas of the job's target, and say so in the log."""
        if job.partitions > MOST_PARTITIONS_A_JOB:
            raise QueryRefused(
                "too_many_partitions",
                f"{job.job_id} would modify {job.partitions} partitions of {job.target}; at most "
                f"{MOST_PARTITIONS_A_JOB} in one job: split it",
            )
        waited = 0.0
        while (wait := self._try(job)) is not None:
            if waited + wait.seconds > self._budget:
                raise Throttled(
                    f"{job.job_id} must wait {wait.seconds:.0f} s for {job.target}: {wait.quota} is used up"
                )
            logger().warning("quota_wait", table=job.target, quota=wait.quota, seconds=round(wait.seconds, 1))
            self._sleep(wait.seconds)
            waited += wait.seconds

    def _try(self, job: PlannedJob) -> Wait | None:
        if not job.target:
            self._insert(job)
            return None
        with self._session.transaction():
            rows_of(self._session, "lock_target", target=job.target)
            if rows_of(self._session, "knows_warehouse_job", job_id=job.job_id)[0][0]:
                return None
            (_, _, now, _), *earlier = rows_of(self._session, "list_target_jobs", target=job.target)
            wait = decide(
                Job(job.kind, job.partitions, now, running=True), is_partitioned(job.target),
                [Job(*row) for row in earlier],
            )  # fmt: skip
            if wait is None:
                self._insert(job)
            return wait

    def _insert(self, job: PlannedJob) -> None:
        rows_of(
            self._session, "admit_warehouse_job", job_id=job.job_id, stage=job.stage, table_name=job.table,
            target=job.target, kind=job.kind, partitions=job.partitions,
        )  # fmt: skip

    def record(self, job: FinishedJob) -> None:
        """Price and keep it."""
        rows_of(
            self._session, "finish_warehouse_job", job_id=job.job_id, ended_at=job.ended_at, state=job.state,
            error=job.error, bytes_processed=job.bytes_processed, bytes_billed=job.bytes_billed,
            slot_ms=job.slot_ms, rows=job.rows, cost_usd=str(cost_of(job.bytes_billed)),
        )  # fmt: skip

    def running(self, target: str) -> list[str]:
        """The jobs of this table that no process has seen the end of."""
        return [row[0] for row in rows_of(self._session, "list_running_jobs", target=target)] if target else []


def cost_of(bytes_billed: int) -> Decimal:
    """Dollars of a job by the price list; a load job bills no bytes."""
    return price_list().query(bytes_billed)
