"""Building marts: what is out of date, each period whole, and never a version that fails its checks.

A build writes the rows of some periods into a staging table, checks them there, and replaces the periods that pass by
one statement. What fails keeps its previous version, stays marked, and is an alert.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from shared.adapters.alerts import alert_key, raise_alert
from shared.adapters.ports import Warehouse
from shared.adapters.postgres import Session
from shared.adapters.queries import rows_of
from shared.adapters.warehouse_sql import warehouse_sql
from shared.domain.marts import LATE_AFTER, Mart, waits_for
from shared.errors import QueryRefused
from shared.telemetry import log_freshness, logger

MOST_DAYS = 400
"""Days that one build reads: well under the 4,000 partitions that BigQuery lets a job modify
(https://cloud.google.com/bigquery/quotas#partitioned_tables), and short enough to end within a function's time."""
LEAST_BYTES = 100_000_000
"""A limit of bytes below this would refuse also a small build: each table of a query is billed as 10 MB at least
(https://cloud.google.com/bigquery/pricing#on_demand_pricing)."""


@dataclass
class Built:
    """What a run of builds did: periods replaced, periods kept back, marts that are still behind, what was raised."""

    replaced: int = 0
    kept_back: int = 0
    behind: set[str] = field(default_factory=set)
    errors: list[Exception] = field(default_factory=list)


@dataclass(frozen=True)
class Facts:
    """What the queries of all marts may ask for beside their periods; max_bytes is for each day that they read."""

    base_currency: str
    open_day: date
    max_bytes_per_day: int


def mark(session: Session, marts: Sequence[Mart], touched: Mapping[str, Iterable[date]], *, urgent: bool) -> None:
    """Say that these days of these tables were touched, to every mart that reads them."""
    pairs = [(mart.name, period) for mart in marts for period in mart.periods(touched)]
    names, periods = [name for name, _ in pairs], [period for _, period in pairs]
    rows_of(session, "mark_dirty", marts=names, periods=periods, urgent=urgent)


def due_marts(session: Session, marts: Sequence[Mart], now: datetime, *, by_schedule: bool) -> list[Mart]:
    """The marts that have something to build and whose time has come."""
    by_name = {mart.name: mart for mart in marts}
    due = {
        name
        for name, built, dirty, urgent, _, untried in rows_of(session, "list_mart_states")
        if dirty and name in by_name
        and by_name[name].is_due(now, built, untried, by_schedule=by_schedule, urgent=urgent)
    }  # fmt: skip
    return [mart for mart in marts if mart.name in due]


def tell_freshness(session: Session, marts: Sequence[Mart], now: datetime) -> None:
    """Log of each mart how long the oldest change waits for it; a mart that nothing waits for is fresh."""
    oldest = {name: marked for name, _, _, _, marked, _ in rows_of(session, "list_mart_states")}
    for mart in marts:
        marked = oldest.get(mart.name)
        age = now - marked if marked else timedelta(0)
        log_freshness("mart", mart.name, age, late=age > LATE_AFTER[mart.cadence])


def build_marts(
    session: Session, warehouse: Warehouse, marts: Sequence[Mart], facts: Facts, *, has_time: Callable[[], bool]
) -> Built:
    """Build what is marked of these marts, in their order, as long as there is time; the rest stays marked.

    A mart whose build raises holds up those that read it and no other; its error is among those of the result.
    """
    done = Built()
    for mart in marts:
        if waits_for(mart, done.behind):
            done.behind.add(mart.name)
            continue
        try:
            kept: set[date] = set()
            while has_time() and (some := _marked(session, mart, kept)):
                kept |= _build(session, warehouse, mart, some, facts, done)
            if _marked(session, mart, set()):
                done.behind.add(mart.name)
        except Exception as exc:  # whatever it is, it is raised when the others are built
            logger().error("mart_failed", table=mart.name, error=type(exc).__name__)
            done.errors.append(exc)
            done.behind.add(mart.name)
    return done


def _marked(session: Session, mart: Mart, but: set[date]) -> list[tuple[date, int]]:
    """The oldest marked periods, as many as one build takes; `but` were tried in this run already."""
    most = MOST_DAYS if mart.period == "day" else MOST_DAYS // 31
    found = rows_of(session, "list_dirty", mart=mart.name, most=most + len(but))
    return [(period, marked) for period, marked in found if period not in but][:most]


def _build(
    session: Session, warehouse: Warehouse, mart: Mart, some: list[tuple[date, int]], facts: Facts, done: Built
) -> set[date]:
    """One build; the periods that it kept back."""
    periods = [period for period, _ in some]
    ((number,),) = rows_of(session, "begin_mart_build", mart=mart.name, periods=periods)
    job = (
        f"mart-{number}-{uuid.uuid4().hex}-{mart.short}"  # numbers come again after a restore; BigQuery keeps its jobs
    )
    try:
        failures = _stage_and_check(warehouse, mart, periods, _staged(mart, number), job, facts)
    except QueryRefused as exc:
        failures = [{"period": period, "name": exc.reason, "severity": "fail", "failures": 0} for period in periods]
    failed = [one for one in failures if one["severity"] == "fail"]
    kept = {one["period"] for one in failed}
    good = [period for period in periods if period not in kept]
    if good:
        replace = warehouse_sql(mart.name, "replace").replace("${staged}", _staged(mart, number))
        warehouse.run(replace, {"periods": good}, f"{job}-replace", table=mart.name)
        rows_of(session, "clear_dirty", mart=mart.name, periods=good, marked=max(marked for _, marked in some))
    if failures:
        _tell(session, mart, failures, number)
    told = ", ".join(sorted({one["name"] for one in failed}))
    warned = sorted({one["period"] for one in failures} - kept)
    rows_of(session, "finish_mart_build", build_id=number, kept_back=sorted(kept), warned=warned, told=told)
    done.replaced += len(good)
    done.kept_back += len(kept)
    return kept


def _stage_and_check(
    warehouse: Warehouse, mart: Mart, periods: list[date], staged: str, job: str, facts: Facts
) -> list[Mapping[str, Any]]:
    """The rows of the periods in a staging table, which expires in a day; what the checks say of them."""
    query, days = warehouse_sql(mart.name, "query"), mart.days(periods)
    offered = {
        "days": days, "months": periods, "base_currency": facts.base_currency, "open_day": facts.open_day,
    }  # fmt: skip
    params = {name: value for name, value in offered.items() if f"@{name}" in query}
    limit = max(LEAST_BYTES, facts.max_bytes_per_day * len(days))
    warehouse.run(query, params, f"{job}-query", table=mart.name, into=staged, most_bytes=limit)
    checks = warehouse_sql(mart.name, "checks").replace("${staged}", staged)
    return warehouse.run(checks, {}, f"{job}-checks", table=mart.name)


def _staged(mart: Mart, number: int) -> str:
    """The staging table of a build; made of a number and a name of ours, so it is safe inside SQL."""
    return f"staging.build_{number:d}_{mart.short}"


def _tell(session: Session, mart: Mart, failures: list[Mapping[str, Any]], number: int) -> None:
    """What checks find is an alert, one for each check of a build, new where it is news; else it is only counted."""
    failing = sorted({one["period"] for one in failures})
    before = dict(rows_of(session, "list_failing_periods", mart=mart.name, periods=failing))
    for name, severity in sorted({(one["name"], one["severity"]) for one in failures}):
        found = [one for one in failures if one["name"] == name]
        periods, rows = sorted(one["period"] for one in found), sum(one["failures"] for one in found)
        stands = "the previous version stands" if severity == "fail" else "it was built all the same"
        told = f"{rows:,} rows of {len(periods):,} periods from {periods[0]} to {periods[-1]} break {name}; {stands}"
        subject = f"{mart.name} {name}"
        fresh = [each for each in periods if each not in before or (severity == "fail" and not before[each])]
        raise_alert(
            session, "mart_check_failed", "critical" if severity == "fail" else "warning", subject, told,
            on=_occasion(session, subject, fresh, number) or periods[0].isoformat(),
        )  # fmt: skip


def _occasion(session: Session, subject: str, fresh: list[date], number: int) -> str:
    """By what the alert is told from earlier ones: the first period that was well at its last build, if any was.

    Where each of them failed once before, and was mended since, the build makes it a new one.
    """
    keys = {alert_key("mart_check_failed", subject, period.isoformat()): period for period in fresh}
    known = {row[0] for row in rows_of(session, "list_known_alerts", alert_keys=list(keys))}
    first = next((period for key, period in keys.items() if key not in known), None)
    if first:
        return first.isoformat()
    return f"{fresh[0].isoformat()} build {number}" if fresh else ""
