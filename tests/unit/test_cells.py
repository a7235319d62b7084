"""CSV: each record is one line of cells, however the file is written; what cannot be read costs only its line."""

import csv
import io
import json
from typing import Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.domain.cells import Dialect, find_dialect, pieces_of_cells
from shared.domain.cutting import Limits, Piece, Position
from shared.errors import UnsupportedFile

ONE_EACH = Limits(rows=1)
SMALL = Limits(rows=1, line_bytes=20, chunk_bytes=60)
PLAIN = Dialect("utf-8", ",", [], Position())

TEXTS = {
    "plain": b"u1,Ann\r\n\nu2,\xc3\x89ve\r\n\r\nu3,Joe",
    "quoted": b'u1,"two\nlines"\nu2,"say ""hi"", \xe2\x82\xac"\n"u3",\n',
    "unclosed": b'u1,"open\nu2,b\nu3,"c"\nu4,"d\n e"\n"u5\n',
    "not utf-8": b"u1,\xff\nu2,\xc3\nu3,c\n",
    "too long": b'u1,a\nu2,"' + b"x" * 40 + b'"\nu3,"b\n' + b"y" * 30 + b'\nu4,"d\ne"\n' + b"z" * 50,
    "carriage returns": b"u1,a\ru2,b\r\nu3,c\n",
}


def cut(
    blocks: list[bytes],
    limits: Limits = ONE_EACH,
    start: Position | None = None,
    dialect: Dialect = PLAIN,
    broken: str = "",
) -> list[Piece]:
    return list(pieces_of_cells(blocks, limits, dialect, start, lambda: broken))


def records(text: bytes, limits: Limits = ONE_EACH, dialect: Dialect = PLAIN) -> list[object]:
    """Lists of cells, the text of a line that cannot be read, or None for a stretch."""
    found = cut([text], limits, dialect=dialect)
    return [None if piece.broken else json.loads(piece.data) for piece in found]


def read(text: bytes) -> tuple[Dialect, list[object]]:
    dialect = find_dialect(text, complete=True)
    return dialect, records(text[dialect.body.offset :], dialect=dialect)


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


parts = st.sampled_from(
    [b"a", b",", b'"', b'""', b"\n", b"\r\n", b"\r", b" ", b"\xc3\xa9", b"\xc3", b'"b\nc"', b"x" * 25, b"a,b\n", b'c,"']
)


@settings(max_examples=60, deadline=None)
@given(st.lists(parts, max_size=20).map(b"".join), st.lists(st.integers(1, 30), max_size=8), st.sampled_from([5, 20]))
def test_of_any_text_the_pieces_follow_on_and_depend_on_the_text_alone(
    text: bytes, sizes: list[int], line_bytes: int
) -> None:
    limits = Limits(rows=2, line_bytes=line_bytes, chunk_bytes=3 * line_bytes)
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
    assert not text[end.offset :].strip(b"\r\n")


cells = st.text("a \n\t,;'\"é€\u2028😀", max_size=6)
tables = st.lists(st.lists(cells, min_size=2, max_size=3), max_size=6)


@settings(max_examples=60, deadline=None)
@given(tables, st.sampled_from(",;\t"), st.sampled_from(["\n", "\r\n"]), st.booleans())
def test_what_a_csv_writer_writes_comes_back_cell_for_cell(
    rows: list[list[str]], delimiter: str, line_end: str, quoted: bool
) -> None:
    out = io.StringIO()
    quoting: Literal[0, 1] = csv.QUOTE_ALL if quoted else csv.QUOTE_MINIMAL
    csv.writer(out, delimiter=delimiter, lineterminator=line_end, quoting=quoting).writerows(rows)
    assert records(out.getvalue().encode(), dialect=Dialect("utf-8", delimiter, [], Position())) == rows


@pytest.mark.parametrize(("mark", "encoding"), [(b"", "utf-8"), (b"\xef\xbb\xbf", "utf-8"), (b"", "latin-1")])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
def test_the_dialect_is_found_in_the_head(mark: bytes, encoding: str, delimiter: str, line_end: str) -> None:
    rows = [[" User ID ", '"Full Name"', "e-mail"], ["u1", "Ève", "a"]]
    text = mark + "".join(delimiter.join(row) + line_end for row in rows).encode(encoding)
    dialect, found = read(text)
    assert dialect.header == ["user_id", "full_name", "e-mail"]
    assert (dialect.encoding, dialect.delimiter, dialect.body.line) == (encoding, delimiter, 2)
    assert found == [["u1", "Ève", "a"]]


