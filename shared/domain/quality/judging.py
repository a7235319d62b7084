"""What the rules make of counts: verdicts with their values. Pure; days and counts come in as arguments."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Literal

from shared.alert_kinds import Severity
from shared.domain.quality import rules as r
from shared.domain.quality.robust import Usual, usual

Scope = Literal["chunk", "file", "day"]
PLACES = Decimal("0.000001")


@dataclass(frozen=True)
class Measure:
    """Counters of one chunk, file, or dataset and day."""

    scope: Scope
    subject: str
    dataset: str
    day: date
    counts: Mapping[str, int]


@dataclass(frozen=True)
class Result:
    """The verdict of one rule."""

    scope: Scope
    subject: str
    """Chunk id, file id, or for a day the currency where the rule has one; else empty."""
    dataset: str
    day: date
    rule: str
    value: Decimal
    threshold: Decimal
    severity: Severity
    passed: bool
    rows: int
    told: str = ""


def judge(rules: Iterable[r.Rule], measure: Measure) -> list[Result]:
    """The verdict of each rule that counts shares of this dataset; none where there is nothing to count."""
    results = []
    for rule in rules:
        whole = measure.counts.get(rule.of, 0)
        if measure.dataset not in rule.datasets or not rule.of or whole <= 0:
            continue
        bad = Decimal(measure.counts.get(rule.bad, 0)) / whole
        value = 1 - bad if rule.sense == "more than" else bad
        told = f"{_percent(value)} of {whole:,} rows {rule.says}; {asks(rule)}"
        results.append(_result(rule, measure, value, whole, told))
    return results


def judge_freshness(dataset: str, day: date, hours: Decimal) -> Result:
    """Whether a source has been silent for longer than it may."""
    rule = replace(r.FRESHNESS, threshold=Decimal(r.CADENCE_HOURS[dataset]))
    told = f"{hours:,.0f} hours {rule.says}; {asks(rule)}"
    return _result(rule, Measure("day", "", dataset, day, {}), hours, 0, told)


def judge_anomaly(
    rule: r.Rule, measure: Measure, observed: Decimal, history: Sequence[Decimal], *, least: Decimal, over: bool
) -> Result | None:
    """Whether a day is far from the same weekday of earlier weeks; None without a verdict.

    A day that is not over can only be too much: too little may still become enough.
    """
    known = usual(history, least)
    if known is None:
        return None
    far = known.deviation(observed)
    if far < 0 and not over:
        return None
    return _result(rule, measure, abs(far), measure.counts.get("rows", 0), _compared(rule, measure, observed, known))


def judge_differences(rule: r.Rule, day: date, differences: int, rows: int) -> Result:
    """Whether two stores agree; `rows` is what was compared."""
    told = f"{differences:,} {rule.says}; {asks(rule)}"
    return _result(rule, Measure("day", "", "reconcile", day, {}), Decimal(differences), rows, told)


def same_weekdays(day: date) -> list[date]:
    """The days that a day is judged against."""
    return [day - timedelta(weeks=number) for number in range(1, r.WEEKS + 1)]


def asks(rule: r.Rule) -> str:
    """What the rule asks for, in words."""
    limit = _percent(rule.threshold) if rule.unit == "share" else f"{rule.threshold.normalize():f} {rule.unit}"
    return f"the rule asks for {rule.sense} {limit}"


def passes(rule: r.Rule, value: Decimal) -> bool:
    """Whether a value keeps to the rule."""
    if rule.sense == "more than":
        return value > rule.threshold
    return value < rule.threshold if rule.sense == "less than" else value <= rule.threshold


def _result(rule: r.Rule, at: Measure, value: Decimal, rows: int, told: str) -> Result:
    return Result(
        at.scope, at.subject, at.dataset, at.day, rule.name, value.quantize(PLACES), rule.threshold, rule.severity,
        passes(rule, value), rows, told,
    )  # fmt: skip


def _compared(rule: r.Rule, at: Measure, observed: Decimal, known: Usual) -> str:
    far = abs(known.deviation(observed))
    return (
        f"{rule.says}: {observed:,.2f}{' ' + at.subject if at.subject else ''}; the median of {known.days} earlier "
        f"{at.day:%A}s is {known.median:,.2f}, which is {far:.1f} spreads away; {asks(rule)}"
    )


def _percent(share: Decimal) -> str:
    """Two digits behind a whole percent where they tell something."""
    return f"{(share * 100).quantize(Decimal('0.01')).normalize():f} %"
