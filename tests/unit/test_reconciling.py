"""Which days two stores differ in, and which chunks."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from shared.domain.reconciling import by_chunk, differences, of_mart, rows_by_day, told_days

DAY = date(2026, 3, 1)
NEXT = DAY + timedelta(days=1)
PAIRS = st.tuples(st.integers(1, 99), st.decimals(0, 999, places=2))
TOTALS = st.dictionaries(st.tuples(st.sampled_from([DAY, NEXT]), st.sampled_from(["GBP", "EUR"])), PAIRS)


@given(TOTALS)
def test_a_store_agrees_with_itself(totals: dict[tuple[date, str], tuple[int, Decimal]]) -> None:
    found = differences(totals, dict(totals), ())
    assert set(found) == {day for day, _ in totals}
    assert not any(found.values())


@given(TOTALS, TOTALS)
def test_a_day_differs_when_a_currency_does_and_is_left_out_while_it_is_under_way(
    one: dict[tuple[date, str], tuple[int, Decimal]], other: dict[tuple[date, str], tuple[int, Decimal]]
) -> None:
    found = differences(one, other, {NEXT})
    assert NEXT not in found
    assert found.get(DAY, 0) == sum(one.get((DAY, c)) != other.get((DAY, c)) for c in ("GBP", "EUR"))


def test_a_cent_is_a_difference_and_another_scale_is_none() -> None:
    truth = {(DAY, "GBP"): (1, Decimal("5.0000"))}
    assert differences(truth, {(DAY, "GBP"): (1, Decimal("5"))}, ()) == {DAY: 0}
    assert differences(truth, {(DAY, "GBP"): (1, Decimal("5.01"))}, ()) == {DAY: 1}


def test_only_the_chunks_that_differ_are_named_with_both_figures() -> None:
    truth = {"a": (2, Decimal("5.00")), "b": (1, Decimal("1.00"))}
    copy = {"a": (2, Decimal("5")), "b": (1, Decimal("1.01")), "c": (1, Decimal("7"))}
    found = by_chunk(truth, copy, [DAY])
    assert [(one.where, one.told) for one in found] == [
        ("chunk b", "2026-03-01: Postgres has 1 rows, 1.00; sales.transactions has 1 rows, 1.01"),
        ("chunk c", "2026-03-01: Postgres has 0 rows, 0; sales.transactions has 1 rows, 7"),
    ]


def test_a_mart_is_told_with_the_sums_of_its_days() -> None:
    truth = {(DAY, "GBP"): (1, Decimal(5)), (DAY, "EUR"): (2, Decimal(6)), (NEXT, "GBP"): (9, Decimal(9))}
    found = of_mart("marts.m", truth, {}, [DAY])
    assert (found.where, found.told) == ("marts.m", "2026-03-01: Postgres has 3 rows, 11; marts.m has 0 rows, 0")
    assert rows_by_day(truth) == {DAY: 3, NEXT: 9}


def test_many_days_are_told_by_their_number_and_the_first_ones() -> None:
    days = [DAY + timedelta(days=number) for number in range(9)]
    assert told_days(days).startswith("9 days (2026-03-01, ")
    assert told_days(days[:2]) == "2026-03-01, 2026-03-02"
