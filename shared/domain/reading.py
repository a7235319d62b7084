"""One line to one row: a JSON object, or the cells of a CSV record under their header; what is neither says why."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any

import msgspec

from shared.domain.cells import header_names
from shared.schemas.aliases import ALIASES, canonical_header

Read = Callable[[bytes], dict[str, Any]]


class Unreadable(Exception):
    """A line that is no row at all."""

    def __init__(self, reason: str, told: str) -> None:
        self.reason = reason
        self.told = told


_DECODE = msgspec.json.Decoder(float_hook=Decimal).decode
_MARK = b"\xef\xbb\xbf"


def reader_of(data: bytes, header: Sequence[str] | None, source: str) -> Read:
    """How the lines of a chunk are read: as cells under a header, else as objects."""
    if header:
        return _cells_under(header, source)
    spaced = b" :" in data or b"\t" in data or data.count(b"\r") != data.count(b"\r\n")
    return _read_spaced_object if spaced else _read_object


def _read_object(line: bytes) -> dict[str, Any]:
    """The object on a line in which a colon follows its name at once.

    There are then as many `":` as fields, unless a text looks so, an object is nested, or a field stands there twice.
    """
    try:
        row = _DECODE(line)
    except (msgspec.DecodeError, InvalidOperation, RecursionError, ValueError):
        row = _decoded(line.removeprefix(_MARK), "malformed_json", "is not one complete JSON value")
    if type(row) is not dict:
        raise Unreadable("not_an_object", "must be a JSON object")
    if line.count(b'":') != len(row):
        _refuse_duplicates(line.removeprefix(_MARK))
    return row


def _read_spaced_object(line: bytes) -> dict[str, Any]:
    row = _read_object(line)
    _refuse_duplicates(line.removeprefix(_MARK))
    return row


def _cells_under(header: Sequence[str], source: str) -> Read:
    names = frozenset(header)
    headings = names | ALIASES[source].keys()
    twice = len(names) < len(header)

    def read(line: bytes) -> dict[str, Any]:
        cells = _decoded(line, "malformed_csv", "is not readable")
        if type(cells) is not list:
            raise Unreadable("malformed_csv", "has a quote that is never closed, or text behind a closing quote")
        if len(cells) != len(header):
            raise Unreadable("wrong_column_count", f"has {len(cells)} cells where the header has {len(header)}")
        if str(cells[0]).strip().lower().replace(" ", "_") in headings and _is_header(cells, names, source):
            raise Unreadable("repeated_header", "is a header line again; the rows behind it are read under the first")
        row = {name: cell or None for name, cell in zip(header, cells, strict=True) if name}
        if twice and any(row[name] != (cell or None) for name, cell in zip(header, cells, strict=True) if name):
            raise Unreadable("duplicate_key", "has different values in two columns of the same name")
        return row

    return read


def _is_header(cells: Sequence[object], names: frozenset[str], source: str) -> bool:
    return names == set(canonical_header(source, header_names(str(cell) for cell in cells)))


def _decoded(line: bytes, reason: str, told: str) -> Any:
    try:
        return _DECODE(line)
    except InvalidOperation as exc:
        raise Unreadable("invalid_value", "holds a number whose exponent is too large") from exc
    except (msgspec.DecodeError, RecursionError, ValueError) as exc:
        if "trailing characters" in str(exc) and _is_object(line):
            raise Unreadable("several_values", "holds more than one JSON value; send one a line") from exc
        raise _classed(line, reason, told) from exc


def _is_object(line: bytes) -> bool:
    """Whether a line begins with a whole object and another one follows it."""
    try:
        text = line.decode()
        end = json.JSONDecoder(parse_int=str).raw_decode(text)[1]
    except (ValueError, RecursionError):
        return False
    return text[0] == "{" and text[end:].lstrip(" \t\r,\ufeff").startswith("{")


def _classed(line: bytes, reason: str, told: str) -> Unreadable:
    try:
        line.decode("utf-8")
    except UnicodeDecodeError as exc:
        return Unreadable("invalid_encoding", f"is not UTF-8 at byte {exc.start} of the row")
    return Unreadable(reason, told)


def names_twice(line: bytes) -> set[str]:
    """The names that stand twice in one object of the JSON on a line. Raises RecursionError where it is too deep."""
    twice: set[str] = set()

    def note(pairs: list[tuple[str, Any]]) -> None:
        twice.update(name for name, times in Counter(name for name, _ in pairs).items() if times > 1)

    json.loads(line, object_pairs_hook=note, parse_int=str, parse_float=str)
    return twice


def _refuse_duplicates(line: bytes) -> None:
    try:
        if names_twice(line):
            raise Unreadable("duplicate_key", "has the same field twice in one object")
    except RecursionError as exc:
        raise Unreadable("malformed_json", "is nested beyond reading") from exc
