"""What a mart is made of: when it is built, in which periods, after what; pure.

A mart is built period by period (a day, or a month named by its first day). What is out of date is a set of periods,
derived from the days of sale that a feed touched.
"""

from __future__ import annotations

import calendar
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Literal

Cadence = Literal["load", "hourly", "nightly"]
Period = Literal["day", "month"]
LATE_AFTER: Mapping[Cadence, timedelta] = {
    "load": timedelta(hours=2),
    "hourly": timedelta(hours=3),
    "nightly": timedelta(hours=26),
}
"""How long a change may wait for a mart: two hours after a load, else two runs of its cadence, or a night."""


@dataclass(frozen=True)
class Mart:
    """The block `build` of a mart's metadata.yaml, with its partition column."""

    name: str
    partition: str
    cadence: Cadence
    period: Period
    reads: tuple[str, ...]

    @property
    def short(self) -> str:
        """The name without its dataset."""
        return self.name.rpartition(".")[2]

    def periods(self, touched: Mapping[str, Iterable[date]]) -> list[date]:
        """The periods that are out of date when these days of the tables that the mart reads were touched."""
        days = {day for table in self.reads for day in touched.get(table, ())}
        return sorted(days if self.period == "day" else {day.replace(day=1) for day in days})

    def days(self, periods: Iterable[date]) -> list[date]:
        """Every day of some periods."""
        if self.period == "day":
            return sorted(periods)
        return [day for first in sorted(periods) for day in _month(first)]

    def is_due(
        self, now: datetime, last_built: datetime | None, untried: datetime | None, *, by_schedule: bool, urgent: bool
    ) -> bool:
        """Whether a run builds what is out of date: after each load, each hour, or once a night; an order at once.

        The night is the first run by schedule of a UTC day, and those after it while a change from before that day has
        not been tried: the first run may have broken off.
        """
        if self.cadence == "load" or urgent:
            return True
        if not by_schedule:
            return False
        if self.cadence == "hourly" or last_built is None or last_built.date() < now.date():
            return True
        return untried is not None and untried.date() < now.date()


def _month(first: date) -> list[date]:
    count = calendar.monthrange(first.year, first.month)[1]
    return [first.replace(day=number) for number in range(1, count + 1)]


def in_order(marts: Sequence[Mart]) -> list[Mart]:
    """What a mart reads comes before it; else by name. Raises ValueError that names the marts of a circle."""
    left = {mart.name: mart for mart in sorted(marts, key=lambda mart: mart.name)}
    ordered: list[Mart] = []
    while left:
        ready = [mart for mart in left.values() if not set(mart.reads) & set(left)]
        if not ready:
            raise ValueError(f"marts that wait for each other, see `reads` in metadata.yaml: {', '.join(left)}")
        ordered += ready
        for mart in ready:
            del left[mart.name]
    return ordered


def waits_for(mart: Mart, behind: Collection[str]) -> bool:
    """Whether a mart that it reads is still behind: then it keeps its previous version as well."""
    return bool(set(mart.reads) & set(behind))
