"""JSON that is not one record a line: the same records whatever the blocks; what is broken costs only itself."""

import json
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.domain.cutting import Limits, Piece, Position
from shared.domain.envelopes import Natural
from shared.domain.records import is_lines, pieces_of_records

NATURAL = Natural(["id"])
ONE_EACH = Limits(rows=1)
SMALL = Limits(rows=1, line_bytes=40, chunk_bytes=80)

TEXTS = {
    "array": b'\xef\xbb\xbf [{"a":1},\n {"b":"\xc3\xa9\xf0\x9f\x98\x80"} ,{"c":"\\u00e9\\"}{"}]\n',
    "pretty": b'[\r\n  {\r\n    "a": [1, {"x": 2}],\n    "b": "\xe2\x82\xac"\n  },\n  {\n    "c": null\n  }\r\n]\r\n',
    "concatenated": b'{"a":1}{"b":2} {"c":\n3}\n\n{"d":[]}',
    "broken": b'[{"a":1},{"b":x},{"c":"un},{"d":4},{"e":5},\xff,{"f":6},{"g":7}]',
    "scalars": b'[1, -2.5e+3, "s", true, null, [2], {"a":1}, 12.75]',
    "envelope": b'{"meta": {"n": [1]}, "items": [ {"id":1}, {"id":2},{"id":x}], "next": null, "t":[0]}{"id":3}',
    "pages": b'[{"items":[{"id":1},{"id":"}]"}]},\n{"items":[{"id":2}],"more":[{"id":3},{"x":[{}]}]}]'
    b' {"items":[{"id":4}',
    "torn envelope": b'[{"items":[{"id":1}]\xef\xbb\xbf[]},{"n":2,"items":[{"id":2}],"next" 3},{"id":4},'
    b'{"items":[{"id":5}],[7]}',
    "lost braces": b'[{"id":1,"a":2 ,{"id":2},"id":3},{{"id":4}, [{"id":5}] [{"id":6}],,{"id":7',
    "cut off": b'[{"a":1},{"b":"\xe2\x82\xac"},{"c":tr',
    "too long": b'[{"a":"%s"},{"b":2},{"c":"%s"}]' % (b"x" * 60, b"\xc3\xa9" * 30),
}


def cut(blocks: list[bytes], limits: Limits = ONE_EACH, start: Position | None = None, broken: str = "") -> list[Piece]:
    return list(pieces_of_records(blocks, limits, start, lambda: broken, NATURAL))


def lines(text: bytes, limits: Limits = ONE_EACH) -> list[bytes | str]:
    return [piece.broken or piece.data.rstrip(b"\n") for piece in cut([text], limits)]


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
@pytest.mark.parametrize("limits", [ONE_EACH, SMALL, Limits(rows=2)])
def test_the_records_are_the_same_wherever_the_blocks_split(text: bytes, limits: Limits) -> None:
    whole = cut([text], limits)
    for split in range(len(text) + 1):
        assert cut([text[:split], text[split:]], limits) == whole, split
    assert cut([text[i : i + 1] for i in range(len(text))], limits) == whole


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
@pytest.mark.parametrize("limits", [ONE_EACH, SMALL, Limits(rows=2)])
def test_cutting_again_from_any_pieces_end_gives_the_pieces_that_followed(text: bytes, limits: Limits) -> None:
    pieces = cut([text], limits)
    for number, piece in enumerate(pieces, 1):
        assert cut([text[piece.end.offset :]], limits, piece.end) == pieces[number:]


def places_hold(text: bytes, piece: Piece) -> bool:
    """Whether each line is, byte for byte, what lies at its place."""
    at, found = piece.start.offset, []
    for lead, length in zip(piece.spans[::2], piece.spans[1::2], strict=True):
        found.append(text[at + lead : at + lead + length].replace(b"\n", b" ").replace(b"\r", b" "))
        at += lead + length
    return found == piece.data.replace(b"\v", b" ").split(b"\n")[:-1]


