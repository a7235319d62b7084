"""The rows of one message of the stream: one object, an array, or objects one a line or one after the other."""

from __future__ import annotations

from shared.domain.cutting import Limits, Piece
from shared.domain.envelopes import Natural
from shared.domain.records import is_lines, pieces_of_records
from shared.schemas.aliases import natural_names

_NATURAL = Natural(natural_names("transactions"))


def rows_of_message(data: bytes) -> bytes:
    """One record a line. Nothing is left out: a stretch that is no record becomes a line as it stands.

    A message without any content becomes one line that validation refuses, so that it is counted.
    """
    if not data.strip():
        return b"null\n"
    if is_lines(data, _NATURAL):
        return data
    limits = Limits(rows=len(data) + 1, chunk_bytes=len(data) + 1, line_bytes=len(data) + 1)
    pieces = pieces_of_records([data], limits, natural=_NATURAL)
    rows = b"".join(_stretch(data, piece) if piece.broken else piece.data for piece in pieces)
    return rows if rows or data.split() == [b"[", b"]"] or data.strip() == b"[]" else b"null\n"


def _stretch(data: bytes, piece: Piece) -> bytes:
    text = data[piece.start.offset + piece.lead : piece.end.offset].replace(b"\n", b" ")
    return (text.strip() or b"null") + b"\n"
