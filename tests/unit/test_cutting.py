"""Cutting lines: no byte is lost, whatever the blocks are."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.domain.cutting import Limits, Piece, Position, pieces_of_lines

TEXT = b'{"a":1}\r\n\n{"b":"\xc3\xa9"}\n   \n{"c":3}\n{"d":4}'


def cut(blocks: list[bytes], limits: Limits, start: Position | None = None) -> list[Piece]:
    return list(pieces_of_lines(blocks, limits, start))


@pytest.mark.parametrize("rows", [1, 2, 3, 10])
@pytest.mark.parametrize("split", range(len(TEXT) + 1))
def test_the_pieces_are_the_same_wherever_the_blocks_split(split: int, rows: int) -> None:
    limits = Limits(rows=rows)
    assert cut([TEXT[:split], TEXT[split:]], limits) == cut([TEXT], limits)


@pytest.mark.parametrize("rows", [1, 2, 3, 10])
def test_cutting_again_from_any_pieces_end_gives_the_pieces_that_followed(rows: int) -> None:
    pieces = cut([TEXT], Limits(rows=rows))
    for number, piece in enumerate(pieces, 1):
        assert cut([TEXT[piece.end.offset :]], Limits(rows=rows), piece.end) == pieces[number:]


@pytest.mark.parametrize("end", [b"", b"\n"])
def test_pieces_cover_every_byte_also_where_the_last_line_is_too_long(end: bytes) -> None:
    text = b"ok\n" + b"x" * 20 + end
    pieces = cut([text], Limits(line_bytes=10, chunk_bytes=1000))
    assert [p.broken for p in pieces] == ["", "line_too_long"]
    assert pieces[-1].end == Position(len(text), 3)


def test_blank_lines_are_covered_but_are_no_rows() -> None:
    pieces = cut([TEXT], Limits())
    assert b"".join(p.data for p in pieces) == TEXT
    assert sum(p.rows for p in pieces) == 4


texts = st.lists(
    st.sampled_from([b"", b" ", b"a", b"bb", b"ccc\r", b"long-line", b"much-longer-line"]), max_size=12
).flatmap(lambda lines: st.sampled_from([b"\n".join(lines), b"\n".join(lines) + b"\n"]))
limits = st.builds(
    lambda rows, line, more: Limits(rows=rows, line_bytes=line, chunk_bytes=line + more),
    st.integers(1, 4), st.integers(3, 12), st.integers(1, 8),
)  # fmt: skip


@settings(max_examples=200, deadline=None)
@given(texts, limits, st.lists(st.integers(1, 9), min_size=1, max_size=40), st.sampled_from(["", "truncated"]))
def test_pieces_depend_on_the_text_alone_and_never_exceed_a_limit(
    text: bytes, limits: Limits, sizes: list[int], broken: str
) -> None:
    blocks, at = [], 0
    for size in sizes:
        blocks.append(text[at : at + size])
        at += size
    blocks.append(text[at:])
    whole = list(pieces_of_lines([text], limits, broken_off=lambda: broken))
    assert list(pieces_of_lines(blocks, limits, broken_off=lambda: broken)) == whole
    assert whole[-1].end.offset == len(text) if whole else not text
    for number, piece in enumerate(whole, 1):
        assert len(piece.data) <= limits.chunk_bytes
        assert piece.data == (b"" if piece.broken else text[piece.start.offset : piece.end.offset])
        rest = pieces_of_lines([text[piece.end.offset :]], limits, piece.end, lambda: broken)
        assert list(rest) == whole[number:]
