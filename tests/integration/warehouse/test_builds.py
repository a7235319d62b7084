"""What a build of the marts replaces, what it leaves alone, and what it does when something is wrong."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from shared.adapters import marts as building
from shared.adapters.mart_totals import compare_marts
from shared.adapters.marts import Facts
from shared.adapters.reconciliation import ALL_DAYS
from shared.adapters.warehouse_sql import marts
from shared.domain.marts import Mart
from tests.integration.warehouse.world import NOTHING_CLOSED, NOW, World, level, sale

OLD, OTHER, NEW = date(2024, 11, 20), date(2024, 11, 21), date(2026, 5, 20)
DAILY = next(mart for mart in marts() if mart.short == "daily_sales_summary")
BUILDS = "SELECT mart, periods, kept_back FROM pipeline.mart_build WHERE build_id > $1 ORDER BY build_id"


def sold(world: World, mart: Mart = DAILY) -> dict[date, tuple[int, Decimal]]:
    """Transactions and net by day of the daily mart."""
    sql = f"""SELECT sale_date, SUM(transactions) AS n, SUM(net_revenue) AS net FROM {mart.name}
              WHERE sale_date >= DATE '2000-01-01' GROUP BY sale_date"""
    return {row["sale_date"]: (row["n"], row["net"]) for row in world.client.query(sql).result()}


def test_a_late_row_rebuilds_exactly_its_day_and_its_month(empty: World) -> None:
    empty.build_after(sale(1, OLD), sale(2, OTHER), sale(3, NEW))
    before = empty.everything()
    last = empty.session.rows("SELECT max(build_id) FROM pipeline.mart_build")[0][0]
    empty.build_after(sale(4, OLD, "2.50", is_late=True))
    month = date(2024, 11, 1)
    assert {name: periods for name, periods, _ in empty.session.rows(BUILDS, last)} == {
        mart.name: [month if mart.period == "month" else OLD] for mart in marts()
    }
    after = empty.everything()
    for mart in marts():
        changed = set(after[mart.short]) ^ set(before[mart.short])
        assert changed, mart.name
        kept = OTHER if mart.period == "day" else NEW.replace(day=1)
        assert not [row for row in changed if f"('{mart.partition}', {kept!r})" in row]


def test_building_twice_changes_nothing_and_builds_nothing(empty: World) -> None:
    empty.build_after(sale(1, OLD), sale(2, NEW, user_key=None))
    before, builds = empty.everything(), empty.session.rows("SELECT count(*)::int FROM pipeline.mart_build")
    empty.build()
    assert empty.session.rows("SELECT count(*)::int FROM pipeline.mart_build") == builds
    empty.mark({"sales.transactions": [OLD, NEW]})
    empty.build()
    assert empty.everything() == before


def test_a_day_that_lost_its_last_row_is_empty_in_every_mart(empty: World) -> None:
    empty.build_after(sale(1, OLD))
    empty.build_after(sale(1, NEW))
    for rows in empty.everything().values():
        assert rows
        assert not [row for row in rows if repr(OLD) in row or repr(OLD.replace(day=1)) in row]


def test_a_failing_check_leaves_the_previous_version_of_its_period_alone_and_alerts(empty: World) -> None:
    empty.build_after(sale(1, OLD), sale(2, NEW))
    empty.build_after({**sale(1, OLD), "net": Decimal("999")}, sale(2, NEW, "12.00"))
    assert sold(empty) == {OLD: (1, Decimal("10.00")), NEW: (1, Decimal("12.00"))}
    assert ("marts.daily_sales_summary", OLD) in empty.session.rows("SELECT mart, period FROM pipeline.mart_dirty")
    told = [told for severity, subject, told in empty.alerts() if severity == "critical" and "daily_sales" in subject]
    assert told
    assert all("the previous version stands" in each and "2024-11-20" in each for each in told)


def test_a_period_that_failed_is_built_when_its_facts_are_mended(empty: World) -> None:
    empty.build_after({**sale(1, OLD), "net": Decimal("999")})
    assert sold(empty) == {}
    empty.build_after(sale(1, OLD))
    assert sold(empty) == {OLD: (1, Decimal("10.00"))}
    assert empty.session.rows("SELECT count(*)::int FROM pipeline.mart_dirty") == [(0,)]


def test_a_build_that_would_read_more_than_its_limit_is_refused_and_the_previous_version_stands(
    empty: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    empty.build_after(sale(1, OLD))
    monkeypatch.setattr(building, "LEAST_BYTES", 1)
    empty.mark({"sales.transactions": empty.put(sale(1, OLD, "20.00"))})
    done = empty.build(max_bytes=1)
    assert done.replaced == 0
    assert done.behind == {mart.name for mart in marts()}
    assert sold(empty) == {OLD: (1, Decimal("10.00"))}
    assert {subject for _, subject, _ in empty.alerts()} == {f"{mart.name} too_many_bytes" for mart in marts()}


def test_a_mark_that_comes_while_a_build_runs_stays(empty: World) -> None:
    empty.mark({"sales.transactions": empty.put(sale(1, OLD))})

    class Meanwhile:
        def run(self, sql: str, *args: object, **more: object) -> object:
            if "MERGE" in sql:
                empty.mark({"sales.transactions": [OLD]})
            return empty.warehouse.run(sql, *args, **more)  # type: ignore[arg-type]

    facts = Facts("GBP", NOTHING_CLOSED, 1 << 30)
    building.build_marts(empty.session, Meanwhile(), [DAILY], facts, has_time=iter([True, False]).__next__)  # type: ignore[arg-type]
    assert (DAILY.name, OLD) in empty.session.rows("SELECT mart, period FROM pipeline.mart_dirty")


def test_numbers_that_come_again_after_a_restore_find_no_jobs_of_earlier_builds(empty: World) -> None:
    empty.build_after(sale(1, OLD))
    empty.session.rows("TRUNCATE pipeline.mart_build RESTART IDENTITY")
    empty.build_after(sale(1, OLD, "20.00"))
    empty.session.rows("TRUNCATE pipeline.mart_build RESTART IDENTITY")
    empty.build_after(sale(1, OLD, "30.00"))
    assert sold(empty) == {OLD: (1, Decimal("30.00"))}


def test_without_time_nothing_begins_and_the_marks_stay(empty: World) -> None:
    empty.mark({"sales.transactions": empty.put(sale(1, OLD))})
    facts = Facts("GBP", NOTHING_CLOSED, 1 << 30)
    done = building.build_marts(empty.session, empty.warehouse, [DAILY], facts, has_time=lambda: False)
    assert (done.replaced, done.behind) == (0, {DAILY.name})


def test_a_run_by_message_leaves_the_marts_of_the_night_and_an_order_does_not(empty: World) -> None:
    empty.mark({"sales.transactions": [OLD]})
    by_message = building.due_marts(empty.session, marts(), NOW, by_schedule=False)
    assert {mart.cadence for mart in by_message} == {"load"}
    empty.mark({"sales.transactions": [OLD]}, urgent=True)
    assert building.due_marts(empty.session, marts(), NOW, by_schedule=False) == list(marts())


def test_stock_alone_marks_only_the_mart_that_shows_it(empty: World) -> None:
    empty.mark({"sales.inventory_levels": empty.put_levels(level(7, OLD, 3))})
    assert empty.session.rows("SELECT mart, period FROM pipeline.mart_dirty") == [("marts.product_performance", OLD)]


def test_marts_that_agree_have_no_finding_and_a_cent_off_is_one(empty: World) -> None:
    empty.build_after(sale(1, OLD), sale(2, NEW, "-3.00", status="refunded"), sale(3, NEW, user_key=None))
    assert compare_marts(empty.session, empty.warehouse, ALL_DAYS) == []
    for mart in marts():
        if mart is not DAILY:
            where = f"WHERE {mart.partition} < DATE '2025-01-01'"
            sql = f"UPDATE {mart.name} SET net_base = net_base + NUMERIC '0.01' {where}"
            empty.client.query(sql).result()
    off = compare_marts(empty.session, empty.warehouse, ALL_DAYS)
    assert [(one.kind, one.where) for one in off] == [
        ("mismatch", "financial_reports 2024-11-20 net"), ("mismatch", "product_performance 2024-11-20 net"),
        ("mismatch", "user_analytics 2024-11-01 net"),
    ]  # fmt: skip


def test_a_period_that_is_out_of_date_is_not_compared(empty: World) -> None:
    empty.build_after(sale(1, OLD))
    empty.mark({"sales.transactions": empty.put(sale(2, OLD))})
    empty.build([DAILY])
    assert compare_marts(empty.session, empty.warehouse, ALL_DAYS) == []
