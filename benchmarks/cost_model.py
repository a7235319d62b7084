"""What BigQuery costs at 100K, 1M, 10M and 100M rows a day: formulas over measured bytes of a row.

python -m benchmarks.cost_model      prints the table of docs/cost.md
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from shared.adapters.prices import price_list

SIZES = (100_000, 1_000_000, 10_000_000, 100_000_000)
MONTH_DAYS = 30
LONG_TERM_AFTER_DAYS = 90


@dataclass(frozen=True)
class RowBytes:
    """Logical bytes of one row, as `make bench-cost` measures them."""

    fact: int
    """sales.transactions, all columns: what a MERGE reads of a partition."""
    feed: int
    """The staging table of a feed."""
    mart_input: int
    """The columns of the fact that daily_sales_summary reads."""
    totals: int
    """Day, currency and amount, which reconcile sums over all days."""


@dataclass(frozen=True)
class Load:
    """How rows come, and how often all of them are compared.

    Feeds a day, full earlier days that each touches beside today, marts that follow each feed, runs of reconcile a day.
    """

    feeds: int = 720
    late_days: int = 1
    marts: int = 2
    history_days: int = 730
    reconciles: int = 24


@dataclass(frozen=True)
class Cost:
    """Bytes that a day's queries bill, and dollars of a month."""

    bytes_a_day: int
    queries: Decimal
    storage: Decimal

    @property
    def month(self) -> Decimal:
        """Everything, a month."""
        return self.queries + self.storage


MEASURED = RowBytes(fact=392, feed=384, mart_input=194, totals=29)
"""`make bench-cost` on 2026-11-25: 200,000 rows with every column filled, texts of 16 letters where length is free.

`totals` is 8 + 5 + 16 (https://cloud.google.com/bigquery/pricing#data).
"""


def ours(rows: int, row: RowBytes = MEASURED, load: Load = Load()) -> Cost:  # frozen
    """A feed merges into today, half full on average, and the late days; the mart builds the same days."""
    touched = rows // 2 + rows * load.late_days
    return _cost(rows, touched, row, load)


def naive(rows: int, row: RowBytes = MEASURED, load: Load = Load()) -> Cost:  # frozen
    """The same without partition filters: each feed reads the whole table, for the merge and for the mart."""
    return _cost(rows, rows * load.history_days, row, load)


def _cost(rows: int, touched: int, row: RowBytes, load: Load) -> Cost:
    prices = price_list()
    merge = prices.billed({"fact": touched * row.fact, "feed": rows // load.feeds * row.feed})
    mart = prices.billed({"fact": touched * row.mart_input}) + prices.billed({"mart": 0, "staged": 0})
    compared = prices.billed({"fact": rows * load.history_days * row.totals, "mart": 0})
    a_day = (merge + load.marts * mart) * load.feeds + compared * load.reconciles
    recent = min(load.history_days, LONG_TERM_AFTER_DAYS) * rows * row.fact
    older = max(load.history_days - LONG_TERM_AFTER_DAYS, 0) * rows * row.fact
    return Cost(a_day, prices.query(a_day * MONTH_DAYS), prices.storage(recent, older))


def table() -> Iterator[str]:
    """The lines of the table in docs/cost.md."""
    heads = (
        "rows a day",
        "billed a day, GiB",
        "queries, USD a month",
        "storage",
        "together",
        "naive, together",
        "ratio",
    )
    yield f"| {' | '.join(heads)} |"
    yield "|---|---|---|---|---|---|---|"
    for rows in SIZES:
        good, bad = ours(rows), naive(rows)
        yield (
            f"| {rows:,} | {good.bytes_a_day / 2**30:,.0f} | {good.queries:,.2f} | {good.storage:,.2f} "
            f"| {good.month:,.2f} | {bad.month:,.0f} | {bad.month / good.month:,.0f} |"
        )


if __name__ == "__main__":
    print("\n".join(table()))  # noqa: T201  # the program's output
