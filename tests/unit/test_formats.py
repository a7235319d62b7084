"""Declared formats: what can be read in one way is read so, what can be read in two ways only as declared."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain import flags
from shared.schemas.formats import Formats
from tests.unit.judging import bad_row, few, good_row, judge_row

POINT, COMMA = Formats(number_format="decimal_point"), Formats(number_format="decimal_comma")
DMY, MDY = Formats(date_order="dmy"), Formats(date_order="mdy")


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("1,234.50", "1234.5"), ("1.234,50", "1234.5"), ("1 234.50", "1234.5"), ("1\u00a0234,50", "1234.5"),
        ("12,50", "12.5"), ("1234,567", "1234.567"), ("0,125", "0.125"), ("1,234,567", "1234567"), ("1 234", "1234"),
        ("1.234.567", "1234567"), ("+1,234.50", "1234.5"), ("1.234", "1.234"),
    ],
)  # fmt: skip
def test_a_number_that_can_be_read_in_one_way_only_needs_no_declaration(text: str, plain: str) -> None:
    assert good_row("transactions", amount=text)["amount"] == plain


@pytest.mark.parametrize(("formats", "plain"), [(POINT, "1234"), (COMMA, "1.234")])
def test_a_number_that_can_be_read_in_two_ways_is_read_as_declared(formats: Formats, plain: str) -> None:
    assert good_row("transactions", formats, amount=" 1,234 ")["amount"] == plain
    assert bad_row(judge_row("transactions", amount="1,234"))[0] == "ambiguous_number"


def test_with_a_decimal_comma_a_point_groups_thousands_in_texts_and_numbers_of_json_stay() -> None:
    assert good_row("transactions", COMMA, amount="1.234")["amount"] == "1234"
    assert good_row("transactions", COMMA, amount=1.234)["amount"] == "1.234"
    assert good_row("transactions", COMMA, amount="15")["amount"] == "15"


@pytest.mark.parametrize(
    ("formats", "text"), [(COMMA, "12.50"), (COMMA, "1,234.50"), (POINT, "12,50"), (COMMA, "1.5e3")]
)
def test_a_number_against_the_declared_format_is_refused(formats: Formats, text: str) -> None:
    assert bad_row(judge_row("transactions", formats, amount=text))[0] == "ambiguous_number"


@few
@given(st.decimals(-10_000_000, 10_000_000, places=2), st.sampled_from([POINT, COMMA]))
def test_what_is_written_as_declared_comes_back(number: Decimal, formats: Formats) -> None:
    text = f"{number:,}"
    if formats is COMMA:
        text = text.translate({ord(","): ".", ord("."): ","})
    amount = good_row("transactions", formats, amount=text, status="refunded")["amount"]
    assert Decimal(str(amount)) == number


@pytest.mark.parametrize(
    ("text", "iso"),
    [
        ("2026/03/01", "2026-03-01"), ("2026.3.1", "2026-03-01"), ("25/12/2025", "2025-12-25"),
        ("12/25/2025", "2025-12-25"), ("25.12.2025", "2025-12-25"), ("05-05-2025", "2025-05-05"),
        ("5/05/2025", "2025-05-05"),
    ],
)  # fmt: skip
def test_a_date_that_can_be_read_in_one_way_only_needs_no_declaration_and_no_flag(text: str, iso: str) -> None:
    row = good_row("users", registration_date=text)
    assert (row["registration_date"], row["flags"]) == (iso, "0")


@pytest.mark.parametrize(("formats", "iso"), [(DMY, "2025-02-01"), (MDY, "2025-01-02")])
@pytest.mark.parametrize("text", ["01/02/2025", "1.2.2025", "01-2-2025"])
def test_a_date_that_can_be_read_in_two_ways_is_read_as_declared_and_flagged(
    text: str, formats: Formats, iso: str
) -> None:
    row = good_row("users", formats, registration_date=text)
    assert (row["registration_date"], row["flags"]) == (iso, str(flags.AMBIGUOUS_DATE))
    assert bad_row(judge_row("users", registration_date=text))[0] == "ambiguous_date"


@pytest.mark.parametrize(("formats", "text"), [(DMY, "12/25/2025"), (MDY, "25/12/2025")])
def test_a_date_against_the_declared_order_is_refused(formats: Formats, text: str) -> None:
    assert bad_row(judge_row("users", formats, registration_date=text))[0] == "invalid_value"


def test_the_time_behind_a_date_is_kept_and_both_flags_are_set() -> None:
    row = good_row("transactions", DMY, timestamp="01/02/2026 10:30")
    assert row["event_at"] == "2026-02-01T10:30:00+00:00"
    assert int(str(row["flags"])) & (flags.AMBIGUOUS_DATE | flags.NAIVE_TIME) == 257
    assert good_row("transactions", MDY, timestamp="1/2/2026 10:30:00Z")["event_at"] == "2026-01-02T10:30:00+00:00"


@few
@given(st.dates(date(2000, 1, 1), date(2026, 1, 1)), st.sampled_from([DMY, MDY]), st.sampled_from("/.-"))
def test_a_date_written_as_declared_comes_back(day: date, formats: Formats, mark: str) -> None:
    parts = (f"{day:%d}", f"{day:%m}") if formats is DMY else (f"{day:%m}", f"{day:%d}")
    row = good_row("users", formats, registration_date=mark.join([*parts, f"{day:%Y}"]))
    assert row["registration_date"] == day.isoformat()


def test_every_wrong_field_is_told_where_one_is_ambiguous() -> None:
    reason, told = bad_row(judge_row("transactions", amount="1,234", currency="XYZ"))
    assert reason == "ambiguous_number"
    assert list(told) == ["amount", "currency"]
