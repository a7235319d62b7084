"""The equation: nothing is off only where every row has one outcome; two stores agree only to the cent."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.balance import Account, Finding, compare
from tests.unit.judging import few

OUTCOMES = ("inserted", "updated", "unchanged", "superseded", "quarantined", "held")
COUNT = st.integers(0, 10**12)


@st.composite
def balanced(draw: st.DrawFn) -> Account:
    """An account in which every row has its outcome."""
    counts = {name: draw(COUNT) for name in OUTCOMES}
    return Account("chunk c", sum(counts.values()), **counts, pending=0, quarantine_rows=counts["quarantined"])


def kinds(account: Account) -> list[str]:
    return [finding.kind for finding in account.findings()]


@few
@given(balanced())
def test_a_balanced_account_is_free_of_findings(account: Account) -> None:
    assert kinds(account) == []


@few
@given(balanced(), st.sampled_from([*OUTCOMES, "received"]), st.integers(-(10**6), 10**6).filter(bool))
def test_one_count_that_is_off_unbalances_the_account(account: Account, name: str, by: int) -> None:
    off = replace(account, **{name: getattr(account, name) + by})
    assert kinds(off) == (["unbalanced", "quarantine"] if name == "quarantined" else ["unbalanced"])


@few
@given(balanced(), st.integers(1, 10**6))
def test_pending_rows_balance_but_are_told(account: Account, rows: int) -> None:
    waiting = replace(account, received=account.received + rows, pending=rows)
    assert kinds(waiting) == ["pending"]


@few
@given(balanced(), st.integers(1, 10**6))
def test_a_quarantine_with_other_rows_than_counted_is_told(account: Account, rows: int) -> None:
    assert kinds(replace(account, quarantine_rows=account.quarantine_rows + rows)) == ["quarantine"]


def test_a_finding_says_where_and_how_many() -> None:
    account = Account("file users/a.csv", 12_000, 11_000, 0, 0, 0, 5, 0, 3, 4)
    assert list(account.findings()) == [
        Finding("unbalanced", "file users/a.csv", "received 12,000 rows, accounted for 11,008"),
        Finding("pending", "file users/a.csv", "3 of 12,000 rows have no outcome yet"),
        Finding("quarantine", "file users/a.csv", "5 rows counted as quarantined, 4 are there"),
    ]


DAY = date(2026, 3, 1)
TOTALS = st.dictionaries(
    st.tuples(st.dates(DAY, date(2026, 3, 5)), st.sampled_from(["GBP", "USD"])),
    st.tuples(st.integers(1, 10**6), st.decimals(-(10**9), 10**9, places=4)),
    max_size=6,
)


@few
@given(TOTALS)
def test_a_store_agrees_with_itself_however_its_amounts_are_written(
    totals: dict[tuple[date, str], tuple[int, Decimal]],
) -> None:
    padded = {key: (rows, amount.quantize(Decimal("0.000000"))) for key, (rows, amount) in totals.items()}
    assert compare("BigQuery", totals, padded) == []


@few
@given(TOTALS, TOTALS)
def test_exactly_the_days_that_differ_are_told_whichever_side_is_wrong(
    truth: dict[tuple[date, str], tuple[int, Decimal]], copy: dict[tuple[date, str], tuple[int, Decimal]]
) -> None:
    differing = [
        f"BigQuery {day} {currency}"
        for day, currency in sorted(truth.keys() | copy.keys())
        if truth.get((day, currency)) != copy.get((day, currency))
    ]
    assert [finding.where for finding in compare("BigQuery", truth, copy)] == differing
    assert [finding.where for finding in compare("BigQuery", copy, truth)] == differing


@pytest.mark.parametrize(
    ("copied", "told"),
    [
        ((2, Decimal("10.0001")), "BigQuery has 2 rows, 10.0001"),
        ((1, Decimal("10.00")), "BigQuery has 1 rows, 10.00"),
        (None, "BigQuery has 0 rows, 0"),
    ],
)
def test_a_cent_or_a_row_too_few_is_told_with_both_sums(copied: tuple[int, Decimal] | None, told: str) -> None:
    key = (DAY, "GBP")
    copy = {key: copied} if copied else {}
    assert compare("BigQuery", {key: (2, Decimal("10.00"))}, copy) == [
        Finding("mismatch", "BigQuery 2026-03-01 GBP", f"Postgres has 2 rows, 10.00; {told}")
    ]
