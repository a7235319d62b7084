"""Cutting a stream of bytes into chunks of rows, in bounded memory and the same way each time.

`pieces_of_lines` cuts at line ends and needs no more than one chunk in memory; `pieces_of_records` (records.py) and
`pieces_of_cells` (cells.py) turn what cannot be split by bytes into lines first. All of them yield `Piece`s in order;
the pieces cover the stream without a gap, and cutting again from any piece's end gives the same pieces that followed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """How large a chunk may become. `line_bytes` must not exceed `chunk_bytes`."""

    rows: int = 10_000
    chunk_bytes: int = 8 << 20
    line_bytes: int = 1 << 20


@dataclass(frozen=True)
class Position:
    """Where a piece begins: bytes into the (expanded) stream and the number of its first line, counted from 1."""

    offset: int = 0
    line: int = 1


@dataclass(frozen=True)
class Piece:
    """Some whole lines, or one broken stretch.

    `rows` counts the lines that are not blank. `broken` is the reason code of a stretch that cannot be read as rows;
    a stretch counts as one row and carries no data.
    """

    start: Position
    end: Position
    rows: int
    data: bytes
    broken: str = ""


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
    cutter = _LineCutter(limits, start or Position())
    for block in blocks:
        yield from cutter.feed(block)
    yield from cutter.finish(broken_off())


class _LineCutter:
    def __init__(self, limits: Limits, start: Position) -> None:
        self._limits = limits
        self._at = start
        self._buffer = b""
        self._newlines = 0
        self._skipped = 0

    def feed(self, block: bytes) -> Iterator[Piece]:
        if self._skipped:
            end = block.find(b"\n")
            if end < 0:
                self._skipped += len(block)
                return
            yield self._stretch(self._skipped + end + 1, 1)
            self._skipped, block = 0, block[end + 1 :]
        self._buffer += block
        self._newlines += block.count(b"\n")
        while self._newlines >= self._limits.rows or len(self._buffer) >= self._limits.chunk_bytes:
            if not self._newlines:
                self._skipped, self._buffer = len(self._buffer), b""
                return
            yield from self._cut(self._end_of_lines())

    def finish(self, broken: str) -> Iterator[Piece]:
        if self._skipped:
            yield self._stretch(self._skipped, 1, broken or "line_too_long")
            return
        if broken:
            end = self._buffer.rfind(b"\n") + 1
            if end:
                yield from self._cut(end)
            yield self._stretch(len(self._buffer), 1, broken)
        elif self._buffer:
            yield from self._cut(len(self._buffer))

    def _end_of_lines(self) -> int:
        """The end of the last whole line that still fits into a chunk."""
        if self._newlines <= self._limits.rows:
            return self._buffer.rfind(b"\n") + 1
        end = 0
        for line in self._buffer.split(b"\n", self._limits.rows)[:-1]:
            end += len(line) + 1
        return end

    def _cut(self, end: int) -> Iterator[Piece]:
        """Emit the first `end` bytes of the buffer: runs of good lines, each overlong line by itself."""
        data, self._buffer = self._buffer[:end], self._buffer[end:]
        self._newlines -= data.count(b"\n")
        lines = data.split(b"\n")
        closed = data.endswith(b"\n")
        if closed:
            lines.pop()
        run: list[bytes] = []
        for number, line in enumerate(lines, 1):
            if len(line) > self._limits.line_bytes:
                yield from self._run(run, closed=True)
                run = []
                yield self._stretch(len(line) + (closed or number < len(lines)), 1)
            else:
                run.append(line)
        yield from self._run(run, closed)

    def _run(self, lines: list[bytes], closed: bool) -> Iterator[Piece]:
        if not lines:
            return
        data = b"\n".join(lines) + (b"\n" if closed else b"")
        rows = sum(1 for line in lines if line.strip())
        start = self._advance(len(data), len(lines))
        yield Piece(start, self._at, rows, data)

    def _stretch(self, length: int, lines: int, reason: str = "line_too_long") -> Piece:
        start = self._advance(length, lines)
        return Piece(start, self._at, 1, b"", reason)

    def _advance(self, length: int, lines: int) -> Position:
        start = self._at
        self._at = Position(start.offset + length, start.line + lines)
        return start


def pack(lines: Iterable[tuple[bytes, int, str]], limits: Limits, start: Position) -> Iterator[Piece]:
    """Pack converted lines `(line, bytes of the stream that it took, reason where it is a stretch)` into pieces."""
    at = first = start
    held: list[bytes] = []
    size = 0
    for line, taken, broken in lines:
        if held and (broken or len(held) == limits.rows or size + len(line) >= limits.chunk_bytes):
            yield Piece(first, at, len(held), b"\n".join(held) + b"\n")
            held, size, first = [], 0, at
        at = Position(at.offset + taken, at.line + 1)
        if broken:
            yield Piece(first, at, 1, b"", broken)
            first = at
        else:
            held.append(line)
            size += len(line) + 1
    if held:
        yield Piece(first, at, len(held), b"\n".join(held) + b"\n")
