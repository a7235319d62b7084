"""The cost model, and that docs/cost.md shows what it says."""

from __future__ import annotations

from decimal import Decimal

from benchmarks.cost_model import SIZES, Load, naive, ours, table
from shared.domain.quotas import QUOTAS
from tests.test_docs import first_column, section, text

MB = 2**20


def test_the_page_shows_the_table_that_the_model_prints() -> None:
    assert "\n".join(table()) in text("docs/cost.md")


def test_the_page_names_every_quota() -> None:
    assert sorted(first_column(section("docs/cost.md", "## Quotas"))) == sorted(quota.name for quota in QUOTAS)


def test_small_feeds_are_billed_the_least_of_each_table() -> None:
    one = ours(1, load=Load(feeds=1, marts=1, reconciles=0))
    assert one.bytes_a_day == (2 + 1 + 2) * 10 * MB
    assert one.queries == (Decimal("6.25") * 30 * one.bytes_a_day / 2**40).quantize(Decimal("1e-9"))


def test_what_feeds_cost_grows_with_the_history_in_the_naive_way_alone() -> None:
    for rows in SIZES:
        short, long = Load(history_days=365, reconciles=0), Load(history_days=1460, reconciles=0)
        assert ours(rows, load=short).queries == ours(rows, load=long).queries
        assert naive(rows, load=long).queries > naive(rows, load=short).queries >= ours(rows).queries


def test_reconcile_reads_day_currency_and_amount_of_every_row_each_hour() -> None:
    rows, days = 2**20, 64
    without = ours(rows, load=Load(history_days=days, reconciles=0)).bytes_a_day
    assert ours(rows, load=Load(history_days=days)).bytes_a_day - without == 24 * (days * 29 * MB + 10 * MB)
