"""When a mart is built, of which periods, after what."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.adapters.warehouse_sql import marts
from shared.domain.marts import Cadence, Mart, in_order, waits_for

NOW = datetime(2026, 3, 2, 2, 20, tzinfo=UTC)


def mart(name: str = "marts.m", *reads: str, cadence: Cadence = "load", monthly: bool = False) -> Mart:
    return Mart(name, "day", cadence, "month" if monthly else "day", reads or ("sales.transactions",))


def test_the_days_of_a_table_are_periods_of_the_marts_that_read_it_alone() -> None:
    touched = {"sales.transactions": [date(2026, 3, 2), date(2026, 2, 28)], "sales.other": [date(2020, 1, 1)]}
    assert mart().periods(touched) == [date(2026, 2, 28), date(2026, 3, 2)]
    assert mart(monthly=True).periods(touched) == [date(2026, 2, 1), date(2026, 3, 1)]
    assert mart("marts.m", "sales.users").periods(touched) == []


@given(st.sets(st.dates(date(2000, 1, 1), date(2199, 12, 31)), max_size=50))
def test_the_days_of_the_months_of_some_days_contain_them_and_no_other_month(days: set[date]) -> None:
    monthly = mart(monthly=True)
    months = monthly.periods({"sales.transactions": days})
    found = monthly.days(months)
    assert days <= set(found)
    assert {day.replace(day=1) for day in found} == set(months)
    assert len(found) == len(set(found))


def test_a_mart_that_follows_each_load_is_always_due() -> None:
    assert mart().is_due(NOW, NOW, None, by_schedule=False, urgent=False)


def test_an_hourly_mart_waits_for_the_schedule_and_an_order_does_not() -> None:
    hourly = mart(cadence="hourly")
    assert not hourly.is_due(NOW, None, None, by_schedule=False, urgent=False)
    assert hourly.is_due(NOW, NOW, None, by_schedule=True, urgent=False)
    assert hourly.is_due(NOW, NOW, None, by_schedule=False, urgent=True)


def test_a_nightly_mart_is_due_the_first_time_and_by_schedule_alone() -> None:
    nightly = mart(cadence="nightly")
    assert nightly.is_due(NOW, None, None, by_schedule=True, urgent=False)
    assert not nightly.is_due(NOW, NOW - timedelta(days=2), None, by_schedule=False, urgent=False)


def test_a_nightly_mart_that_is_always_out_of_date_is_built_once_each_night_by_an_hourly_schedule() -> None:
    nightly, built = mart(cadence="nightly"), [NOW]
    for hour in range(10 * 24):
        now = NOW + timedelta(hours=hour)
        if nightly.is_due(now, built[-1], built[-1], by_schedule=True, urgent=False):
            built.append(now + timedelta(seconds=40))
    assert [(one.date() - NOW.date()).days for one in built] == list(range(11))
    assert {one.hour for one in built[1:]} == {0}


def test_a_nightly_mart_is_due_again_on_its_day_while_a_change_from_before_it_was_not_tried() -> None:
    nightly, midnight = mart(cadence="nightly"), NOW.replace(hour=0, minute=0)
    before = midnight - timedelta(seconds=1)
    assert nightly.is_due(NOW, NOW, before, by_schedule=True, urgent=False)
    assert not nightly.is_due(NOW, NOW, before, by_schedule=False, urgent=False)
    assert not nightly.is_due(NOW, NOW, midnight, by_schedule=True, urgent=False)


def test_what_a_mart_reads_is_built_before_it() -> None:
    last, first, middle = mart("marts.a", "marts.c"), mart("marts.z"), mart("marts.c", "marts.z")
    assert in_order([last, first, middle]) == [first, middle, last]


def test_marts_that_wait_for_each_other_are_refused_by_name() -> None:
    with pytest.raises(ValueError, match=r"marts\.a, marts\.b"):
        in_order([mart("marts.a", "marts.b"), mart("marts.b", "marts.a"), mart("marts.c")])


def test_a_mart_keeps_its_version_while_one_that_it_reads_is_behind() -> None:
    assert waits_for(mart("marts.a", "marts.b"), {"marts.b"})
    assert not waits_for(mart("marts.a", "marts.b"), {"marts.c"})


def test_the_marts_of_the_project_are_all_there() -> None:
    assert {one.short: (one.cadence, one.period) for one in marts()} == {
        "daily_sales_summary": ("load", "day"),
        "product_performance": ("load", "day"),
        "financial_reports": ("hourly", "day"),
        "user_analytics": ("nightly", "month"),
    }
