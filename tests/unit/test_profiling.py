"""What validation tells of the fields of a chunk: names within bounds, JSON types and counts, never a value."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.profiling import MOST_NAMES, OTHERS, SAMPLE_ROWS, FieldsSeen
from shared.domain.validation import Verdict
from tests.unit.judging import GOOD, few, judge

SALE = GOOD["transactions"]


def sales(*changes: dict[str, Any]) -> Verdict:
    """The verdict on good transactions with these changes."""
    return judge("transactions", b"\n".join(json.dumps({**SALE, **change}).encode() for change in changes))


def test_unknown_fields_are_counted_by_their_json_type_in_all_rows() -> None:
    values = ["app", 7, 7.5, True, {"a": 1}, [1], None, "web"]
    seen = sales(*({"channel": value} for value in values)).fields
    assert seen.read == 8
    assert seen.unknown == {
        "channel": {"string": 2, "number": 2, "boolean": 1, "object": 1, "array": 1, "null": 1},
    }  # fmt: skip


def test_rows_that_are_bad_are_seen_too_and_lines_that_are_no_rows_are_not() -> None:
    good, bad = json.dumps(SALE).encode(), json.dumps({**SALE, "amount": [1], "channel": "app"}).encode()
    seen = judge("transactions", b"\n".join([good, bad, b"{broken", b"[]"])).fields
    assert (seen.read, seen.unknown) == (2, {"channel": {"string": 1}})
    assert seen.types["amount"] == {"string": 1, "array": 1}


def test_the_types_of_known_fields_are_a_sample_without_nulls() -> None:
    seen = sales(*[{"user_id": None, "amount": 5}] * (SAMPLE_ROWS + 20)).fields
    assert (seen.read, seen.types["amount"]) == (SAMPLE_ROWS + 20, {"number": SAMPLE_ROWS})
    assert "user_id" not in seen.types


def test_the_cells_of_a_csv_file_are_strings() -> None:
    seen = judge("users", b'["u1", "x"]\n["u2", ""]', ["user_id", "phone"]).fields
    assert seen.unknown == {"phone": {"string": 1, "null": 1}}


@pytest.mark.parametrize(
    "name", ["ada@example.com", "x" * 101, "", "line\nbreak", "0777 123456", "\u202eevil", '"; DROP TABLE x', "a\tb"]
)
def test_a_name_that_does_not_look_like_one_is_not_kept(name: str) -> None:
    assert sales({name: "v"}).fields.unknown == {OTHERS: {"string": 1}}


@pytest.mark.parametrize("name", ["deviceId", "utm_source", "größe", "shipping.address", "x" * 100])
def test_a_name_that_looks_like_one_is_kept(name: str) -> None:
    assert sales({name: "v"}).fields.unknown == {name: {"string": 1}}


def test_a_flood_of_names_is_bounded_and_still_counted() -> None:
    seen = sales(*({f"field_{n}": n, "steady": n} for n in range(500))).fields
    assert len(seen.unknown) == MOST_NAMES + 1
    assert sum(sum(types.values()) for types in seen.unknown.values()) == 1_000
    assert seen.unknown["steady"] == {"number": 500}


def test_the_extra_of_a_row_is_what_no_schema_names() -> None:
    seen = FieldsSeen({"a"})
    assert [seen.see(row) for row in ({"a": 1}, {"b": 2, "a": 1}, {"b": 3, "a": 1}, {})] == [
        None, {"b": 2}, {"b": 3}, None,
    ]  # fmt: skip


@few
@given(st.lists(st.dictionaries(st.text(max_size=5), st.none() | st.integers() | st.text(max_size=3), max_size=5)))
def test_every_unknown_field_of_every_row_is_counted_once(rows: list[dict[str, Any]]) -> None:
    seen = FieldsSeen({"a", "b"})
    extras = [seen.see(row) or {} for row in rows]
    assert extras == [{name: value for name, value in row.items() if name not in {"a", "b"}} for row in rows]
    assert sum(sum(types.values()) for types in seen.unknown.values()) == sum(map(len, extras))
    assert seen.read == len(rows)