parts = st.sampled_from(
    [
        b"{", b"}", b"[", b"]", b",", b":", b'"', b"\\", b"\n", b" ", b"\xef\xbb\xbf", b"\xc3", b"\xa9", b"1", b"-",
        b"tru", b"null", b'{"a":1}', b'{"b":{"c":[2]}}', b'"k":', b"} {", b"},{", b'"\xf0\x9f\x98\x80"', b"x" * 50,
        b" " * 300, b".5", b'{"id":7}', b'{"p":1,"items":[', b'"more":[{"id":1', b'{"id":', b'],"next":null}',
        b'{"long":"' + b"y" * 700 + b'"}', b'{"nested":[' + b'{"z":1},' * 90 + b"0]}",
    ]
)  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(
    st.lists(parts, max_size=14).map(b"".join), st.lists(st.integers(1, 700), max_size=8), st.sampled_from([20, 500])
)
def test_of_any_text_the_pieces_follow_on_and_depend_on_the_text_alone(
    text: bytes, sizes: list[int], line_bytes: int
) -> None:
    limits = Limits(rows=2, line_bytes=line_bytes, chunk_bytes=2 * line_bytes)
    whole = cut([text], limits)
    blocks, at = [], 0
    for size in sizes:
        blocks.append(text[at : at + size])
        at += size
    assert cut([*blocks, text[at:]], limits) == whole
    end = Position()
    for number, piece in enumerate(whole, 1):
        assert piece.start == end
        end = piece.end
        assert end.line == piece.start.line + piece.rows
        assert cut([text[end.offset :]], limits, end) == whole[number:]
        assert places_hold(text, piece)
    assert not re.sub(r'"[^"]*"\s*:\s*(?=\[)', "", text[end.offset :].decode("utf-8", "replace")).strip(
        "\ufeff[]{}, \n"
    )


strings = st.text('a"\\\n{}[],: é€😀', max_size=6)
values = st.none() | st.booleans() | st.integers() | strings | st.lists(st.dictionaries(strings, strings, max_size=2))
objects = st.lists(st.dictionaries(strings, values, max_size=3), max_size=5)


@settings(max_examples=60, deadline=None)
@given(objects, st.sampled_from([None, 2]), st.booleans())
def test_every_record_of_an_array_or_of_a_stream_comes_back_as_one_line(
    rows: list[dict[str, object]], indent: int | None, array: bool
) -> None:
    text = json.dumps(rows, indent=indent) if array else "".join(json.dumps(r, indent=indent) for r in rows)
    found = cut([text.encode()])
    assert [json.loads(piece.data) for piece in found] == rows
    assert all(piece.data.count(b"\n") == 1 for piece in found)


@pytest.mark.parametrize(
    "broken",
    [
        b'{"b":x}',
        b'{"b" 2}',
        b'{"b":"two\nlines"}',
        b'{"b":"\\q"}',
        b'{"b":"open}',
        b'{"b":[1}',
        b'{"b":1}}',
        b'{"b":\xff}',
    ],
)
def test_a_broken_record_costs_only_itself(broken: bytes) -> None:
    found = lines(b'[{"a":1},' + broken + b', {"c":3}, {"d":4}]')
    assert found[0] == b'{"a":1}'
    assert found[-2:] == [b'{"c":3}', b'{"d":4}']
    assert b"".join(line for line in found[1:-2] if isinstance(line, bytes)) == broken.replace(b"\n", b"\v")


def test_a_broken_record_at_the_end_of_a_whole_array_is_a_line_as_it_stands() -> None:
    assert lines(b'[{"a":1}, {"b":x}]\n') == [b'{"a":1}', b'{"b":x}']


def test_nesting_that_is_too_deep_to_read_costs_only_itself() -> None:
    deep = b'{"a":' + b"[" * 100_000 + b"}"
    assert lines(b'[{"a":1},' + deep + b',{"b":2}]') == [b'{"a":1}', deep, b'{"b":2}']


