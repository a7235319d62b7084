"""Which days two stores differ in, and which chunks they differ by. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from datetime import date
from decimal import Decimal

from shared.domain.balance import DayTotals, Finding

ChunkTotals = Mapping[str, tuple[int, Decimal]]
NOTHING = (0, Decimal(0))
SHOWN_DAYS = 5


def differences(truth: DayTotals, copy: DayTotals, under_way: Collection[date]) -> dict[date, int]:
    """How many currencies differ on each day that is not under way; 0 where all agree."""
    counted: Counter[date] = Counter()
    for key in truth.keys() | copy.keys():
        if key[0] not in under_way:
            counted[key[0]] += truth.get(key, NOTHING) != copy.get(key, NOTHING)
    return dict(sorted(counted.items()))


def rows_by_day(totals: DayTotals) -> dict[date, int]:
    """Rows of each day, all currencies together."""
    rows: Counter[date] = Counter()
    for (day, _), (count, _) in totals.items():
        rows[day] += count
    return dict(rows)


def by_chunk(truth: ChunkTotals, copy: ChunkTotals, days: Sequence[date]) -> list[Finding]:
    """The chunks whose rows or money differ on the days in which the stores differ."""
    findings = []
    for chunk in sorted(truth.keys() | copy.keys()):
        here, there = truth.get(chunk, NOTHING), copy.get(chunk, NOTHING)
        if here != there:
            told = f"{told_days(days)}: {_both(here, there, 'sales.transactions')}"
            findings.append(Finding("mismatch", f"chunk {chunk}", told))
    return findings


def of_mart(mart: str, truth: DayTotals, copy: DayTotals, days: Sequence[date]) -> Finding:
    """A mart that differs from Postgres on days on which the fact does not."""
    here, there = _sum(truth, days), _sum(copy, days)
    return Finding("mismatch", mart, f"{told_days(days)}: {_both(here, there, mart)}")


def told_days(days: Sequence[date]) -> str:
    """The days, or their number and the first ones."""
    first = ", ".join(day.isoformat() for day in days[:SHOWN_DAYS])
    return first if len(days) <= SHOWN_DAYS else f"{len(days)} days ({first} …)"


def _sum(totals: DayTotals, days: Sequence[date]) -> tuple[int, Decimal]:
    chosen = [pair for (day, _), pair in totals.items() if day in days]
    return sum(rows for rows, _ in chosen), sum((amount for _, amount in chosen), Decimal(0))


def _both(here: tuple[int, Decimal], there: tuple[int, Decimal], name: str) -> str:
    return f"Postgres has {here[0]:,} rows, {here[1]:f}; {name} has {there[0]:,} rows, {there[1]:f}"
