"""Fields: cleaning twice changes nothing, money stays exact, and what is accepted fits its Postgres column."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from marshmallow import ValidationError, fields

from shared.schemas.fields import MAX_TEXT, Date, Number, Timestamp, Whole
from shared.schemas.reference import COUNTRIES, CURRENCIES
from shared.schemas.rows import SCHEMAS
from tests.unit.judging import few
from tests.unit.test_accepting import HOSTILE

FIELDS = {source: st.sampled_from(list(schema.fields.values())) for source, schema in SCHEMAS.items()}
NUMBERS = st.builds(lambda digits, exponent: Decimal(digits).scaleb(exponent), st.integers(), st.integers(-12, 3))
COLUMNS = {"amount": (18, 4), "price": (14, 2), "rate": (18, 8)}
"""numeric(precision, scale) of the columns, as the migrations declare them."""


def accepted(field: fields.Field[Any], value: object) -> Any:
    """The cleaned value, or None."""
    try:
        return field.deserialize(value)
    except ValidationError:
        return None


def written(value: object) -> object:
    """A cleaned value as it would be sent."""
    return value.isoformat() if isinstance(value, date) else value


@pytest.mark.parametrize("source", FIELDS)
@few
@given(data=st.data(), value=HOSTILE)
def test_cleaning_what_is_clean_changes_nothing(source: str, data: st.DataObject, value: object) -> None:
    field = data.draw(FIELDS[source])
    clean = accepted(field, value)
    if clean is not None:
        assert accepted(field, written(clean)) == clean


@pytest.mark.parametrize("name", COLUMNS)
@few
@given(number=NUMBERS | HOSTILE, as_text=st.booleans())
def test_an_accepted_number_is_exact_and_fits_its_column(name: str, number: object, as_text: bool) -> None:
    field = next(schema.fields[name] for schema in SCHEMAS.values() if name in schema.fields)
    precision, scale = COLUMNS[name]
    sent = str(number) if as_text and isinstance(number, Decimal) else number
    clean = accepted(field, sent)
    if clean is not None:
        assert clean == Decimal(str(sent).strip())
        assert clean == round(clean, scale)
        assert abs(clean) < 10 ** (precision - scale)
        assert len(format(clean, "f")) <= precision + 2


@pytest.mark.parametrize(
    ("text", "number"),
    [("0.1", "0.1"),
     ("00012.50", "12.50"), ("+3", "3"), ("1e3", "1000"), ("12.34000000", "12.34"), ("-0.0001", "-0.0001"),
     ("99999999999999.9999", "99999999999999.9999"), (" 7 ", "7"), (12, "12"), (Decimal("0e-999999"), "0")],
)  # fmt: skip
def test_a_number_is_taken_as_its_decimal_text(text: object, number: str) -> None:
    clean = accepted(Number(digits=14, places=4), text)
    assert clean == Decimal(number)
    assert len(format(clean, "f")) <= 20


@pytest.mark.parametrize(("source", "name"), [("products", "price"), ("transactions", "amount")])
def test_nothing_is_a_price(source: str, name: str) -> None:
    assert accepted(SCHEMAS[source].fields[name], "0.00") == 0


@pytest.mark.parametrize(
    "text",
    ["", "1,5", "1.", ".5", "1_000", "0x10", "NaN", "sNaN", "Infinity", "-inf", "1e100", "1e", "--1", "٣",
     "\uff11\uff12", "²", "1 2",
     "12\u00a03", "0.00001", "100000000000000", 1.5, True, False, [1], {}, Decimal("NaN"), Decimal("Infinity"),
     Decimal("1e999999"), Decimal("1e-999999")],
)  # fmt: skip
def test_what_is_no_number_or_does_not_fit_is_refused(text: object) -> None:
    assert accepted(Number(digits=14, places=4), text) is None


@pytest.mark.parametrize(
    "text",
    ["2026-01-01", "2026-01-01T", "2026-01-01T10", "2026-01-01T24:00", "2026-01-01T10:60", "2026-01-01T10:00:60Z",
     "0000-01-01T00:00:00Z", "2026-13-01T00:00", "2026-02-29T00:00", "2026-01-01T00:00:00.1234567Z",
     "2026-01-01T00:00:00.Z", "2026-01-01T00:00:00,5Z", "\uff12\uff10\uff12\uff16-01-01T00:00", "2026-W01-1T00:00",
     "2026-01-01T00:00+24:00", "20260101T000000Z",
     "2026-01-01T00:00 Z", "2026-01-01  00:00", "2026-01-01T00:00Z\n;", "0001-01-01T00:00+14:00",
     "9999-12-31T23:59:59-00:01", "now", 1767225600, Decimal("1767225600.5"), True, ["2026-01-01T00:00"]],
)  # fmt: skip
def test_what_is_no_time_is_refused(text: object) -> None:
    assert accepted(Timestamp(), text) is None


@few
@given(st.datetimes(), st.sampled_from(["", "Z", "z", "+00:00", "-00:00", "+0000"]), st.sampled_from("Tt "))
def test_a_time_is_read_to_the_microsecond_and_stays_naive_if_it_was(stamp: datetime, zone: str, between: str) -> None:
    clean = accepted(Timestamp(), stamp.isoformat(sep=between) + zone)
    assert clean == (stamp.replace(tzinfo=UTC) if zone else stamp)


@pytest.mark.parametrize(
    "text",
    [
        "2026-1-1",
        "20260101",
        "0000-01-01",
        "2026-02-30",
        "2026-01-01T00:00",
        "\uff12\uff10\uff12\uff16-01-01",
        "01/02/2026",
        20260101,
    ],
)
def test_what_is_no_date_is_refused(text: object) -> None:
    assert accepted(Date(), text) is None


@few
@given(st.dates())
def test_a_date_is_read_as_it_is_written(day: date) -> None:
    assert accepted(Date(), f" {day.isoformat()} ") == day


@pytest.mark.parametrize(
    ("sent", "count"),
    [
        ("007", 7),
        (0, 0),
        (2**31 - 1, 2**31 - 1),
        (Decimal("3.0"), 3),
        (Decimal("1e6"), 10**6),
        (Decimal("0e999999"), 0),
    ],
)
def test_a_whole_number_may_be_written_as_a_decimal(sent: object, count: int) -> None:
    clean = accepted(Whole(), sent)
    assert clean == count
    assert type(clean) is int


@pytest.mark.parametrize(
    "sent",
    [
        -1,
        2**31,
        "-1",
        "1.0",
        "99999999999",
        "٣",
        "²",
        True,
        Decimal("2.5"),
        Decimal("1e999999"),
        [],
        "x",
    ],
)
def test_what_is_no_whole_number_of_32_bits_is_refused(sent: object) -> None:
    assert accepted(Whole(), sent) is None


@pytest.mark.parametrize("source", FIELDS)
@few
@given(data=st.data(), value=HOSTILE | st.text(max_size=250))
def test_an_accepted_text_is_short_and_printable(source: str, data: st.DataObject, value: object) -> None:
    clean = accepted(data.draw(FIELDS[source]), value)
    if isinstance(clean, str):
        assert clean == clean.strip()
        assert 0 < len(clean) <= MAX_TEXT
        assert clean.isprintable()
        assert clean.encode()


def test_every_spelling_of_a_country_is_found_and_each_code_stands_for_itself() -> None:
    assert all(spelling == spelling.casefold() for spelling in COUNTRIES)
    assert {code for code in COUNTRIES.values() if COUNTRIES[code.casefold()] != code} == set()
    assert {COUNTRIES[name] for name in ("uk", "gbr", "england", "united kingdom")} == {"GB"}
    assert all(len(code) == 2 and code.isascii() and code.isupper() for code in COUNTRIES.values())
    assert all(len(code) == 3 and code.isascii() and code.isupper() for code in CURRENCIES)


@pytest.mark.parametrize(
    "address",
    ["a", "@b.c", "a@", "a@b", "a@b.", "a@.c", "a b@c.d", "a@b@c.d", "a@b..c", "x" * 65 + "@b.c", "a@b.c\x00", 7],
)
def test_what_is_not_shaped_as_an_address_is_refused(address: object) -> None:
    assert accepted(SCHEMAS["users"].fields["email"], address) is None
