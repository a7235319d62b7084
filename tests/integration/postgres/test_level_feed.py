"""The levels of stock in the feed: the last one of each product and day, with what the catalogue said then."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import pytest

from shared.adapters.postgres import Session
from shared.adapters.queries import Value, query, rows_of
from tests.integration.postgres.rows import Product, Txn, load, load_products
from tests.integration.postgres.test_feed import copy_rows, plan
from tests.integration.postgres.test_reprocess import load as load_pass
from tests.integration.postgres.test_reprocess import products

Level = tuple[str, str, str, str]


@dataclass
class Levels:
    """Reads the levels that changed, and moves on."""

    session: Session

    def read(self) -> list[Level]:
        """Day, product, stock and price."""
        with self.session.transaction("ISOLATION LEVEL REPEATABLE READ"):
            ((_, position, following, system, timeline, problem),) = rows_of(self.session, "read_feed_position")
            assert problem is None
            rows_of(self.session, "create_level_selection")
            rows_of(self.session, "select_changed_levels", position=position)
            days = [str(day) for (day,) in rows_of(self.session, "list_level_days")]
            rows = copy_rows(self.session, "enrich_inventory_levels")
            moved: dict[str, Value] = {"position": following, "system_identifier": system, "timeline": timeline}
            rows_of(self.session, "move_feed_position", **moved)
        assert sorted({row["level_date"] for row in rows}) == days
        return sorted((row["level_date"], row["product_id"], row["inventory_count"], row["price"]) for row in rows)


@pytest.fixture
def levels(session: Session) -> Levels:
    return Levels(session)


def test_every_level_comes_once_and_then_only_what_changed(session: Session, levels: Levels) -> None:
    load_products(session, Product(stock=7), Product("P2", stock=4), Product("P3", stock=None))
    assert levels.read() == [("2025-03-01", "P1", "7", "5.00"), ("2025-03-01", "P2", "4", "5.00")]
    assert levels.read() == []
    load_products(session, Product(hours=30, stock=6))
    assert levels.read() == [("2025-03-02", "P1", "6", "5.00")]


def test_a_day_has_its_last_level_with_the_price_of_that_moment(session: Session, levels: Levels) -> None:
    load_products(session, Product(hours=1, stock=7), Product(hours=23.9, stock=3, price="6.00"))
    assert levels.read() == [("2025-03-01", "P1", "3", "6.00")]
    load_products(session, Product(hours=24, stock=2, price="9.00"))
    assert levels.read() == [("2025-03-02", "P1", "2", "9.00")]


def test_a_late_level_of_a_day_changes_it_where_it_is_the_last(session: Session, levels: Levels) -> None:
    load_products(session, Product(hours=10, stock=7), Product(hours=50, stock=1))
    levels.read()
    load_products(session, Product(hours=12, stock=5))
    assert levels.read() == [("2025-03-01", "P1", "5", "5.00")]
    load_products(session, Product(hours=11, stock=9))
    assert levels.read() == [("2025-03-01", "P1", "5", "5.00")]


def test_a_late_price_between_two_levels_changes_neither(session: Session, levels: Levels) -> None:
    load_products(session, Product(hours=1), Product(hours=40), Product(hours=60, price="7.00"))
    before = levels.read()
    load_products(session, Product(hours=30, stock=None, price="6.00"))
    assert set(levels.read()) <= set(before)


def test_what_is_fed_in_the_end_does_not_depend_on_the_order_of_arrival(session: Session) -> None:
    told = [Product(hours=1), Product(hours=20, stock=3), Product(hours=30, price="6.00"), Product(hours=29)]
    for order in itertools.permutations(told):
        session.rows("TRUNCATE commerce.products, pipeline.feed_position CASCADE")
        levels, warehouse = Levels(session), dict[tuple[str, str], list[str]]()
        for row in order:
            load_products(session, row)
            warehouse.update({(day, product): rest for day, product, *rest in levels.read()})
        assert warehouse == {("2025-03-01", "P1"): ["3", "5.00"], ("2025-03-02", "P1"): ["7", "6.00"]}, order


def test_a_level_read_otherwise_when_its_file_is_processed_again_is_fed_again(session: Session, levels: Levels) -> None:
    load_products(session, Product(hours=1, stock=9))
    load_pass(session, "products", "f", products(("P1", 2, "5.00", 7)), 1)
    assert levels.read() == [("2025-03-01", "P1", "7", "5.00")]
    load_pass(session, "products", "f", products(("P1", 2, "5.00", 8)), 1, 1)
    assert levels.read() == [("2025-03-01", "P1", "8", "5.00")]
    load_pass(session, "products", "f", products(("P1", 2, "6.00", 8)), 1, 2)
    assert levels.read() == [("2025-03-01", "P1", "8", "6.00")]
    load_pass(session, "products", "f", products(("P1", 2, "6.00", None)), 1, 3)
    assert levels.read() == [("2025-03-01", "P1", "9", "5.00")], "the day's last level is the one before it"
    load_pass(session, "products", "f", products(("P1", 2, "6.00", 4)), 1, 4)
    assert levels.read() == [("2025-03-01", "P1", "4", "6.00")]


def test_the_only_level_of_a_day_that_is_taken_back_is_fed_as_unknown(session: Session, levels: Levels) -> None:
    load_pass(session, "products", "f", products(("P1", 2, "5.00", 7)), 1)
    levels.read()
    load_pass(session, "products", "f", products(("P1", 2, "5.00", None)), 1, 1)
    assert levels.read() == [("2025-03-01", "P1", r"\N", "5.00")]


def test_a_release_that_moves_only_its_own_position_leaves_every_level_to_the_next(
    session: Session, levels: Levels
) -> None:
    load_products(session, Product())
    session.rows("UPDATE commerce.inventory_level SET change_seq = 0")
    older = """INSERT INTO pipeline.feed_position (position, system_identifier, timeline)
               SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint, system_identifier, timeline_id
               FROM pg_control_system(), pg_control_checkpoint()"""
    session.rows(older)
    assert levels.read() == [("2025-03-01", "P1", "7", "5.00")]
    assert levels.read() == []


def test_an_inferred_product_has_no_level(session: Session, levels: Levels) -> None:
    load(session, Txn())
    assert levels.read() == []


def test_a_small_change_is_found_by_the_index(session: Session) -> None:
    load_products(session, *(Product(f"P{n}", hours=h) for n in range(2_000) for h in (1, 30, 60)))
    session.rows("ANALYZE")
    position = session.row("SELECT max(change_seq) FROM commerce.inventory_level")[0]
    with session.transaction():
        rows_of(session, "create_level_selection")
        text = plan(session, query("select_changed_levels").sql.replace("$1", str(position + 1)))
    assert "inventory_level_change_seq" in text
    assert "Seq Scan" not in text
