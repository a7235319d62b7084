"""The rows of one message of the stream: one object, an array, or objects one a line or one after the other."""

from __future__ import annotations

from shared.domain.cutting import Limits
from shared.domain.records import is_lines, pieces_of_records


def rows_of_message(data: bytes) -> bytes:
    """One record a line. Nothing is left out: a stretch that is no record becomes a line as it stands.

    A message without any content becomes one line that validation refuses, so that it is counted.
    """
    if not data.strip():
        return b"null\n"
    if is_lines(data):
        return data
    pieces = pieces_of_records([data], Limits(rows=len(data) + 1, chunk_bytes=len(data) + 1, line_bytes=len(data) + 1))
    lines = [
        data[piece.start.offset : piece.end.offset].replace(b"\n", b" ") + b"\n" if piece.broken else piece.data
        for piece in pieces
    ]
    return b"".join(lines)
