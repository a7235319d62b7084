"""Where the rows of a chunk object came from: what lies behind them in the object, and is read only for a bad row.

A chunk whose rows are not bytes of the landing object is an object of the lake: its rows, one a line, and behind them
a JSON array of numbers. The first is the offset of the chunk in the (expanded) source file. Where the lines were made
from records of another shape, it goes on with two numbers a line: the bytes in front of its record, and of the record.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import accumulate
from typing import TYPE_CHECKING

import msgspec

from shared.domain.cutting import Piece

if TYPE_CHECKING:  # who writes spans judges no rows and does not load what that takes
    from shared.domain.validation import Verdict


def spans_of(piece: Piece) -> bytes:
    """What is written behind the rows of a piece."""
    return msgspec.json.encode((piece.start.offset, *piece.spans))


def locate(verdict: Verdict, rows: bytes, first_line: int, behind: bytes) -> None:
    """Tell each bad row its bytes in the source file; nothing is told where nothing lies behind the rows."""
    if not behind:
        return
    offset, *spans = msgspec.json.decode(behind, type=list[int])
    places = list(_records(offset, spans) if spans else _lines(offset, rows))
    verdict.bad = [replace(row, source=places[row.line - first_line]) for row in verdict.bad]


def _records(offset: int, spans: list[int]) -> Iterator[tuple[int, int]]:
    ends = list(accumulate(spans, initial=offset))
    return zip(ends[1::2], spans[1::2], strict=True)


def _lines(offset: int, rows: bytes) -> Iterator[tuple[int, int]]:
    for line in rows.split(b"\n"):
        yield offset, len(line)
        offset += len(line) + 1
