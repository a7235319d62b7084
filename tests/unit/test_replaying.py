"""Rows judged once more: their lines, a value that an operator sets, a row rebuilt from what was loaded."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.normalising import Context
from shared.domain.rebuilding import rebuilt_rows
from shared.domain.replaying import (
    is_one_object,
    judge_again,
    reject_all,
    unknown_fields,
    with_values,
)
from shared.domain.validation import validate_lines

METHODS = frozenset({"card", "other"})
CONTEXT = Context.at("transactions", datetime(2026, 3, 2, tzinfo=UTC), METHODS)
SALE = {
    "transaction_id": "T1", "user_id": "U1", "product_id": "P1", "amount": "10.50", "currency": "GBP",
    "timestamp": "2026-03-01T10:00:00Z", "payment_method": "card", "status": "completed",
}  # fmt: skip


def line(**changes: object) -> bytes:
    return json.dumps({**SALE, **changes}).encode()


def test_each_row_keeps_the_line_that_it_stood_at() -> None:
    verdict = judge_again(b"\n".join([line(), b"{", line(currency="QQQ")]), [7, 90, 4], CONTEXT, None)
    assert verdict.received == 3
    assert [text.split("\t")[0] for text in verdict.good] == ["7"]
    assert [(bad.line, bad.reason, bad.source) for bad in verdict.bad] == [
        (90, "malformed_json", None), (4, "unknown_currency", None)
    ]  # fmt: skip


def test_cells_are_judged_by_the_header_of_their_file() -> None:
    context = Context.at("users", CONTEXT.landed_at, METHODS)
    verdict = judge_again(b'["u1","a@example.com"]\n["u2"]', [2, 9], context, ["user_id", "email"])
    assert (len(verdict.good), [bad.reason for bad in verdict.bad]) == (1, ["wrong_column_count"])


def test_a_rejected_chunk_is_bad_row_by_row_with_its_places() -> None:
    data = line() + b"\n\n" + b"{\n"
    verdict = reject_all(data, "transactions", 11, 100)
    assert (verdict.received, len(verdict.good)) == (2, 0)
    assert [(bad.line, bad.reason, bad.source) for bad in verdict.bad] == [
        (11, "operator_rejected", (100, len(line()))), (13, "operator_rejected", (100 + len(line()) + 2, 1))
    ]  # fmt: skip
    assert verdict.raw_bytes() == line() + b"\n{\n"


def test_a_set_value_leaves_the_text_of_the_others_alone() -> None:
    row = b'{"a": 1.10, "currency": "QQQ", "n": 1e400}'
    changed = with_values(row, {"currency": "GBP", "user_id": ""}, None)
    assert changed == b'{"a":1.10,"currency":"GBP","n":1e400,"user_id":null}'
    assert with_values(b'["u1","x"]', {"country": "FR"}, ["user_id", "country"]) == b'["u1","FR"]'


def test_a_field_that_stands_twice_is_settled_only_by_setting_it() -> None:
    row = b'{"amount": 1, "amount": 2, "currency": "GBP"}'
    assert with_values(row, {"currency": "EUR"}, None) is None
    assert with_values(row, {"amount": "3"}, None) == b'{"amount":"3","currency":"GBP"}'


@pytest.mark.parametrize(
    ("row", "header"),
    [
        (b"{broken", None),
        (b"[1]", None),
        (b"\xff", None),
        (b'["u1"]', ["a", "b"]),
        (b'["u1"]', ["other"]),
        (b'"x"', ["a"]),
    ],
)
def test_a_row_without_such_a_field_is_not_set(row: bytes, header: list[str] | None) -> None:
    assert with_values(row, {"a": "1"}, header) is None


def test_only_fields_of_the_schema_can_be_set() -> None:
    assert unknown_fields("transactions", {"currency": "GBP", "colour": "red"}) == ["colour"]


@pytest.mark.parametrize(
    ("text", "one"), [(b"{}", True), (b'{"a":1}{"b":2}', False), (b'{"a":', False), (b"[]", False)]
)
def test_a_stretch_is_a_row_only_when_it_is_one_object(text: bytes, one: bool) -> None:
    assert is_one_object(text) is one


TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), min_size=1, max_size=12)
EXTRA = st.dictionaries(
    TEXTS.filter(lambda name: name not in SALE and name.strip() == name),
    st.one_of(TEXTS, st.integers(), st.none(), st.booleans()),
    max_size=3,
)


@given(
    changes=st.fixed_dictionaries(
        {},
        optional={
            "timestamp": st.sampled_from(
                ["2026-03-01T10:00:00Z", "2026-03-01T10:00:00", "2026-02-01T10:00:00.123456+02:00"]
            ),
            "payment_method": st.one_of(st.none(), st.sampled_from(["Card", "crypto", "OTHER"]), TEXTS),
            "user_id": st.one_of(st.none(), st.just("U2")),
            "amount": st.sampled_from(["1", "1.50", 7, 0]),
        },
    ),
    extra=EXTRA,
)
def test_a_rebuilt_row_is_loaded_as_it_was(changes: dict[str, object], extra: dict[str, object]) -> None:
    first = validate_lines(line(**{**extra, **changes}), CONTEXT, 5)
    if not first.good:
        return
    rebuilt = rebuilt_rows(first.rows(), [5])
    assert b"\n" not in rebuilt[5]
    assert judge_again(rebuilt[5], [5], CONTEXT, None).good == first.good


def test_only_the_wanted_lines_are_rebuilt() -> None:
    rows = validate_lines(b"\n".join([line(), line(transaction_id="T2")]), CONTEXT, 1).rows()
    assert list(rebuilt_rows(rows, [2])) == [2]
    assert rebuilt_rows(rows, []) == {}
