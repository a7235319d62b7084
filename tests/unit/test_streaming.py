"""The rows of a message: one a line, whatever way a producer put them together; nothing is left out."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.domain.streaming import rows_of_message

text = st.text('a"\\\n{}[],: é€😀', max_size=6)
rows = st.lists(st.dictionaries(text, st.none() | st.integers() | text, min_size=1, max_size=3), min_size=1, max_size=5)


def dumped(rows: list[dict[str, object]], how: str) -> str:
    if how == "array":
        return json.dumps(rows)
    if how == "pretty array":
        return json.dumps(rows, indent=2, ensure_ascii=False)
    if how == "pretty objects":
        return "\n".join(json.dumps(row, indent=2) for row in rows)
    return {"lines": "\n", "joined": "", "commas": ", "}[how].join(json.dumps(row) for row in rows)


@settings(max_examples=60, deadline=None)
@given(rows, st.sampled_from(["array", "pretty array", "pretty objects", "lines", "joined", "commas"]))
def test_the_rows_come_out_one_a_line_however_they_were_sent(rows: list[dict[str, object]], how: str) -> None:
    found = rows_of_message(dumped(rows, how).encode())
    assert [json.loads(line) for line in found.split(b"\n") if line.strip()] == rows


@pytest.mark.parametrize("data", [b"", b" ", b"\r\n\n"])
def test_a_message_without_content_is_one_line_that_is_refused_later(data: bytes) -> None:
    assert rows_of_message(data) == b"null\n"


def test_one_row_a_line_is_left_as_it_is_with_what_is_broken_in_it() -> None:
    data = b'{"a":1}\n{"b":\n\n\xff'
    assert rows_of_message(data) == data


def test_one_pretty_printed_row_is_one_line_though_a_line_of_it_is_an_object() -> None:
    assert rows_of_message(b'{\n"a":\n{"b": 1}\n}') == b'{ "a": {"b": 1} }\n'


@pytest.mark.parametrize(
    ("data", "lines"),
    [
        (b"hello", [b"hello"]),
        (b"[1, 2]", [b"1", b"2"]),
        (b'[{"a":1}, {"b":x}, {"c":3}]', [b'{"a":1}', b'{"b":x}', b'{"c":3}']),
        (b'[{"a":1}, {"b":\n"open', [b'{"a":1}', b'{"b": "open']),
        (b'[{"a":1}', [b'{"a":1}', b"null"]),
        (b" ,]", [b"null"]),
        (b"[ ]", []),
        (b'{"n":1,"items":[{"transaction_id":1}],"next":2}', [b'"n":1', b'{"transaction_id":1}', b'"next":2']),
        (b'[{"a":"\xff"}]', [b'{"a":"\xff"}']),
    ],
)
def test_a_stretch_that_is_no_record_is_a_line_as_it_stands(data: bytes, lines: list[bytes]) -> None:
    assert rows_of_message(data) == b"".join(line + b"\n" for line in lines)


@pytest.mark.parametrize("value", [b"[" * 50_000, b"1" * 10_000])
def test_a_value_that_python_refuses_to_read_is_one_row_like_any_other(value: bytes) -> None:
    row = b'{"a":' + value + b"}"
    assert rows_of_message(b"[" + row + b',{"b":2}]') == row + b'\n{"b":2}\n'
    assert rows_of_message(row + b'\n{"b":2}\n') == row + b'\n{"b":2}\n'
