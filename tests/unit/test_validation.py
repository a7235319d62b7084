"""Validation: each bad row is told apart with its reason, and never with its values."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from shared.domain.copytext import BAD_COLUMNS
from shared.domain.cutting import BLANK
from shared.domain.normalising import Context
from shared.domain.validation import Verdict, broken_stretch, validate_lines
from shared.schemas.rows import KNOWN
from tests.unit.judging import GOOD, LANDED, METHODS, bad_row, few, good_row, judge, judge_row, parse_copy

SALE = GOOD["transactions"]
TWO = ["user_id", "country"]
"""The header of a small CSV file."""


def row_with(field: str, text: str, source: str = "transactions") -> bytes:
    """A good row in which a field holds this JSON text, which `json.dumps` might not write."""
    rest = {name: value for name, value in GOOD[source].items() if name != field}
    return json.dumps(rest).removesuffix("}").encode() + f', "{field}": {text}}}'.encode()


@pytest.mark.parametrize("source", GOOD)
def test_a_good_row_of_each_source_is_loaded_with_its_line_number(source: str) -> None:
    verdict = judge(source, b"\n  \r\n" + json.dumps(GOOD[source]).encode() + b"\r\n\n\xef\xbb\xbf\n")
    assert (verdict.received, len(verdict.good), verdict.bad) == (1, 1, [])
    assert verdict.good[0].startswith("3\t")


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"{", "malformed_json"),
        (b'{"a": 1} {"a": 2}', "several_values"),
        (b'{"a": 1},\xef\xbb\xbf{"a": 2}', "several_values"),
        (b'{"a": 1} x', "malformed_json"),
        (b'{"a": 1, "a": 2}', "duplicate_key"),
        (b'{"a": 1, "a" : 2}', "duplicate_key"),
        (b'{"a": "\\":", "b\\u0061": 1, "ba"\t:2}', "duplicate_key"),
        (b'{"a": {"b": 1, "b": 1}}', "duplicate_key"),
        (b'{"a":1, "a"  :1}', "duplicate_key"),
        (b'{"a":1, "a"\r:1}', "duplicate_key"),
        (b'{"a": 1,}', "malformed_json"),
        (b"{'a': 1}", "malformed_json"),
        (b"\xef\xbb\xbf\xef\xbb\xbf", "malformed_json"),
        (b'{"a": "\\ud800"}', "malformed_json"),
        (b'{"\\udc00": 1}', "malformed_json"),
        (b'{"a": NaN}', "malformed_json"),
        (b'{"a": -Infinity}', "malformed_json"),
        (b'{"a": "\x00"}', "malformed_json"),
        (b"\x00" * 50, "malformed_json"),
        (b"[" * 100_000, "malformed_json"),
        (b'{"a":' * 100_000, "malformed_json"),
        (b'{"a": ' + b"9" * 100_000 + b"}", "malformed_json"),
        (b"null", "not_an_object"),
        (b"7", "not_an_object"),
        (b'"{}"', "not_an_object"),
        (b"[{}]", "not_an_object"),
        (b'{"a": "\xff"}', "invalid_encoding"),
        (b'{"a": "caf\xe9"}', "invalid_encoding"),
        (b'{"a": "\xed\xa0\x80"}', "invalid_encoding"),
        (b'{"a": 1e99999999999999999999}', "invalid_value"),
        (b'{"a": 1e-99999999999999999999}', "invalid_value"),
    ],
)
def test_a_line_that_is_no_row_is_told_by_what_is_wrong_with_it(line: bytes, reason: str) -> None:
    verdict = judge("transactions", line)
    found, told = bad_row(verdict)
    assert (found, list(told)) == (reason, [""])
    assert verdict.raw_bytes() == line + b"\n"


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b'["u1"]', "wrong_column_count"),
        (b"[]", "wrong_column_count"),
        (b'["u1","GB","x"]', "wrong_column_count"),
        (b'"u1,\\"GB"', "malformed_csv"),
        (b"{}", "malformed_csv"),
        (b"[", "malformed_csv"),
        (b"[" * 100_000, "malformed_csv"),
        (b'["u1","\xff"]', "invalid_encoding"),
        (b"[1e99999999999999999999, 1]", "invalid_value"),
        (b'["user_id","country"]', "repeated_header"),
        (b'["Country","User ID"]', "repeated_header"),
        (b'["customer_id","Country_code"]', "repeated_header"),
        (b'["","GB"]', "missing_field"),
        (b'[" ","GB"]', "missing_field"),
        (b'["u1","Atlantis"]', "unknown_country"),
        (b'["u1",["GB"]]', "invalid_value"),
    ],
)
def test_cells_that_are_no_row_are_told_by_what_is_wrong_with_them(line: bytes, reason: str) -> None:
    assert bad_row(judge("users", line, TWO))[0] == reason


def test_empty_cells_are_missing_values_and_columns_without_a_name_are_left_out() -> None:
    verdict = judge("users", b'["u1","","x","new",""]', [*TWO, "", "shoe_size", "hat"])
    assert verdict.good[0].split("\t")[3:] == ["u1"] + ["\\N"] * 5 + ['{"hat":null,"shoe_size":"new"}']


def test_a_column_named_twice_is_read_where_its_cells_agree_and_refused_where_they_differ() -> None:
    verdict = judge("users", b'["u1","GB","GB"]\n["u2","GB","DE"]\n["u3","","DE"]', [*TWO, "country"])
    assert [row.split("\t")[3] for row in verdict.good] == ["u1"]
    assert [row.reason for row in verdict.bad] == ["duplicate_key"] * 2


def test_a_field_under_another_name_is_the_field_and_no_unknown_one() -> None:
    row: dict[str, Any] = {**GOOD["transactions"], "txn_id": "t7", "transaction_id": "", "customer_id": "u9"}
    found = good_row("transactions", **row)
    assert (found["transaction_id"], found["user_id"]) == ("t7", "u1")
    assert found["extra"] == '{"customer_id":"u9"}'


@pytest.mark.parametrize("name", ["Tea\u00a0pot", "\U0001f469\u200d\U0001f373 apron", "No\u202f5"])
def test_a_product_name_may_hold_any_space_and_joined_emoji(name: str) -> None:
    assert good_row("products", name=name)["name"] == name


@pytest.mark.parametrize(
    ("source", "changes", "reason"),
    [
        ("transactions", {"transaction_id": ...}, "missing_field"),
        ("transactions", {"product_id": None}, "missing_field"),
        ("transactions", {"amount": " "}, "missing_field"),
        ("transactions", {"status": ...}, "missing_field"),
        ("transactions", {"timestamp": ""}, "missing_field"),
        ("transactions", {"currency": ...}, "missing_field"),
        ("transactions", {"status": "complete"}, "unknown_status"),
        ("transactions", {"currency": "XYZ"}, "unknown_currency"),
        ("transactions", {"currency": "\N{FULLWIDTH LATIN CAPITAL LETTER G}BP"}, "unknown_currency"),
        ("transactions", {"amount": "-1"}, "negative_amount"),
        ("transactions", {"amount": True}, "invalid_value"),
        ("transactions", {"amount": "1,500"}, "ambiguous_number"),
        ("transactions", {"amount": "1,5,00"}, "invalid_value"),
        ("transactions", {"timestamp": "01/02/2026 10:00"}, "ambiguous_date"),
        ("transactions", {"timestamp": "25/25/2026 10:00"}, "invalid_value"),
        ("users", {"registration_date": "1.2.2026"}, "ambiguous_date"),
        ("users", {"registration_date": "31/02/2026"}, "invalid_value"),
        ("products", {"price": "1.234"}, "invalid_value"),
        ("products", {"name": "a\x00b"}, "invalid_value"),
        ("products", {"name": "a\u200bb"}, "invalid_value"),
        ("transactions", {"amount": "NaN"}, "invalid_value"),
        ("transactions", {"amount": {"value": 1}}, "invalid_value"),
        ("transactions", {"transaction_id": "a\tb"}, "invalid_value"),
        ("transactions", {"transaction_id": "a\x00b"}, "invalid_value"),
        ("transactions", {"transaction_id": "x" * 201}, "invalid_value"),
        ("transactions", {"transaction_id": 10**200}, "invalid_value"),
        ("transactions", {"transaction_id": False}, "invalid_value"),
        ("transactions", {"more": "a\x00b"}, "invalid_value"),
        ("transactions", {"\x00": 1}, "invalid_value"),
        ("transactions", {"timestamp": "1999-12-31T23:59:59.999999Z"}, "timestamp_out_of_range"),
        ("transactions", {"timestamp": "2026-03-03T12:00:00.000001Z"}, "timestamp_out_of_range"),
        ("transactions", {"timestamp": "9999-12-31T23:59:59"}, "timestamp_out_of_range"),
        ("products", {"updated_at": "2026-04-01T00:00:00Z"}, "timestamp_out_of_range"),
        ("products", {"price": "-0.01"}, "invalid_value"),
        ("products", {"inventory_count": 2**31}, "invalid_value"),
        ("users", {"country": "Atlantis"}, "unknown_country"),
        ("users", {"email": "ada at example"}, "invalid_value"),
        ("users", {"user_id": ...}, "missing_field"),
        ("fx_rates", {"rate": 0}, "invalid_value"),
        ("fx_rates", {"date": "2026-02-30"}, "invalid_value"),
    ],
)
def test_a_bad_field_gives_its_reason(source: str, changes: dict[str, Any], reason: str) -> None:
    found, told = bad_row(judge_row(source, **changes))
    assert found == reason
    assert set(told) <= set(changes) | {"extra"}


@pytest.mark.parametrize(
    "text", ["1e999999999", "1e-999999999", "9" * 4_000, "1." + "0" * 99_999 + "1", "1e14", "1E2147483647"]
)
@pytest.mark.parametrize(("source", "field"), [("transactions", "amount"), ("products", "inventory_count")])
def test_huge_numbers_cost_no_time_and_only_their_row(source: str, field: str, text: str) -> None:
    assert bad_row(judge(source, row_with(field, text, source)))[0] == "invalid_value"


@pytest.mark.parametrize("text", ["0e-999999999", "-0", "-0.0", "0e5", "0.0000000000000000000"])
def test_nothing_is_written_as_one_zero(text: str) -> None:
    verdict = judge("transactions", row_with("amount", text))
    assert verdict.good[0].split("\t")[8] == "0"


def test_the_reason_is_that_of_the_first_bad_field_and_all_bad_fields_are_told() -> None:
    reason, told = bad_row(judge_row("transactions", status="gone", currency="XYZ", amount=...))
    assert reason == "missing_field"
    assert list(told) == ["amount", "currency", "status"]


@pytest.mark.parametrize("depth", [1, 100, 2_000])
def test_an_unknown_field_is_kept_aside_unless_it_is_nested_beyond_reading(depth: int) -> None:
    nested = "[" * depth + "]" * depth
    verdict = judge("transactions", row_with("more", nested))
    if depth == 2_000:
        assert bad_row(verdict)[0] == "malformed_json"
    else:
        assert verdict.good[0].endswith(f'\t{{"more":{nested}}}')


def test_a_backslash_before_u0000_is_text_and_not_a_nul() -> None:
    assert good_row("transactions", more="\\u0000")["extra"] == '{"more":"\\\\u0000"}'
    assert bad_row(judge_row("transactions", more="\\\x00"))[0] == "invalid_value"


SECRET = st.text("abcxyz0189@.:/\\\"'<%é漢\U0001f600", min_size=12, max_size=220)
"""A value that no text of ours can hold by chance."""


@few
@given(field=st.sampled_from(sorted(SALE)), secret=SECRET)
def test_what_is_told_never_holds_a_value(field: str, secret: str) -> None:
    changes: dict[str, Any] = {field: secret, "amount": "-5"}
    verdict = judge_row("transactions", **changes)
    for row in verdict.bad:
        told = json.dumps({name: list(map(str, texts)) for name, texts in row.fields.items()}, ensure_ascii=False)
        assert secret not in told
        assert row.row_id in {"t1", secret, None}


@few
@given(secret=SECRET)
def test_nothing_of_a_person_is_told_or_named(secret: str) -> None:
    for field in KNOWN["users"]:
        changes: dict[str, Any] = {field: secret, "country": secret}
        verdict = judge_row("users", **changes)
        assert secret not in verdict.bad_rows("gs://q/o").decode()


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)


@few
@example([b"\xef\xbb\xbf"])
@example([b"", b"\xef\xbb\xbf{}", b" \xef\xbb\xbf "])
@given(st.lists(st.binary(max_size=60) | JSON.map(lambda value: json.dumps(value).encode()), max_size=6))
def test_every_line_that_is_not_blank_is_either_good_or_bad_once(lines: list[bytes]) -> None:
    data = b"\n".join(lines)
    for source, header in [("transactions", None), ("users", TWO)]:
        verdict = judge(source, data, header)
        filled = [line.strip() for line in data.split(b"\n") if line.strip() not in BLANK]
        assert verdict.received == len(verdict.good) + len(verdict.bad) == len(filled)
        rest = iter(filled)
        assert all(row.raw in rest for row in verdict.bad)  # each as it stood, in the order of the lines


def test_bad_rows_tell_where_their_raw_bytes_lie() -> None:
    verdict = judge("transactions", b'{"transaction_id": "t9"}\nnull\n' + json.dumps(SALE).encode() + b"\n[1]\n")
    rows = parse_copy(verdict.bad_rows("gs://q/o"), BAD_COLUMNS)
    raw = verdict.raw_bytes()
    assert [(row["line"], row["row_id"], row["raw_object"]) for row in rows] == [
        ("1", "t9", "gs://q/o"), ("2", None, "gs://q/o"), ("4", None, "gs://q/o")
    ]  # fmt: skip
    cut = [raw[int(row["raw_offset"] or 0) :][: int(row["raw_length"] or 0)] for row in rows]
    assert cut == [b'{"transaction_id": "t9"}', b"null", b"[1]"]


@pytest.mark.parametrize("reason", ["line_too_long", "truncated", "expansion_limit", "something_new"])
def test_a_broken_stretch_is_one_row_received_and_bad_at_its_place(reason: str) -> None:
    verdict = broken_stretch("users", 7, reason, ("gs://landing/users/a.csv#1", 100, 50))
    assert (verdict.received, len(verdict.bad), verdict.held, verdict.raw_bytes()) == (1, 1, False, b"")
    assert verdict.bad_rows("gs://q/o").decode().splitlines()[1].split("\t")[4:] == [
        "gs://landing/users/a.csv#1",
        "100",
        "50",
        "100",
        "50",
    ]


def test_a_bad_row_of_a_file_tells_its_bytes_in_the_file() -> None:
    good, bad = json.dumps(SALE).encode(), b'{"transaction_id": "t9"}'
    data = b"\n".join([good, b"", b"null", bad, good])
    verdict = validate_lines(data, Context.at("transactions", LANDED, METHODS), 1, at=1000)
    assert [data[row.source[0] - 1000 :][: row.source[1]] for row in verdict.bad if row.source] == [b"null", bad]


def test_the_rows_without_a_field_are_counted_good_and_bad_ones() -> None:
    rows = [{**SALE, "user_id": None}, {**SALE, "user_id": " "}, {**SALE, "amount": ""}, SALE]
    verdict = judge("transactions", b"\n".join(json.dumps(row).encode() for row in rows))
    assert (len(verdict.good), len(verdict.bad)) == (3, 1)
    assert verdict.missing == {"user_id": 2, "amount": 1}


@pytest.mark.parametrize(
    ("rows", "bad", "held"), [(99, 99, False), (100, 50, False), (100, 51, True), (101, 51, True), (102, 51, False)]
)
def test_a_chunk_of_at_least_a_hundred_rows_is_held_when_more_than_half_is_bad(rows: int, bad: int, held: bool) -> None:
    good = json.dumps(SALE).encode()
    verdict: Verdict = judge("transactions", b"\n".join([b"null"] * bad + [good] * (rows - bad)))
    assert (verdict.received, len(verdict.bad), verdict.held) == (rows, bad, held)
