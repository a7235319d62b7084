"""CSV: each record becomes one line, a JSON array of its cells; a record that cannot be read becomes a JSON string.

Quoted line breaks are allowed. A quote that is never closed costs only the line it stands on: the lines behind it are
read again.
"""

from __future__ import annotations

import codecs
import csv
import json
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from shared.domain.cutting import BrokenOff, Limits, Piece, Position, Record, pack, whole
from shared.errors import UnsupportedFile

_RECORD_LINES = 100  # a record with more quoted line breaks than this is taken for an unclosed quote
_MARK = b"\xef\xbb\xbf"
_DELIMITERS = ",;\t"


@dataclass(frozen=True)
class Dialect:
    """How a CSV file is written: found once in its head, kept in the checkpoint."""

    encoding: str
    delimiter: str
    header: list[str]
    body: Position


def find_dialect(head: bytes, complete: bool) -> Dialect:
    """Encoding (UTF-8 with or without a mark, else Latin-1), delimiter and header from the first bytes of a file.

    `complete`: the head is the whole file. Raises UnsupportedFile with reason wrong_encoding or empty_file.
    """
    if head.startswith((b"\xff\xfe", b"\xfe\xff")) or b"\0" in head:
        raise UnsupportedFile("wrong_encoding", "the file is not UTF-8 or Latin-1 text; save it as UTF-8")
    encoding = "utf-8"
    try:
        codecs.getincrementaldecoder("utf-8")().decode(head, final=complete)
    except UnicodeDecodeError:
        encoding = "latin-1"
    first, line_end, _ = head.partition(b"\n")
    text = first.decode(encoding, "replace").removeprefix("\ufeff").rstrip("\r\n")
    if not text.strip():
        raise UnsupportedFile("empty_file", "the file has no header line")
    if "\r" in text:
        raise UnsupportedFile("wrong_encoding", "the header line holds a carriage return; end lines with a line feed")
    delimiter = max(_DELIMITERS, key=text.count)
    header = header_names(next(csv.reader([text], delimiter=delimiter), []))
    return Dialect(encoding, delimiter, header, Position(len(first) + len(line_end), 2))


def header_names(cells: Iterable[str]) -> list[str]:
    """The cells of a header line as field names."""
    return [cell.strip().lower().replace(" ", "_") for cell in cells]


def pieces_of_cells(
    blocks: Iterable[bytes],
    limits: Limits,
    dialect: Dialect,
    start: Position | None = None,
    broken_off: BrokenOff = whole,
) -> Iterator[Piece]:
    """Cut the records behind the header; `Position.line` counts records, the header being line 1."""
    lines = _lines(blocks, limits.line_bytes, broken_off)
    return pack(_records(lines, dialect, limits.line_bytes), limits, start or dialect.body)


class _Stretch(Exception):
    """Stands for a line that cannot be read; raised where a record would begin with it."""

    def __init__(self, length: int, reason: str, last: bool = False) -> None:
        super().__init__(reason)
        self.length = length
        self.reason = reason
        self.last = last


def _lines(blocks: Iterable[bytes], line_bytes: int, broken_off: BrokenOff) -> Iterator[bytes | _Stretch]:
    """Physical lines with their ends; a line that is too long or cut off comes as a stretch."""
    rest = b""
    skipped = 0
    for block in blocks:
        parts = (rest + block).split(b"\n")
        rest = parts.pop()
        for part in parts:
            if skipped or len(part) > line_bytes:
                yield _Stretch(skipped + len(part) + 1, "line_too_long")
                skipped = 0
            else:
                yield part + b"\n"
        if skipped or len(rest) > line_bytes:
            skipped += len(rest)
            rest = b""
    if reason := broken_off():
        yield _Stretch(skipped + len(rest), reason, last=True)
    elif skipped:
        yield _Stretch(skipped, "line_too_long")
    elif rest:
        yield rest


def _records(lines: Iterator[bytes | _Stretch], dialect: Dialect, record_bytes: int) -> Iterator[Record]:
    feed = _Feed(lines, dialect.encoding)
    blank = 0
    while True:
        feed.start_record()
        try:
            cells = next(csv.reader(feed.text(record_bytes), delimiter=dialect.delimiter, strict=True))
        except StopIteration:
            break
        except _Stretch as stretch:
            yield Record(b"", blank, stretch.length, broken=stretch.reason, last=stretch.last)
            blank = 0
            continue
        except csv.Error:
            first = feed.give_back_all_but_first()
            cells_or_text: list[str] | str = first.decode(dialect.encoding, "surrogateescape").rstrip("\r\n")
        else:
            cells_or_text = cells
        if cells_or_text:
            mark, length, trail = feed.taken()
            yield Record(_encode(cells_or_text), blank + mark, length, trail)
            blank = 0
        else:
            blank += sum(feed.taken())


def _encode(value: list[str] | str) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogateescape")


class _Feed:
    """Hands physical lines to the csv reader and remembers which of them the record at hand took."""

    def __init__(self, lines: Iterator[bytes | _Stretch], encoding: str) -> None:
        self._lines = lines
        self._again: deque[bytes | _Stretch] = deque()
        self._encoding = encoding
        self._record: list[bytes] = []

    def start_record(self) -> None:
        self._record = []

    def text(self, record_bytes: int) -> Iterator[str]:
        size = 0
        while (line := self._again.popleft() if self._again else next(self._lines, None)) is not None:
            if isinstance(line, _Stretch):
                if self._record:
                    self._again.appendleft(line)
                    raise csv.Error("a line that cannot be read inside a quoted field")
                raise line
            self._record.append(line)
            size += len(line)
            if len(self._record) > 1 and (size > record_bytes or len(self._record) > _RECORD_LINES):
                raise csv.Error("unclosed quote")
            text = line.decode(self._encoding, "surrogateescape")
            yield text.removeprefix("\ufeff") if len(self._record) == 1 else text

    def give_back_all_but_first(self) -> bytes:
        first, *others = self._record
        self._again.extendleft(reversed(others))
        self._record = [first]
        return first

    def taken(self) -> tuple[int, int, int]:
        """Bytes of the mark in front of the record, its own, and those of its line end."""
        first, last = self._record[0], self._record[-1]
        size = len(first) if first is last else sum(map(len, self._record))
        mark = 3 if first.startswith(_MARK) else 0
        trail = len(last) - len(last.rstrip(b"\r\n"))
        return mark, size - mark - trail, trail
