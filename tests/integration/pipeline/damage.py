"""A catalogue of damage: what lies between two good rows of a file, and what must become of it, byte by byte.

`DAMAGE` is the table, by the shape of the file; `files()` puts each shape's damage into one file, a good row before and
behind every piece of it. What a piece does not name as bad must cost nothing.
"""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

MAX_LINE_BYTES = 1 << 20
HEADER = b"user_id,email,registration_date,country\n"


class Damage(NamedTuple):
    """`between` stands between two good rows; `bad` are its bad stretches in their order, each with its reason."""

    kind: str
    between: bytes
    bad: tuple[tuple[bytes, str], ...] = ()


def one(kind: str, bad: bytes, reason: str, before: bytes = b"\n", behind: bytes = b"\n") -> Damage:
    """Damage of one stretch."""
    return Damage(kind, before + bad + behind, ((bad, reason),))


def listed(kind: str, bad: bytes, reason: str) -> Damage:
    """Damage of one record among others in an array."""
    return one(kind, bad, reason, b", ", b",\n ")


def sale(identity: str, more: str = "", **instead: str) -> bytes:
    """One transaction, good where nothing is put instead."""
    fields = {
        "product_id": '"p1"', "amount": '"5.00"', "currency": '"GBP"', "timestamp": '"2025-12-30T10:00:00Z"',
        "status": '"completed"', **instead,
    }  # fmt: skip
    rest = ", ".join(f'"{name}": {value}' for name, value in fields.items())
    return f'{{"transaction_id": "{identity}", {rest}{more}}}'.encode()


LONG = sale("long", f', "note": "{"x" * (MAX_LINE_BYTES + 5_000)}"')
BROKEN: list[tuple[str, bytes, str]] = [
    ("a bad escape", sale("b1", r', "note": "\q"'), "malformed_json"),
    ("NaN", sale("b2", amount="NaN"), "malformed_json"),
    ("Infinity", sale("b3", amount="-Infinity"), "malformed_json"),
    ("a field twice", sale("b4", ', "amount": "7.00"'), "duplicate_key"),
    ("a field twice in a nested object", sale("b5", ', "more": {"a": 1, "a": 1}'), "duplicate_key"),
    ("no colon", sale("b6", ', "note" 1'), "malformed_json"),
    ("no comma between two fields", sale("b7", ' "note": 1'), "malformed_json"),
    ("a comma behind the last field", sale("b8", ","), "malformed_json"),
    ("single quotes", sale("b9").replace(b'"', b"'"), "malformed_json"),
    ("a raw tab in a text", sale("b10", ', "note": "a\tb"'), "malformed_json"),
    ("bytes that are not UTF-8", sale("b11", ', "note": "caf?"').replace(b"?", b"\xe9"), "invalid_encoding"),
    ("half a surrogate pair", sale("b12", r', "note": "\ud800"'), "malformed_json"),
    ("an exponent beyond all numbers", sale("b13", amount="1e99999999999999999999"), "invalid_value"),
    ("nesting beyond reading", sale("b14", ', "deep": ' + "[" * 5_000 + "]" * 5_000), "malformed_json"),
    ("a number", b"42", "not_an_object"),
    ("null", b"null", "not_an_object"),
    ("a text", b'"hello"', "not_an_object"),
    ("a missing field", sale("b15").replace(b'"GBP"', b'""'), "missing_field"),
    ("a grouped number that can be read in two ways", sale("b16", amount='"1,234"'), "ambiguous_number"),
    ("a date that can be read in two ways", sale("b17", timestamp='"01/02/2026 10:00"'), "ambiguous_date"),
    ("a record that is too long", LONG, "line_too_long"),
]
"""Records that are bad wherever they stand."""

_TORN = sale("torn")[:-30]
_LOST = sale("lost").removesuffix(b"}")
_HEADLESS = sale("headless").removeprefix(b"{")
_TWO_LINES = sale("lines", ', "note": "two\nlines"')

