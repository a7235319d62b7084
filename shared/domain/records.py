"""JSON that is not one record a line: an array, one object over several lines, or objects one after the other.

Each record becomes one line. A record that is broken costs only itself: the text up to the next `}` `{` boundary
becomes a line as it stands, which validation then quarantines with the reason and the raw text.
"""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Iterable, Iterator

from shared.domain.cutting import BrokenOff, Limits, Piece, Position, pack, whole

_GAP = re.compile(r"[\s,\]\ufeff]*")
_OPENING = re.compile(r"[\s\ufeff]*\[")
_BOUNDARY = re.compile(r"\}(?=\s*,?\s*\{)")
_DECODER = json.JSONDecoder()
_NEAR_END = 16  # an error this close to the end of what was read may only mean that more is to come

Line = tuple[bytes, int, str]


def pieces_of_records(
    blocks: Iterable[bytes], limits: Limits, start: Position | None = None, broken_off: BrokenOff = whole
) -> Iterator[Piece]:
    """Cut a JSON array or a stream of objects; `Position.line` counts records. What never ends is `truncated`."""
    at = start or Position()
    return pack(_records(blocks, limits, at.offset == 0, broken_off), limits, at)


def is_lines(head: bytes) -> bool:
    """Whether a `.json` file holds one record a line: some early line is a whole object and no array is opened."""
    text = head.decode("utf-8", "replace").lstrip("\ufeff")
    if text.lstrip().startswith("["):
        return False
    for line in text.splitlines()[:20]:
        try:
            if isinstance(json.loads(line), dict):
                return True
        except ValueError:
            continue
    return False


def _records(blocks: Iterable[bytes], limits: Limits, opening: bool, broken_off: BrokenOff) -> Iterator[Line]:
    decoder = codecs.getincrementaldecoder("utf-8")("surrogateescape")
    scanner = _Scanner(limits.line_bytes, opening)
    for block in blocks:
        yield from scanner.feed(decoder.decode(block))
    yield from scanner.feed(decoder.decode(b"", final=True), last=True)
    yield from scanner.finish(broken_off())


class _Scanner:
    """Finds the records of a text that arrives in parts; `_done` is how far of it is handed out."""

    def __init__(self, line_bytes: int, opening: bool) -> None:
        self._line_bytes = line_bytes
        self._opening = opening
        self._text = ""
        self._done = 0
        self._skipped = 0

    def feed(self, part: str, last: bool = False) -> Iterator[Line]:
        self._text = self._text[self._done :] + part
        self._done = gap = 0
        if self._skipped:
            yield from self._skip()
        if self._opening and self._text.strip(" \t\r\n\ufeff"):
            self._opening = False
            if _OPENING.match(self._text):
                self._text = self._text.replace("[", " ", 1)
        while (end := self._end_of_record(gap := _skip_gap(self._text, self._done), last)) is not None:
            if end - gap > self._line_bytes:
                yield self._hand_out(end, b"", "line_too_long")
            else:
                yield self._hand_out(end, _one_line(self._text[gap:end]))
        if len(self._text) - gap > self._line_bytes and not last:
            self._skipped = _size(self._text[self._done :])
            self._done = len(self._text)

    def finish(self, broken: str) -> Iterator[Line]:
        """What is left is a record that never ended."""
        rest = self._text[self._done :]
        if self._skipped:
            yield b"", self._skipped, broken or "line_too_long"
        elif rest[_skip_gap(rest, 0) :] or broken:
            yield b"", _size(rest), broken or "truncated"

    def _end_of_record(self, at: int, last: bool) -> int | None:
        """The end of the record that begins at `at`, or None where more text is needed or nothing is left."""
        text = self._text
        if at == len(text):
            return None
        try:
            end = _DECODER.raw_decode(text, at)[1]
        except json.JSONDecodeError as exc:
            if exc.msg.startswith("Unterminated string") or exc.pos >= len(text) - _NEAR_END:
                boundary = _BOUNDARY.search(text, at)
                return boundary.end() if boundary and (last or len(text) - at > self._line_bytes) else None
        except RecursionError:
            pass
        else:
            complete = text[end - 1] in '}]"' or end < len(text) or last
            return end if complete else None
        boundary = _BOUNDARY.search(text, at)
        if boundary:
            return boundary.end()
        return len(text.rstrip().removesuffix("]").rstrip()) or None if last else None

    def _hand_out(self, end: int, line: bytes, broken: str = "") -> Line:
        taken = _size(self._text[self._done : end])
        self._done = end
        return line, taken, broken

    def _skip(self) -> Iterator[Line]:
        """Inside a record that is too long: leave out everything up to the next boundary."""
        boundary = _BOUNDARY.search(self._text)
        if boundary is None:
            self._skipped += _size(self._text)
            self._done = len(self._text)
            return
        taken, self._skipped = self._skipped + _size(self._text[: boundary.end()]), 0
        self._done = boundary.end()
        yield b"", taken, "line_too_long"


def _skip_gap(text: str, at: int) -> int:
    found = _GAP.match(text, at)
    return found.end() if found else at


def _size(text: str) -> int:
    return len(text.encode("utf-8", "surrogateescape"))


def _one_line(text: str) -> bytes:
    """A raw line break is only white space in JSON (and an error inside a string, which stays one)."""
    return text.replace("\r", " ").replace("\n", " ").encode("utf-8", "surrogateescape")
