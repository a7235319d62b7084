"""Cutting a stream of bytes into chunks of rows, in bounded memory and the same way each time.

`pieces_of_lines` cuts at line ends and needs no more than one chunk in memory; `pieces_of_records` (records.py) and
`pieces_of_cells` (cells.py) turn what cannot be split by bytes into lines first. All of them yield `Piece`s in order;
the pieces cover the stream without a gap, and cutting again from any piece's end gives the same pieces that followed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import NamedTuple

BLANK = frozenset({b"", b"\xef\xbb\xbf"})
"""What is left of a line, stripped, that holds no row: nothing, or the mark of a file that was joined to another."""


@dataclass(frozen=True)
class Limits:
    """How large a chunk may become. `line_bytes` must not exceed `chunk_bytes`."""

    rows: int = 10_000
    chunk_bytes: int = 8 << 20
    line_bytes: int = 1 << 20


@dataclass(frozen=True)
class Position:
    """Where a piece begins: bytes into the (expanded) stream and the number of its first line, counted from 1.

    `within` holds the brackets that are open here (records.py). `ended` says that the stream broke off here: nothing
    follows, and a reader that starts here does not tell the break a second time.
    """

    offset: int = 0
    line: int = 1
    within: str = ""
    ended: bool = False


@dataclass(frozen=True)
class Piece:
    """Some whole lines, or one broken stretch.

    `rows` counts the lines that are not blank. `broken` is the reason code of a stretch that cannot be read as rows;
    a stretch counts as one row and carries no data; `lead` bytes in front of it are only what stands between records.
    `spans` tells of each converted line how many bytes lie in front of its record and how many it has, in turn.
    """

    start: Position
    end: Position
    rows: int
    data: bytes
    broken: str = ""
    lead: int = 0
    spans: tuple[int, ...] = ()


class Record(NamedTuple):
    """One converted line, or a stretch with its reason: bytes in front of it, its own, and those of its line end."""

    line: bytes
    lead: int
    length: int
    trail: int = 0
    broken: str = ""
    within: str = ""
    last: bool = False


BrokenOff = Callable[[], str]


def whole() -> str:
    """The `broken_off` of a stream that cannot break off."""
    return ""


def pieces_of_lines(
    blocks: Iterable[bytes], limits: Limits, start: Position | None = None, broken_off: BrokenOff = whole
) -> Iterator[Piece]:
    """Cut newline-delimited rows. A line beyond `limits.line_bytes` becomes a stretch `line_too_long` of its own.

    `broken_off` is asked at the end of the stream: a reason code there makes the unfinished last line one stretch.
    """
    at = start or Position()
    if at.ended:
        return
    cutter = _LineCutter(limits, at)
    for block in blocks:
        yield from cutter.feed(block)
    yield from cutter.finish(broken_off())


class _LineCutter:
    """Grows a run of lines and closes it before the line that would exceed a limit.

    Each decision rests on what follows the last closed piece, never on how the bytes came in blocks: so cutting again
    from the end of any piece gives the same pieces.
    """

    def __init__(self, limits: Limits, start: Position) -> None:
        self._limits = limits
        self._at = start
        self._run: list[bytes] = []
        self._size = 0
        self._tail = b""
        self._skipped = 0

    def feed(self, block: bytes) -> Iterator[Piece]:
        if self._skipped:
            end = block.find(b"\n")
            if end < 0:
                self._skipped += len(block)
                return
            yield self._stretch(self._skipped + end + 1)
            self._skipped, block = 0, block[end + 1 :]
        lines = (self._tail + block).split(b"\n")
        self._tail = lines.pop()
        yield from self._add(lines)
        if len(self._tail) > self._limits.line_bytes:
            yield from self._close()
            self._skipped, self._tail = len(self._tail), b""

    def finish(self, broken: str) -> Iterator[Piece]:
        if self._skipped and not broken:
            yield self._stretch(self._skipped)
        elif broken:
            yield from self._close()
            stretch = self._stretch(self._skipped + len(self._tail), broken)
            yield replace(stretch, end=replace(stretch.end, ended=True))
        else:
            if self._run and self._size + len(self._tail) > self._limits.chunk_bytes:
                yield from self._close()
            self._run.append(self._tail)  # the last line has no end; where there is none, this adds nothing
            yield from self._close(end=b"")

    def _add(self, lines: list[bytes]) -> Iterator[Piece]:
        """Whole lines, as many at once as the run still takes; one by one only where a limit of bytes is near."""
        done = 0
        while done < len(lines):
            some = lines[done : done + self._limits.rows - len(self._run)]
            done += len(some)
            lengths = [len(line) for line in some]
            size = sum(lengths) + len(some)
            if self._size + size <= self._limits.chunk_bytes and max(lengths) <= self._limits.line_bytes:
                self._run += some
                self._size += size
            else:
                yield from self._add_singly(some)
            if len(self._run) >= self._limits.rows:
                yield from self._close()

    def _add_singly(self, lines: list[bytes]) -> Iterator[Piece]:
        for line in lines:
            size = len(line) + 1
            if len(line) > self._limits.line_bytes:
                yield from self._close()
                yield self._stretch(size)
                continue
            if self._size + size > self._limits.chunk_bytes:
                yield from self._close()
            self._run.append(line)
            self._size += size

    def _close(self, end: bytes = b"\n") -> Iterator[Piece]:
        """Emit the run, if there is one."""
        data = b"\n".join(self._run) + end if self._run else b""
        if data:
            rows = sum(1 for line in self._run if line.strip() not in BLANK)
            start = self._advance(len(data), data.count(b"\n") + (not data.endswith(b"\n")))
            yield Piece(start, self._at, rows, data)
        self._run, self._size = [], 0

    def _stretch(self, length: int, reason: str = "line_too_long") -> Piece:
        start = self._advance(length, 1)
        return Piece(start, self._at, 1, b"", reason)

    def _advance(self, length: int, lines: int) -> Position:
        start = self._at
        self._at = Position(start.offset + length, start.line + lines)
        return start


def pack(records: Iterable[Record], limits: Limits, start: Position) -> Iterator[Piece]:
    """Pack converted lines into pieces."""
    first, offset, end_line, around = start, start.offset, start.line, start.within
    held: list[bytes] = []
    spans: list[int] = []
    size = carried = 0
    for line, lead, length, trail, broken, within, last in () if start.ended else records:
        if held and (broken or len(held) == limits.rows or size + len(line) >= limits.chunk_bytes):
            at = Position(offset, end_line, around)
            yield Piece(first, at, len(held), b"\n".join(held) + b"\n", spans=tuple(spans))
            held, spans, size, carried, first = [], [], 0, 0, at
        offset += lead + length + trail
        end_line += 1
        around = within
        if broken:
            at = Position(offset, end_line, around, last)
            yield Piece(first, at, 1, b"", broken, lead)
            first = at
        else:
            held.append(line)
            spans += (carried + lead, length)
            carried = trail
            size += len(line) + 1
    if held:
        end = Position(offset, end_line, around)
        yield Piece(first, end, len(held), b"\n".join(held) + b"\n", spans=tuple(spans))
