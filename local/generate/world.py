"""The shop that the data tells of: what things cost, who buys, when, in which currency, and what a currency is worth.

Everything is drawn once from the seed into tables, because drawing a sale must cost a few microseconds.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise
from random import Random

BASE = "GBP"
RATES = {"EUR": 0.853, "USD": 0.786, "SEK": 0.0746, "JPY": 0.00531}
UNRATED = "CHF"
WITHOUT_CENTS = frozenset({"JPY"})
RATE_SCALE = 1_000_000
SECONDS_A_DAY = 86_400

CURRENCY_WEIGHTS = {BASE: 58, "EUR": 22, "USD": 11, "SEK": 5, "JPY": 4}
STATUS_WEIGHTS = {"completed": 87, "pending": 4, "failed": 3, "cancelled": 3, "refunded": 3}
METHOD_WEIGHTS = {
    "card": 54,
    "paypal": 20,
    "wallet": 10,
    "bank_transfer": 5,
    "invoice": 4,
    "gift_card": 4,
    "cash_on_delivery": 2,
    "other": 1,
}
HOUR_WEIGHTS = (3, 2, 1, 1, 1, 2, 4, 8, 13, 17, 19, 21, 24, 22, 20, 19, 19, 21, 25, 29, 30, 25, 16, 8)
QUANTITIES = (1, 1, 1, 1, 1, 1, 1, 1, 2, 2, 2, 3, 4, 6, 10, 12)


def table(weights: dict[str, int]) -> tuple[str, ...]:
    """Each value as often as it weighs, so that one random index draws it."""
    return tuple(value for value, weight in weights.items() for _ in range(weight))


CURRENCIES = table(CURRENCY_WEIGHTS)
STATUSES = table(STATUS_WEIGHTS)
METHODS = table(METHOD_WEIGHTS)
HOURS = tuple(hour for hour, weight in enumerate(HOUR_WEIGHTS) for _ in range(weight))
CLOCK = tuple(f"{s // 3600:02d}:{s // 60 % 60:02d}:{s % 60:02d}" for s in range(SECONDS_A_DAY))


@dataclass(frozen=True, slots=True)
class World:
    """The tables of one seed. Prices are hundredths of the base currency, rates millionths of it for one unit."""

    start: date
    days: int
    day_names: Sequence[str]
    prices: Sequence[int]
    published_rates: Sequence[tuple[date, str, int]]
    rates: Sequence[dict[str, int]]
    units_per_base: dict[str, float]

    @property
    def seconds(self) -> int:
        return self.days * SECONDS_A_DAY


def make_world(rng: Random, *, start: date, days: int, products: int) -> World:
    """Draw the tables. Prices are log-normal; rates walk a little each working day and rest at week-ends."""
    published = _walk_rates(rng, start, days)
    return World(
        start=start,
        days=days,
        day_names=[(start + timedelta(days=n)).isoformat() for n in range(days)],
        prices=[min(200_000, max(50, round(100 * rng.lognormvariate(2.6, 0.9)))) for _ in range(products)],
        published_rates=published,
        rates=_known_rates(published, start, days),
        units_per_base={BASE: 1.0, UNRATED: 1.12, **{currency: 1 / rate for currency, rate in RATES.items()}},
    )


def _walk_rates(rng: Random, start: date, days: int) -> list[tuple[date, str, int]]:
    """From a week before the first day, so that every day has a rate on it or before it."""
    now = dict(RATES)
    published = []
    for n in range(-7, days):
        day = start + timedelta(days=n)
        if day.weekday() >= 5:
            continue
        for currency, rate in now.items():
            now[currency] = rate * (1 + rng.gauss(0, 0.004))
            published.append((day, currency, round(now[currency] * RATE_SCALE)))
    return published


def _known_rates(published: Sequence[tuple[date, str, int]], start: date, days: int) -> list[dict[str, int]]:
    """For each day the last rate published on it or before it."""
    by_day: dict[date, dict[str, int]] = {}
    for day, currency, rate in published:
        by_day.setdefault(day, {})[currency] = rate
    known: dict[str, int] = {BASE: RATE_SCALE}
    every_day: list[dict[str, int]] = []
    for n in range(-7, days):
        known = known | by_day.get(start + timedelta(days=n), {})
        if n >= 0:
            every_day.append(known)
    return every_day


def split(total: int, parts: int) -> list[int]:
    """A whole number in parts that differ by one at most."""
    edges = [total * n // parts for n in range(parts + 1)]
    return [after - before for before, after in pairwise(edges)]
