"""The governor's decision: under any arrivals no quota is exceeded, and every job gets its turn."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.quotas import DAY_SECONDS, FORGOTTEN_SECONDS, QUOTAS, WRITES, Job, Kind, decide

START = datetime(2026, 3, 1, tzinfo=UTC)


def at(seconds: float, kind: Kind = "dml", partitions: int = 1, running: bool = False) -> Job:
    return Job(kind, partitions, START + timedelta(seconds=seconds), running)


@pytest.mark.parametrize(
    ("kind", "partitioned", "most", "quota"),
    [
        ("load", False, 5, "table_updates"),
        ("query", True, 50, "partitioned_table_updates"),
        ("dml", True, 25, "dml_rate"),
    ],
)
def test_a_rate_is_kept_and_its_oldest_job_tells_how_long_to_wait(
    kind: Kind, partitioned: bool, most: int, quota: str
) -> None:
    earlier = [at(n / 100, kind) for n in range(most)]
    assert decide(at(1, kind), partitioned, earlier[1:]) is None
    wait = decide(at(1, kind), partitioned, earlier)
    assert wait is not None
    assert (wait.quota, wait.seconds) == (quota, 11.0)
    assert decide(at(12, kind), partitioned, earlier) is None


def test_no_more_statements_at_once_than_run_and_queue() -> None:
    earlier = [at(n * 60, running=True) for n in range(22)]
    now = 22 * 60
    wait = decide(at(now), True, earlier)
    assert wait is not None
    assert wait.quota == "dml_at_once"
    assert decide(at(now), True, [*earlier[1:], at(0)]) is None


def test_a_statement_of_a_dead_process_is_forgotten_after_half_an_hour() -> None:
    earlier = [at(n / 10, running=True) for n in range(22)]
    assert decide(at(FORGOTTEN_SECONDS - 1), True, earlier) is not None
    assert decide(at(FORGOTTEN_SECONDS + 3), True, earlier) is None


def test_the_loads_of_a_day_are_counted_on_a_table_without_partitions_alone() -> None:
    earlier = [at(n * 20, "load") for n in range(1500)]
    wait = decide(at(40_000, "load"), False, earlier)
    assert wait is not None
    assert (wait.quota, wait.seconds) == ("load_jobs_a_day", DAY_SECONDS - 40_000)
    assert decide(at(40_000, "load"), True, earlier) is None


def test_partitions_are_counted_and_not_jobs() -> None:
    earlier = [at(n * 60, "load", partitions=3000) for n in range(10)]
    wait = decide(at(1000, "load", partitions=1), True, earlier)
    assert wait is not None
    assert (wait.quota, wait.seconds) == ("partitions_a_day", DAY_SECONDS - 1000)
    assert decide(at(1000, "load", partitions=3000), True, earlier[1:]) is None
    assert decide(at(1000, "dml", partitions=3000), True, earlier) is None, "DML is not counted"


ARRIVALS = st.lists(
    st.tuples(
        st.floats(0, 3), st.sampled_from(sorted(WRITES)), st.integers(1, 4000), st.one_of(st.none(), st.floats(0.1, 60))
    ),
    min_size=1,
    max_size=120,
)


@given(ARRIVALS, st.booleans())
def test_no_arrivals_exceed_a_quota_and_each_job_starts_in_the_end(
    arrivals: list[tuple[float, Kind, int, float | None]], partitioned: bool
) -> None:
    """Time runs by the waits that the decision asks for. A job without a length died with its process."""
    clock, ends, admitted = 0.0, list[float | None](), list[Job]()
    for gap, kind, partitions, length in arrivals:
        clock += gap
        for _ in range(5_000):
            known = [
                Job(job.kind, job.partitions, job.started_at, end is None or end > clock)
                for job, end in zip(admitted, ends, strict=True)
            ]
            wait = decide(at(clock, kind, partitions, True), partitioned, known)
            if wait is None:
                break
            assert wait.seconds > 0
            clock += wait.seconds
        else:
            pytest.fail("a job that never starts")
        admitted.append(at(clock, kind, partitions, True))
        ends.append(None if length is None else clock + length)
    for quota in QUOTAS:
        counted = [(job, end) for job, end in zip(admitted, ends, strict=True) if quota.concerns(job, partitioned)]
        for last, _ in counted:
            span = timedelta(seconds=quota.seconds or FORGOTTEN_SECONDS)
            within = [
                job
                for job, end in counted
                if last.started_at - span < job.started_at <= last.started_at
                and (quota.seconds or end is None or START + timedelta(seconds=end) > last.started_at)
            ]
            assert sum(map(quota.amount, within)) <= quota.most, quota.name
