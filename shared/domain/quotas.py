"""BigQuery's limits on how often a table may be written, and the decision whether one more job may start.

Every figure is from https://cloud.google.com/bigquery/quotas, as it stood in November 2026. The section is named at
each. What a limit counts over ten seconds is counted over twelve: a job that is admitted starts a moment later.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

Kind = Literal["load", "query", "dml", "script"]

DAY_SECONDS = 24 * 3600.0
MARGIN_SECONDS = 2.0
POLL_SECONDS = 1.0
"""How soon to look again while too many statements run: nobody knows when one ends."""
FORGOTTEN_SECONDS = 30 * 60.0
"""A job that still says `running` after this has lost its process: no function lives longer."""
MOST_PARTITIONS_A_JOB = 4_000
"""Partitions modified by a single job (#partitioned_tables)."""


@dataclass(frozen=True)
class Quota:
    """At most `most` of a kind of job on one table within `seconds`; None: at the same time."""

    name: str
    most: int
    seconds: float | None
    kinds: frozenset[Kind]
    partitioned: bool | None = None
    counts_partitions: bool = False

    def concerns(self, job: Job, partitioned: bool) -> bool:
        """Whether a job counts against it."""
        return job.kind in self.kinds and self.partitioned in (None, partitioned)

    def amount(self, job: Job) -> int:
        """How much of it a job uses up."""
        return job.partitions if self.counts_partitions else 1


@dataclass(frozen=True)
class Job:
    """One job that writes a table: when it was admitted, and whether it runs still."""

    kind: Kind
    partitions: int
    started_at: datetime
    running: bool


@dataclass(frozen=True)
class Wait:
    """A job may not start yet: which quota is used up, and after how many seconds to ask again."""

    quota: str
    seconds: float


WRITES: frozenset[Kind] = frozenset({"load", "query", "dml", "script"})
MUTATES: frozenset[Kind] = frozenset({"dml", "script"})

LOADS_A_DAY = Quota("load_jobs_a_day", 1_500, DAY_SECONDS, frozenset({"load"}), partitioned=False)
"""Load jobs per table per day (#load_jobs); failed ones count. A partitioned table has the limit below instead."""
PARTITIONS_A_DAY = Quota(
    "partitions_a_day", 30_000, DAY_SECONDS, frozenset({"load", "query"}), partitioned=True, counts_partitions=True
)
"""Partition modifications per column-partitioned table per day (#partitioned_tables); DML does not count as such."""
UPDATES = Quota("table_updates", 5, 10 + MARGIN_SECONDS, WRITES, partitioned=False)
"""Rate of table metadata updates, 5 per 10 seconds (#standard_tables): each job that writes is one."""
PARTITIONED_UPDATES = Quota("partitioned_table_updates", 50, 10 + MARGIN_SECONDS, WRITES, partitioned=True)
"""Rate of updates of a partitioned table, 50 per 10 seconds (#partitioned_tables)."""
DML_RATE = Quota("dml_rate", 25, 10 + MARGIN_SECONDS, MUTATES)
"""DML statements per table, 25 per 10 seconds (#data-manipulation-language-statements)."""
DML_AT_ONCE = Quota("dml_at_once", 22, None, MUTATES)
"""Mutating DML statements per table: 2 run and 20 wait (#data-manipulation-language-statements)."""

QUOTAS = (LOADS_A_DAY, PARTITIONS_A_DAY, UPDATES, PARTITIONED_UPDATES, DML_RATE, DML_AT_ONCE)


def decide(job: Job, partitioned: bool, earlier: Sequence[Job]) -> Wait | None:
    """Whether a job may start now, beside what was admitted on its table within the last day; None: it may.

    `job.started_at` is now. The longest wait of those that are used up counts. Nothing waits for a job that it cannot
    outlive: a job that runs is forgotten after FORGOTTEN_SECONDS, so a wait always ends.
    """
    waits = [
        wait
        for quota in QUOTAS
        if quota.concerns(job, partitioned) and (wait := _wait(quota, job, partitioned, earlier)) is not None
    ]
    return max(waits, key=lambda wait: wait.seconds, default=None)


def _wait(quota: Quota, job: Job, partitioned: bool, earlier: Sequence[Job]) -> Wait | None:
    now = job.started_at
    span = timedelta(seconds=FORGOTTEN_SECONDS if quota.seconds is None else quota.seconds)
    counted = sorted(
        (
            one
            for one in earlier
            if quota.concerns(one, partitioned) and one.started_at > now - span and (one.running or quota.seconds)
        ),
        key=lambda one: one.started_at,
    )
    over = sum(map(quota.amount, counted)) + quota.amount(job) - quota.most
    if over <= 0:
        return None
    if quota.seconds is None:
        return Wait(quota.name, POLL_SECONDS)
    for one in counted:
        over -= quota.amount(one)
        if over <= 0:
            return Wait(quota.name, (one.started_at + span - now).total_seconds())
    return Wait(quota.name, DAY_SECONDS)