@pytest.mark.parametrize("end", range(8, 14))
def test_a_head_that_ends_inside_a_character_is_still_utf_8(end: int) -> None:
    text = b"user_id\n\xe2\x82\xac\xf0\x9f\x98\x80"
    assert find_dialect(text[:end], complete=False).encoding == "utf-8"


@pytest.mark.parametrize("text", [b"user_id\nJos\xe9", b"user_id\nJos\xe9\n\n"])
def test_latin_1_at_the_very_end_of_a_whole_file_is_seen(text: bytes) -> None:
    assert read(text)[1] == [["José"]]


def test_a_byte_that_is_no_utf_8_near_the_end_of_a_longer_files_head_is_seen() -> None:
    assert find_dialect(b"user_id\nJos\xe9,\n", complete=False).encoding == "latin-1"


@pytest.mark.parametrize("text", [b"user_id", b"user_id\n", b"user_id\r\n"])
def test_the_body_of_a_file_with_a_header_alone_begins_at_its_end(text: bytes) -> None:
    dialect, found = read(text)
    assert dialect == Dialect("utf-8", ",", ["user_id"], Position(len(text), 2))
    assert found == []


@pytest.mark.parametrize(
    ("head", "reason"),
    [
        (b"", "empty_file"),
        (b"\xef\xbb\xbf\n", "empty_file"),
        (b"\r\nuser_id\n", "empty_file"),
        ("user_id\n".encode("utf-16"), "wrong_encoding"),
        (b"user_id\0\n", "wrong_encoding"),
        (b"user_id\ru1\ru2\r", "wrong_encoding"),
    ],
)
def test_a_head_without_a_header_that_can_be_read_refuses_the_file(head: bytes, reason: str) -> None:
    with pytest.raises(UnsupportedFile) as refused:
        find_dialect(head, complete=True)
    assert refused.value.reason == reason


def test_quoted_line_breaks_belong_to_their_record() -> None:
    assert records(TEXTS["quoted"]) == [["u1", "two\nlines"], ["u2", 'say "hi", €'], ["u3", ""]]


def test_an_unclosed_quote_costs_only_the_line_it_stands_on() -> None:
    found = records(TEXTS["unclosed"])
    assert found == ['u1,"open', ["u2", "b"], ["u3", "c"], ["u4", "d\n e"], '"u5']


def test_an_unclosed_quote_is_given_up_after_a_hundred_lines() -> None:
    many = [[f"u{n}", "x"] for n in range(300)]
    text = b'u,"open\n' + b"".join(",".join(row).encode() + b"\n" for row in many)
    assert records(text) == ['u,"open', *many]
    hundred = 'u,"' + "\n" * 99 + '"\n'
    assert records(hundred.encode()) == [["u", "\n" * 99]]


def test_a_line_of_exactly_the_limit_is_read_and_one_byte_more_is_a_stretch() -> None:
    assert records(b"u," + b"x" * 18 + b"\nu2,b\n", SMALL) == [["u", "x" * 18], ["u2", "b"]]
    pieces = cut([b"u," + b"x" * 19 + b"\nu2,b\n"], SMALL)
    assert [piece.broken for piece in pieces] == ["line_too_long", ""]
    assert pieces[0].end == Position(22, 2)


def test_a_line_that_is_too_long_inside_a_quoted_field_costs_itself_and_the_line_of_the_quote() -> None:
    assert records(b'u1,"a\n' + b"x" * 30 + b"\nu2,b\n", SMALL) == ['u1,"a', None, ["u2", "b"]]


def test_bytes_that_are_no_utf_8_are_kept_as_they_are() -> None:
    pieces = cut([b"u1,\xff\nu2,b\n"])
    assert [piece.data for piece in pieces] == [b'["u1","\xff"]\n', b'["u2","b"]\n']


@pytest.mark.parametrize("end", range(6, 17))
def test_where_the_stream_breaks_off_the_unfinished_line_is_one_stretch(end: int) -> None:
    text = b"u1,a\nu2,bcd\nu3,\xc3\xa9"[:end]
    pieces = cut([text], broken="truncated")
    assert [piece.broken for piece in pieces] == ["", *[""] * (end >= 12), "truncated"]
    assert pieces[-1].end == Position(end, 3 + (end >= 12), ended=True)


def test_where_the_stream_breaks_off_inside_a_line_that_is_too_long_there_is_one_stretch() -> None:
    pieces = cut([b"u1,a\n" + b"x" * 50], SMALL, broken="truncated")
    assert [(piece.broken, piece.end.offset) for piece in pieces] == [("", 5), ("truncated", 55)]


def test_a_last_line_without_an_end_is_a_record_where_the_stream_is_whole() -> None:
    assert records(b"u1,a\nu2,b") == [["u1", "a"], ["u2", "b"]]