LINES: list[Damage] = [
    *(one(*broken) for broken in BROKEN[:-1]),
    one("a line that is too long", LONG + b"\n", "line_too_long", behind=b""),
    one("a line that is cut off", _TORN, "malformed_json"),
    one("two objects on one line", sale("s1") + sale("s2"), "several_values"),
    one("an array on a line", b"[" + sale("s3") + b"]", "not_an_object"),
    one("bare text", b"ERROR: connection reset", "malformed_json"),
    Damage("blank lines", b"\n\n \n"),
    Damage("carriage returns", b"\r\n\r\n"),
    Damage("a byte order mark in front of a row", b"\n\xef\xbb\xbf"),
    Damage("a byte order mark on a line of its own", b"\n\xef\xbb\xbf\n"),
]  # fmt: skip

RECORDS: list[Damage] = [
    *(listed(*broken) for broken in BROKEN),
    listed("a text that is never closed", sale("r1").replace(b'completed"', b"completed"), "malformed_json"),
    listed("a line break inside a text", _TWO_LINES, "malformed_json"),
    listed("a record that has lost its end", _TORN, "malformed_json"),
    listed("a closing brace too few", _LOST, "malformed_json"),
    listed("an opening brace too few", _HEADLESS, "malformed_json"),
    one("a closing brace too many", b"}", "malformed_json", b"", b", "),
    one("an opening brace too many", b"{", "malformed_json", b", ", b""),
    listed("bare text", b"ERROR: connection reset", "malformed_json"),
    Damage("no comma", b" \n"),
    Damage("two commas", b",,"),
    Damage("a bracket too many", b"],"),
    Damage("the bracket again", b",["),
    Damage("arrays one after the other", b"]\r\n["),
    Damage("arrays one after the other with a byte order mark", b"]\xef\xbb\xbf["),
    Damage("an array in the array", b",[\r\n"),
    Damage("and its end", b"],"),
]

PAGES: list[Damage] = [
    Damage("a page ends and another begins", b'], "next": 2}\n{"items": [', ((b'"next": 2', "envelope_member"),)),
    Damage("pages without a line between them", b']}{"items": ['),
    Damage(
        "members on both sides",
        b'], "more": {"a": [1]}, "next": null}, {"page": 3, "items": [',
        tuple((m, "envelope_member") for m in (b'"more": {"a": [1]}', b'"next": null', b'"page": 3')),
    ),
    listed("a broken record in an envelope", sale("p1", r', "note": "\q"'), "malformed_json"),
    one("a broken record at an envelope's end", _TORN + b"}", "malformed_json", b", ", b']}{"items":['),
    Damage("no comma in an envelope", b" "),
    Damage("an array beside the envelope", b']}[{"items": ['),
]  # fmt: skip

CELLS: list[Damage] = [
    one("a cell too few", b"u,u@example.com,2025-01-01", "wrong_column_count"),
    one("a cell too many", b"u,u@example.com,2025-01-01,GB,", "wrong_column_count"),
    one("another delimiter", b"u;u@example.com;2025-01-01;GB", "wrong_column_count"),
    one("a quote that is never closed", b'u,"u@example.com,2025-01-01,GB', "malformed_csv"),
    one("text behind a closing quote", b'"u"x,u@example.com,2025-01-01,GB', "malformed_csv"),
    one("the header again", HEADER.strip(), "repeated_header"),
    one("the header again with a mark, other case and quotes", b'"User ID","EMAIL",registration_date,country',
        "repeated_header", b"\n\xef\xbb\xbf"),
    one("no key", b",u@example.com,2025-01-01,GB", "missing_field"),
    one("no address", b"u,nobody,2025-01-01,GB", "invalid_value"),
    one("an unknown country", b"u,u@example.com,2025-01-01,Atlantis", "unknown_country"),
    one("a date that can be read in two ways", b"u,u@example.com,01/02/2025,GB", "ambiguous_date"),
    one("a line that is too long", b"u," + b"x" * (MAX_LINE_BYTES + 5) + b"\n", "line_too_long", behind=b""),
    Damage("blank lines and carriage returns", b"\r\n\r\n\n"),
    Damage("a byte order mark in front of a row", b"\n\xef\xbb\xbf"),
    Damage("a date that can be read in one way only", b"\nok-date,a@example.com,25/12/2025,GB\n"),
    Damage("a line break inside quotes", b'\n"ok-break",a@example.com,"2025-01-01","\nGB"\n'),
]  # fmt: skip