def test_a_number_with_thousands_of_digits_is_a_record_like_any_other() -> None:
    long = b'{"a":' + b"1" * 10_000 + b"}"
    assert lines(b"[" + long + b',{"b":2}]') == [long, b'{"b":2}']


@pytest.mark.parametrize("end", range(11, 26))
def test_a_cut_off_end_is_one_truncated_stretch(end: int) -> None:
    text = b'[{"a":1}, {"b":tru,"c":"x\\u00e9"}]'[:end]
    pieces = cut([text])
    assert [piece.broken for piece in pieces] == ["", "truncated"]
    assert pieces[-1].end == Position(end, 3, ended=True)


@pytest.mark.parametrize("end", range(9, 34))
def test_where_the_stream_breaks_off_its_reason_is_one_stretch_and_the_records_before_count(end: int) -> None:
    pieces = cut([b'[{"a":1}, {"b":2,"c":"x\\u00e9"}, '[:end]], broken="expansion_limit")
    assert [piece.broken for piece in pieces][-1] == "expansion_limit"
    assert [piece.rows for piece in pieces] == [1] * (2 if end < 31 else 3)
    assert pieces[-1].end.offset == min(end, 33)


@pytest.mark.parametrize("size", [60, 3000])
@pytest.mark.parametrize("block", [7, 100, 10_000])
def test_a_record_that_is_too_long_costs_only_itself(size: int, block: int) -> None:
    text = b'[{"a":1},{"b":"' + b"x" * size + b'"},{"c":3},{"d":"' + b"y" * size + b'"}]'
    pieces = cut([text[i : i + block] for i in range(0, len(text), block)], SMALL)
    assert [piece.broken for piece in pieces] == ["", "line_too_long", "", "line_too_long"]
    assert pieces == cut([text], SMALL)


def test_the_limit_of_a_record_counts_bytes() -> None:
    exact = '{"a":"%s"}' % ("é" * 16)
    assert lines(f"[{exact}]".encode(), SMALL) == [exact.encode()]
    assert lines(exact.replace('"a"', '"ab"').encode(), SMALL) == ["line_too_long"]


def test_space_between_records_is_not_kept_in_memory() -> None:
    pieces = cut([b'{"a":1}'] + [b" " * 1000] * 500 + [b'{"b":2}'])
    assert [piece.data for piece in pieces] == [b'{"a":1}\n', b'{"b":2}\n']
    assert pieces[-1].end == Position(500_014, 3)


@pytest.mark.parametrize("text", [b"", b"\n", b"[]", b" [ ] \n", b"\xef\xbb\xbf"])
def test_what_holds_no_record_gives_no_piece(text: bytes) -> None:
    assert cut([text]) == []


@pytest.mark.parametrize(
    ("head", "answer"),
    [
        (b'{"a":1}\n{"b":2}\n', True),
        (b'\xef\xbb\xbf\n  {"a":1}  \r\n', True),
        (b'not json\n{"a":1}\n', True),
        (b'{"a":"\xe2\x80\xa8"}\n{"b":', True),
        (b'[{"a":1}]', False),
        (b' [\n{"a":1}\n]', False),
        (b'{"a":1}{"b":2}', False),
        (b'{\n  "a": 1\n}\n', False),
        (b'{\n  "a":\n  {"b": 1}\n}\n', False),
        (b'{"a":' + b"[" * 100_000, False),
        (b'{"a":' + b"1" * 10_000 + b"}\n", True),
        (b"", False),
    ],
)
def test_one_record_a_line_is_told_from_the_head(head: bytes, answer: bool) -> None:
    assert is_lines(head) is answer


def test_records_under_one_key_are_the_records_and_other_members_of_the_envelope_are_stretches() -> None:
    assert lines(TEXTS["envelope"]) == [
        "envelope_member", b'{"id":1}', b'{"id":2}', b'{"id":x}', "envelope_member", "envelope_member", b'{"id":3}',
    ]  # fmt: skip


