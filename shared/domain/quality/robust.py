"""Statistics that a few wild values do not move: the median, and the median distance from it (MAD). Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

FEWEST = 4
"""Earlier days that a verdict needs: fewer say nothing of what is usual."""
NORMAL = Decimal("1.4826")
"""MAD times this is the standard deviation, where values are normal."""
FLOOR = Decimal("0.10")
"""The spread is at least this share of the median, so that a constant history does not alarm at the first row more."""


@dataclass(frozen=True)
class Usual:
    """What earlier days were like."""

    median: Decimal
    spread: Decimal
    days: int

    def deviation(self, value: Decimal) -> Decimal:
        """How many spreads the value is above (or, negative, below) the median."""
        return (value - self.median) / self.spread


def median(values: Sequence[Decimal]) -> Decimal:
    """The middle value, or the mean of the two middle ones."""
    ordered = sorted(values)
    half, odd = divmod(len(ordered), 2)
    return ordered[half] if odd else (ordered[half - 1] + ordered[half]) / 2


def usual(history: Sequence[Decimal], least: Decimal) -> Usual | None:
    """The median and spread of earlier days; None where there are too few. `least` is the smallest spread."""
    if len(history) < FEWEST:
        return None
    middle = median(history)
    distance = median([abs(value - middle) for value in history])
    return Usual(middle, max(NORMAL * distance, FLOOR * abs(middle), least), len(history))
