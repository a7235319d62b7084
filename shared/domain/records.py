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
_SPACE = re.compile(r"[\s\ufeff]*")
_BOUNDARY = re.compile(r"\}(?=\s{0,255},?\s{0,255}\{)")
_BRACKET = re.compile(r"[\[\]{}]")
_REACH = 512  # so many characters behind its end a boundary may still show
_DECODER = json.JSONDecoder(parse_int=str)  # a number with thousands of digits is no int, but a record like any other
_NEAR_END = 16  # an error this close to the end of what was read may only mean that more is to come

_EARLY_LINES = 20

Line = tuple[bytes, int, str]


def pieces_of_records(
    blocks: Iterable[bytes], limits: Limits, start: Position | None = None, broken_off: BrokenOff = whole
) -> Iterator[Piece]:
    """Cut a JSON array or a stream of objects; `Position.line` counts records. What never ends is `truncated`."""
    at = start or Position()
    return pack(_records(blocks, limits, at.offset == 0, broken_off), limits, at)


def is_lines(head: bytes) -> bool:
    """Whether a `.json` file holds one record a line: some early line is a whole object.

    Not so where an array is opened or the first object goes over several lines, whatever stands on a line inside it.
    """
    text = head.decode("utf-8", "replace").lstrip("\ufeff").lstrip()
    if text.startswith("[") or "\n" in text[: _end_of_value(text)]:
        return False
    lines = (line.strip() for line in text.split("\n", _EARLY_LINES)[:_EARLY_LINES])
    return any(line.startswith("{") and _end_of_value(line) == len(line) for line in lines)


def _end_of_value(text: str) -> int:
    """Where the JSON value ends that the text begins with; 0 where there is none."""
    try:
        return _DECODER.raw_decode(text)[1]
    except (ValueError, RecursionError):
        return 0


def _records(blocks: Iterable[bytes], limits: Limits, opening: bool, broken_off: BrokenOff) -> Iterator[Line]:
    decoder = codecs.getincrementaldecoder("utf-8")("surrogateescape")
    scanner = _Scanner(limits.line_bytes, opening)
    for block in blocks:
        yield from scanner.feed(decoder.decode(block))
    yield from scanner.feed(decoder.decode(b"", final=True), last=True)
    yield from scanner.finish(broken_off())


class _Scanner:
    """Finds the records of a text that arrives in parts; `_done` is how far of it is handed out.

    Each decision rests on what follows the last record, never on how the text came in parts: a record that is neither
    whole within `line_bytes` nor cut off ends at the first boundary behind its start.
    """

    def __init__(self, line_bytes: int, opening: bool) -> None:
        self._line_bytes = line_bytes
        self._opening = opening
        self._skipping = False
        self._text = ""
        self._done = 0
        self._dropped = 0  # bytes in front of the text that belong to the next record

    def feed(self, part: str, last: bool = False) -> Iterator[Line]:
        self._text = self._text[self._done :] + part
        self._done = 0
        self._open_array()
        while (end := self._end_of_record(at := self._start_of_record(), last)) is not None:
            yield self._hand_out(at, end)
        if at == len(self._text):
            self._drop(at)
        elif self._skipping or (len(self._text) - at > self._line_bytes + _REACH and not last):
            self._skipping = True
            self._drop(max(len(self._text) - _REACH, self._done))

    def finish(self, broken: str) -> Iterator[Line]:
        """What is left is a record that never ended."""
        rest = self._text[self._done :]
        if rest or broken:
            yield b"", self._dropped + _size(rest), broken or ("line_too_long" if self._skipping else "truncated")

    def _open_array(self) -> None:
        lead = _skip(_SPACE, self._text, 0)
        if self._opening and lead < len(self._text):
            self._opening = False
            if self._text[lead] == "[":
                self._text = f"{self._text[:lead]} {self._text[lead + 1 :]}"

    def _start_of_record(self) -> int:
        return self._done if self._skipping else _skip(_GAP, self._text, self._done)

    def _end_of_record(self, at: int, last: bool) -> int | None:
        """The end of the record that begins at `at`, or None where more text is needed or nothing is left."""
        text = self._text
        if at == len(text):
            return None
        unfinished = False
        if not self._skipping:
            try:
                end = _DECODER.raw_decode(text, at)[1]
            except json.JSONDecodeError as exc:
                unfinished = _unfinished(exc, last)
            except RecursionError:
                pass
            else:
                unfinished = text[end - 1] not in '}]"' and end > len(text) - _NEAR_END and not last
                if end - at <= self._line_bytes and not unfinished:
                    return end
        if unfinished and not last and len(text) - at <= self._line_bytes + _REACH:
            return None
        boundary = _BOUNDARY.search(text, at)
        if boundary:
            return boundary.end()
        return len(text.rstrip().removesuffix("]").rstrip()) if last and not unfinished and not self._skipping else None

    def _hand_out(self, at: int, end: int) -> Line:
        line = _one_line(self._text[at:end])
        taken = self._dropped + _size(self._text[self._done : at]) + len(line)
        too_long = self._skipping or len(line) > self._line_bytes
        self._done, self._dropped, self._skipping = end, 0, False
        return (b"", taken, "line_too_long") if too_long else (line, taken, "")

    def _drop(self, end: int) -> None:
        """Let go of text that will not be handed out: what is left between records, or of a record that is too long."""
        self._dropped += _size(self._text[self._done : end])
        self._done = end


def _unfinished(error: json.JSONDecodeError, last: bool) -> bool:
    """Whether a record is not wrong but not whole: it ends inside a string, or where nothing but a word may stand."""
    rest = error.doc[error.pos :]
    if error.msg.startswith("Unterminated string"):
        return True
    return len(rest) <= _NEAR_END and not (last and _BRACKET.search(rest))


def _skip(what: re.Pattern[str], text: str, at: int) -> int:
    found = what.match(text, at)
    return found.end() if found else at


def _size(text: str) -> int:
    return len(text.encode("utf-8", "surrogateescape"))


def _one_line(text: str) -> bytes:
    """A raw line break is only white space in JSON (and an error inside a string, which stays one)."""
    return text.replace("\r", " ").replace("\n", " ").encode("utf-8", "surrogateescape")
