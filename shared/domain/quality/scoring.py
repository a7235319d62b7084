"""The score of a dataset and day: 0 to 100, from the verdicts and the weights of their dimensions. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from shared.alert_kinds import AlertKind
from shared.domain.quality import rules as r
from shared.domain.quality.judging import Result

BY_NAME: dict[str, r.Rule] = {rule.name: rule for rule in r.FIXED}
"""The fixed rules by name; a completeness rule is known by the beginning of its name."""


@dataclass(frozen=True)
class Score:
    """A score and its parts, each 0 to 100."""

    total: Decimal
    parts: Mapping[str, Decimal]


def dimension(rule: str) -> r.Dimension:
    """The part of the score that a rule belongs to."""
    return "completeness" if rule.startswith("completeness.") else BY_NAME[rule].dimension


def kind_of(rule: str) -> AlertKind:
    """The alert that a breach of the rule raises."""
    return "quality_breach" if rule.startswith("completeness.") else BY_NAME[rule].kind


def worth_telling(result: Result, today: date) -> bool:
    """Whether a breach raises an alert: an anomaly of a day long past is history that was loaded, and only kept."""
    return kind_of(result.rule) != "anomaly" or today - result.day <= timedelta(weeks=r.WEEKS)


def part(result: Result) -> Decimal:
    """1 for perfect, 1/2 at the threshold, 0 from twice the tolerated share on; where no share is counted, 1 or 0."""
    rule = BY_NAME.get(result.rule)
    if rule is not None and rule.unit != "share":
        return Decimal(1 if result.passed else 0)
    above = rule is None or rule.sense == "more than"
    bad, tolerated = (1 - result.value, 1 - result.threshold) if above else (result.value, result.threshold)
    return max(Decimal(0), 1 - bad / (2 * tolerated))


def score(results: Iterable[Result]) -> Score:
    """The weighted mean of the dimensions that have a verdict, each the mean of its rules, for one dataset and day."""
    grouped: dict[r.Dimension, list[Decimal]] = defaultdict(list)
    for result in results:
        grouped[dimension(result.rule)].append(part(result))
    means = {name: sum(parts, Decimal(0)) / len(parts) for name, parts in grouped.items()}
    weight = sum(r.WEIGHTS[name] for name in means)
    total = sum((r.WEIGHTS[name] * mean for name, mean in means.items()), Decimal(0)) / weight if weight else Decimal(1)
    return Score(_hundred(total), {name: _hundred(mean) for name, mean in means.items()})


def _hundred(share: Decimal) -> Decimal:
    return (share * 100).quantize(Decimal("0.1"))
