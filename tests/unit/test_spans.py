"""Spans: what lies behind the rows of a chunk object tells each bad row its bytes in the source file."""

from __future__ import annotations

import pytest

from shared.domain.cells import find_dialect, pieces_of_cells
from shared.domain.cutting import Limits, Piece, pieces_of_lines
from shared.domain.normalising import Context
from shared.domain.records import pieces_of_records
from shared.domain.spans import locate, spans_of
from shared.domain.validation import validate_lines
from tests.unit.judging import LANDED, METHODS

JSON = b'[ {"a":1},\r\n {"b":"\xc3\xa9"} , null,\n{\n"c":3} ]'
CSV = b'\xef\xbb\xbfuser_id,country\r\n\r\n,GB\r\n"","x\ny"\n\nu,v,w'
LINES = b'{"a":1}\n\n {"b":2}\r\n3'


def found(source: str, text: bytes, pieces: list[Piece], header: list[str] | None = None) -> list[bytes]:
    """The bytes of the file at the place of each bad row."""
    places = []
    for piece in pieces:
        verdict = validate_lines(piece.data, Context.at(source, LANDED, METHODS), piece.start.line, header)
        locate(verdict, piece.data, piece.start.line, spans_of(piece))
        places += [row.source for row in verdict.bad if row.source]
    return [text[offset : offset + length] for offset, length in places]


@pytest.mark.parametrize("rows", [1, 2, 3, 10])
def test_the_place_of_a_row_is_its_own_bytes_in_the_file(rows: int) -> None:
    limits = Limits(rows=rows)
    records = [b'{"a":1}', b'{"b":"\xc3\xa9"}', b"null", b'{\n"c":3}']
    assert found("transactions", JSON, list(pieces_of_records([JSON], limits))) == records
    dialect = find_dialect(CSV, complete=True)
    cells = list(pieces_of_cells([CSV[dialect.body.offset :]], limits, dialect))
    assert found("users", CSV, cells, dialect.header) == [b",GB", b'"","x\ny"', b"u,v,w"]
    assert found("transactions", LINES, list(pieces_of_lines([LINES], limits))) == [b'{"a":1}', b' {"b":2}\r', b"3"]


def test_nothing_is_told_where_nothing_lies_behind_the_rows() -> None:
    verdict = validate_lines(b"null\n", Context.at("transactions", LANDED, METHODS), 1)
    locate(verdict, b"null\n", 1, b"")
    assert [row.source for row in verdict.bad] == [None]