def test_pages_one_after_the_other_are_opened_and_an_envelope_that_is_never_closed_is_truncated() -> None:
    assert lines(TEXTS["pages"]) == [
        b'{"id":1}', b'{"id":"}]"}', b'{"id":2}', b'{"id":3}', b'{"x":[{}]}', b'{"id":4}', "truncated",
    ]  # fmt: skip


def test_a_record_with_lines_of_its_own_is_no_envelope() -> None:
    row = b'{"id":1,"lines":[{"id":2}]}'
    assert lines(row + b'{"lines":[{"n":1}],"id":3}') == [row, b'{"lines":[{"n":1}],"id":3}']


def test_after_a_lost_or_a_stray_brace_the_next_record_is_found_by_its_natural_key() -> None:
    assert lines(TEXTS["lost braces"]) == [
        b'{"id":1,"a":2', b'{"id":2}', b'"id":3}', b"{", b'{"id":4}', b'{"id":5}', b'{"id":6}', "truncated",
    ]  # fmt: skip


def test_a_nested_object_with_the_natural_key_does_not_split_a_broken_record() -> None:
    broken = b'{"id":1,"of": {"id":9}, "b":x}'
    assert lines(b"[" + broken + b',{"id":2}]') == [broken, b'{"id":2}']


def test_an_array_that_is_never_closed_is_told_though_its_last_record_is_whole() -> None:
    pieces = cut([b'[{"id":1}'])
    assert [piece.broken for piece in pieces] == ["", "truncated"]
    assert cut([b""], start=pieces[-1].end) == []


def test_an_array_of_objects_in_the_array_is_opened_and_an_array_of_values_is_a_record() -> None:
    assert lines(b'[[{"a":1}],["x",[2]],[ [{"b":2}] ],[]]') == [b'{"a":1}', b'["x",[2]]', b'{"b":2}']


def test_arrays_one_after_the_other_with_marks_between_them_are_read_through() -> None:
    assert lines(b'\xef\xbb\xbf[{"a":1}]\r\n\xef\xbb\xbf[{"b":x}][{"c":3}]') == [b'{"a":1}', b'{"b":x}', b'{"c":3}']


@pytest.mark.parametrize(
    ("head", "answer"),
    [
        (b'{"items":[{"id":1}]}\n{"items":[{"id":2}]}\n', False),
        (b'{"p":{"n":[1]},"items":[{"id":1},', False),
        (b'{"id":1,"items":[{"id":2}]}\n', True),
        (b'{"items":[{"n":1}]}\n', True),
        (b'{"items":[]}\n', True),
    ],
)
def test_an_envelope_on_a_line_is_no_record(head: bytes, answer: bool) -> None:
    assert is_lines(head, NATURAL) is answer


def test_a_member_or_a_head_that_is_too_long_to_look_at_is_no_envelope_and_still_covered() -> None:
    text = b'{"p":"%s","items":[{"id":1},{"id":2}]}{"id":3}' % (b"x" * 3_000)
    for block in (7, 100, len(text)):
        pieces = cut([text[i : i + block] for i in range(0, len(text), block)], SMALL)
        assert pieces == cut([text], SMALL)
        assert [piece.broken or piece.data.strip() for piece in pieces][-2:] == [b"}", b'{"id":3}']
        assert pieces[-1].end.offset == len(text)


structure = st.sampled_from(
    [b"{", b"}", b"[", b"]", b",", b":", b'"', b"\\", b"\n", b"\xff", b"\xef\xbb\xbf", b"NaN", b"", b"}{", b"]["]
)


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 40), st.integers(0, 12), structure, st.sampled_from([b",", b" ,\n", b"\n"]))
def test_whatever_happens_inside_a_record_the_others_come_out(at: int, gone: int, put: bytes, between: bytes) -> None:
    rows = [b'{"id":%d,"a":"x","b":[1,{"c":2}]}' % number for number in range(5)]
    torn = rows[2][:at] + put + rows[2][at + gone :]
    found = lines(b"[" + between.join([*rows[:2], torn, *rows[3:]]) + b"]")
    assert [row for row in rows if row in found and row != rows[2]] == [rows[0], rows[1], rows[3], rows[4]]