DAMAGE = {"lines": LINES, "records": RECORDS, "pages": PAGES, "cells": CELLS}
"""The table: what lies between two good rows, by the shape of the file."""


@dataclass(frozen=True)
class Bad:
    """One row of quarantine: its line, its bytes in the (expanded) file, and its reason."""

    line: int
    offset: int
    length: int
    reason: str


@dataclass(frozen=True)
class Damaged:
    """A file with damage in known places."""

    name: str
    data: bytes
    good: tuple[str, ...]
    bad: tuple[Bad, ...]
    kinds: tuple[str, ...]


def files() -> Iterator[Damaged]:
    """Every shape with all of its damage, plain and gzipped, and the ways in which a file may end too early."""
    plain = [
        _file("transactions/damaged.ndjson", LINES, b"\xef\xbb\xbf", b"", physical=True),
        _file("transactions/damaged-array.json", RECORDS, b"\xef\xbb\xbf [\r\n", b"\n]\n"),
        _file("transactions/damaged-stream.json", RECORDS[:-9], b"\n", b"\n"),
        _file("transactions/damaged-pages.json", PAGES, b'{"items": [', b"]}]\n"),
        _file("users/damaged.csv", CELLS, HEADER, b"\n", first=2),
        _file("transactions/cut-line.ndjson", [], b"", b"\n" + _TORN, (_TORN, "malformed_json"), physical=True),
        _file("transactions/cut-record.json", [], b"[", b",\n" + _TORN, (_TORN, "truncated")),
        _file("transactions/cut-array.json", [], b"[", b"", (b"", "truncated")),
        _file("transactions/cut-page.json", [], b'{"items":[', b"]", (b"", "truncated")),
        _file("users/cut-cell.csv", [], HEADER, b'\nu,"u@exa', (b'u,"u@exa', "malformed_csv"), first=2),
    ]
    yield from plain
    for file in plain[:5]:
        packed = gzip.compress(file.data, mtime=0)
        yield Damaged(f"{file.name}.gz", packed, file.good, file.bad, tuple(f"{k}, gzipped" for k in file.kinds))
    yield _cut_gzip()


def _file(
    name: str,
    damage: list[Damage],
    head: bytes,
    tail: bytes,
    at_end: tuple[bytes, str] | None = None,
    first: int = 1,
    physical: bool = False,
) -> Damaged:
    good: list[str] = []
    bad: list[Bad] = []
    data, line = head, first
    for number, piece in enumerate([*damage, Damage("the end", b"")]):
        identity = f"{name.rpartition('/')[2]}-{number}"
        good.append(identity)
        data += sale(identity) if name.startswith("transactions") else _user(identity)
        line += 1
        for stretch, reason in piece.bad:
            offset = len(data) + piece.between.index(stretch)
            at = (data + piece.between)[:offset].count(b"\n") + 1 if physical else line
            bad.append(Bad(at, offset, len(stretch), reason))
            line += 1
        line += piece.between.count(b"ok-")
        data += piece.between
    if at_end:
        stretch, reason = at_end
        offset = len(data) + (tail.index(stretch) if stretch else len(tail))
        bad.append(Bad(2 if physical else line, offset, len(stretch), reason))
    kinds = tuple(piece.kind for piece in damage) or (name.rpartition("/")[2],)
    return Damaged(name, data + tail, tuple(good), tuple(bad), kinds)


def _user(identity: str) -> bytes:
    return f"{identity},{identity}@example.com,2025-01-01,GB".encode()


def _cut_gzip() -> Damaged:
    """gzip that breaks off inside its second row: what can be expanded counts, the row that is cut is one stretch."""
    name = "cut.ndjson.gz"
    good = sale(f"{name}-0") + b"\n"
    torn = sale("torn")[:40]
    packer = zlib.compressobj(wbits=31)
    packed = packer.compress(good + torn) + packer.flush(zlib.Z_SYNC_FLUSH)
    bad = Bad(2, len(good), len(torn), "truncated")
    return Damaged(f"transactions/{name}", packed, (f"{name}-0",), (bad,), ("gzip that breaks off",))
