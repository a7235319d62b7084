"""What is doubled in the warehouse is there once after a refeed, and a newer feed's rows stay as they are."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from shared.adapters.reconciliation import FACT, MART, warehouse_totals
from shared.adapters.refeeds import merge_sql
from shared.adapters.warehouse_sql import feed_table
from shared.messages import Enriched, WarehouseLoaded
from tests.functions.harness import Row, sale, unique
from tests.functions.test_refeed import bench, fed, order, same_everywhere, through
from tests.functions.warehousing import Bench
from tests.integration.postgres.rows import Product

__all__ = ["bench"]

DOUBLED_SALE = """INSERT INTO sales.transactions SELECT * FROM sales.transactions
                  WHERE sale_date = @day AND transaction_id = @id"""
DOUBLED_LEVELS = """INSERT INTO sales.inventory_levels SELECT * FROM sales.inventory_levels
                    WHERE level_date BETWEEN @first AND @last"""
BEYOND_ONE = "SELECT COUNT(*) - COUNT(DISTINCT {key}) AS n FROM sales.{table}"
LISTS = {"users": "user_key", "products": "product_key"}


def double(bench: Bench, row: Row, day: str) -> None:
    bench.warehouse.run(DOUBLED_SALE, {"day": date.fromisoformat(day), "id": row["transaction_id"]})


def load_and_build(bench: Bench, *feeds: Enriched) -> None:
    """Each feed to the mart, in this order."""
    for feed in feeds:
        bench.load(feed)
        loaded = bench.publisher.of("warehouse_loaded")[-1]
        assert isinstance(loaded, WarehouseLoaded)
        bench.build(Enriched(feed_id=feed.feed_id, tables={}, days=loaded.days))


def sold(bench: Bench, row: Row, day: str) -> list[tuple[Decimal, int]]:
    return [(found["amount"], found["feed_id"]) for found in bench.sale(row, day)]


def test_a_doubled_sale_is_one_after_a_refeed_of_its_day_in_every_column_and_in_the_mart(bench: Bench) -> None:
    row, day = sale(timestamp="2024-07-01T10:00:00Z"), "2024-07-01"
    fed(bench, row, sale(timestamp="2024-07-01T11:00:00Z"))
    (before,) = bench.sale(row, day)
    for _ in range(2):
        double(bench, row, day)
        assert not same_everywhere(bench)
        order(bench, day, day)
        feed = through(bench)
        assert bench.sale(row, day) == [{**before, "feed_id": feed.feed_id}]
        assert warehouse_totals(bench.warehouse, MART)[date.fromisoformat(day), "GBP"] == (2, Decimal("39.98"))
        assert same_everywhere(bench)


def test_the_statement_of_a_refeed_run_again_changes_nothing(bench: Bench) -> None:
    row, day = sale(timestamp="2024-07-09T10:00:00Z"), "2024-07-09"
    fed(bench, row)
    order(bench, day, day)
    feed = through(bench)
    before = bench.sale(row, day)
    sql = merge_sql(feed, FACT).replace("${feed}", feed_table(feed.feed_id, FACT))
    bench.warehouse.run(sql, {"feed_id": feed.feed_id, "days": feed.days})
    assert bench.sale(row, day) == before


def test_a_sale_that_left_the_day_is_one_on_its_new_day_and_other_sales_of_that_stay(bench: Bench) -> None:
    row, other = sale(timestamp="2024-07-03T10:00:00Z"), sale(timestamp="2024-07-02T10:00:00Z")
    fed(bench, row, other)
    moving = bench.feed({**row, "timestamp": "2024-07-02T11:00:00Z"})
    double(bench, row, "2024-07-03")
    order(bench, "2024-07-03", "2024-07-03")
    refeed = bench.feeding.feed()
    load_and_build(bench, moving, refeed)
    assert sold(bench, row, "2024-07-02") == [(Decimal("19.99"), refeed.feed_id)]
    assert len(sold(bench, other, "2024-07-02")) == 1
    assert same_everywhere(bench)


def test_a_newer_feed_that_came_before_the_refeed_keeps_its_rows_and_none_is_doubled(bench: Bench) -> None:
    row, moved, other = (sale(timestamp=f"2024-07-05T1{hour}:00:00Z") for hour in range(3))
    fed(bench, row, moved, other)
    order(bench, "2024-07-05", "2024-07-05")
    refeed = bench.feeding.feed()
    newer = bench.feed(
        {**row, "status": "refunded", "amount": "25.00"},
        {**moved, "timestamp": "2024-07-04T10:00:00Z"},
    )
    double(bench, other, "2024-07-05")
    load_and_build(bench, newer, refeed, refeed)
    assert sold(bench, row, "2024-07-05") == [(Decimal("25.00"), newer.feed_id)]
    assert sold(bench, moved, "2024-07-05") == []
    assert sold(bench, moved, "2024-07-04") == [(Decimal("19.99"), newer.feed_id)]
    assert sold(bench, other, "2024-07-05") == [(Decimal("19.99"), refeed.feed_id)]
    assert same_everywhere(bench)


def test_what_is_doubled_in_any_table_is_one_after_a_refeed_of_the_whole(bench: Bench) -> None:
    product, row = unique("product"), sale(timestamp="2024-07-07T10:00:00Z")
    bench.load(bench.stock(Product(product, hours=1), Product(product, hours=30, stock=6)))
    fed(bench, row)
    before = bench.levels(product)
    double(bench, row, "2024-07-07")
    bench.warehouse.run(DOUBLED_LEVELS, {"first": date(2025, 3, 1), "last": date(2025, 3, 9)})
    for table in LISTS:
        bench.warehouse.run(f"INSERT INTO sales.{table} SELECT * FROM sales.{table}", {})
    order(bench)
    through(bench)
    for table, key in LISTS.items():
        assert bench.warehouse.run(BEYOND_ONE.format(key=key, table=table), {}) == [{"n": 0}], table
    assert [level[:-1] for level in bench.levels(product)] == [level[:-1] for level in before]
    assert len(bench.sale(row, "2024-07-07")) == 1
    assert same_everywhere(bench)
