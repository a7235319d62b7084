"""The accepting path gives exactly what the schema gives, or the same errors."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from marshmallow import ValidationError

from shared.schemas.accepting import CHECKS
from shared.schemas.fields import Problem
from shared.schemas.rows import KNOWN, SCHEMAS
from tests.unit.judging import GOOD, few

TEMPTING = st.sampled_from(
    ["", " ", "0", "-1", "-0.0", "1e3", "1E99", "NaN", "gbp", " EUR ", "refunded", "PENDING", "uk", "Côte d'Ivoire",
     "2026-01-01", "0000-01-01", "2026-02-30", "2026-01-01T00:00Z", "2026-01-01T00:00:60Z", "9999-12-31T23:59:59-23:59",
     "a@b.c", "@", "\ud800", "\x00", "\u200b", "x" * 201, "65+", "gold", "٣", "\uff11\uff12", "İ" * 64 + "@b.c"]
)  # fmt: skip
NUMBERS = st.sampled_from(
    [
        Decimal("1e999999"),
        Decimal("-1e-999999"),
        Decimal("0e999999"),
        Decimal("0e-999999"),
        Decimal("0.00001"),
        Decimal("1.50"),
        Decimal(-3),
    ]
)
HOSTILE = st.one_of(
    TEMPTING, NUMBERS, st.booleans() | st.none(), st.integers(), st.decimals(allow_nan=False, allow_infinity=False),
    st.text(max_size=20), st.lists(st.integers(), max_size=2),
    st.dictionaries(st.text(max_size=3), st.none(), max_size=2),
)  # fmt: skip
"""What JSON can hold (numbers with a point arrive as Decimal), and what it is tempting to take for good."""

NAMES = {source: st.sampled_from(sorted(known)) for source, known in KNOWN.items()}
CHANGES = {source: st.dictionaries(name | st.text(max_size=5), HOSTILE, max_size=3) for source, name in NAMES.items()}
LEFT_OUT = {source: st.just("") | name for source, name in NAMES.items()}


def of_schema(source: str, row: dict[str, Any]) -> tuple[Any, ...]:
    try:
        return "good", SCHEMAS[source].load(row)
    except ValidationError as exc:
        return "bad", told(exc)


def of_check(source: str, row: dict[str, Any]) -> tuple[Any, ...]:
    try:
        return "good", CHECKS[source](row)
    except ValidationError as exc:
        return "bad", told(exc)


def told(error: ValidationError) -> list[tuple[str, list[tuple[str, str]]]]:
    """Fields, codes and texts in their order; a text without a code fails here."""
    messages: dict[str, list[Problem]] = error.normalized_messages()  # type: ignore[no-untyped-call]
    return [(field, [(text.code, str(text)) for text in texts]) for field, texts in messages.items()]


@pytest.mark.parametrize("source", GOOD)
def test_a_good_row_is_accepted_alike(source: str) -> None:
    assert of_check(source, GOOD[source])[0] == "good"
    assert of_check(source, GOOD[source]) == of_schema(source, GOOD[source])


@pytest.mark.parametrize("source", GOOD)
@few
@given(data=st.data())
def test_a_hostile_row_is_judged_alike(source: str, data: st.DataObject) -> None:
    row = {**GOOD[source], **data.draw(CHANGES[source])}
    row.pop(data.draw(LEFT_OUT[source]), None)
    before = dict(row)
    assert of_check(source, row) == of_schema(source, row)
    assert row == before


@pytest.mark.parametrize("status", ["completed", "pending", "refunded"])
@pytest.mark.parametrize("amount", ["-1", "0", "-0", "1"])
def test_the_rule_over_several_fields_is_judged_alike(amount: str, status: str) -> None:
    row = {**GOOD["transactions"], "amount": amount, "status": status}
    assert of_check("transactions", row) == of_schema("transactions", row)
    assert (of_check("transactions", row)[0] == "bad") == (amount == "-1" and status != "refunded")
