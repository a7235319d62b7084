"""What must hold of each reader for every input: no foreign exception, and no byte lost or doubled.

Each check returns the number of bytes that no row, no stretch and nothing that may stand between rows accounts for.
"""

from __future__ import annotations

import gzip
import re
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from random import Random

import msgspec
from flask import Request
from werkzeug.test import EnvironBuilder

from shared import messages
from shared.adapters.landing import NATURAL, examine, pieces
from shared.adapters.memory import MemoryStore
from shared.domain.cells import Dialect, find_dialect, pieces_of_cells
from shared.domain.copytext import BAD_COLUMNS, COLUMNS
from shared.domain.cutting import BLANK, Limits, Piece, Position, pieces_of_lines
from shared.domain.expanding import Damage, expand
from shared.domain.normalising import Context
from shared.domain.records import pieces_of_records
from shared.domain.sources import route
from shared.domain.spans import locate, spans_of
from shared.domain.streaming import rows_of_message
from shared.domain.validation import validate_lines
from shared.errors import MalformedRecord, UnsupportedFile
from shared.events import PushMessage, push_message
from shared.schemas.formats import Formats
from shared.settings import load_settings
from tests.fuzz.corpus import Corpus

Check = Callable[[bytes, Random], int]
Cut = Callable[[list[bytes], Limits, Position | None, str], list[Piece]]

LANDED = datetime(2026, 3, 2, 12, tzinfo=UTC)
METHODS = frozenset({"card", "paypal", "other"})
FORMATS = [Formats(d, n) for d in ("", "dmy", "mdy") for n in ("", "decimal_point", "decimal_comma")]
STRUCTS = {s.__name__: s for s in vars(messages).values() if isinstance(s, type) and issubclass(s, msgspec.Struct)}
SETTINGS = load_settings(
    {
        "GOOGLE_CLOUD_PROJECT": "p",
        "LANDING_BUCKET": "l",
        "LAKE_BUCKET": "k",
        "QUARANTINE_BUCKET": "q",
        "CHUNK_ROWS": "2",
    }
)
_NAME = r'"(?:[^"\\]|\\.)*"\s*:\s*\['
_BETWEEN = re.compile(r"[\s,\[\]\ufeff]*")
_AROUND = re.compile(rf"(?:[\s,\[\]{{}}\ufeff]|{_NAME})*", re.DOTALL)
_BLANK_CELLS = re.compile(rb"(?:\xef\xbb\xbf|[\r\n])*")


def limits_of(rng: Random) -> Limits:
    """Small limits, so that each of them is met."""
    line = rng.choice((40, 200, 5_000))
    return Limits(rows=rng.choice((1, 2, 3, 50)), line_bytes=line, chunk_bytes=line + rng.choice((1, 300)))


def blocks_of(rng: Random, data: bytes) -> list[bytes]:
    """The data in blocks of some size."""
    size = rng.choice((1, 7, 64)) if len(data) < 150 else rng.choice((31, 64, 300))
    return [data[at : at + size] for at in range(0, len(data), size)]


def hold_together(data: bytes, cut: Cut, rng: Random, first: Position, broken: str) -> list[Piece]:
    """The pieces, after it was seen that they follow on, and depend neither on blocks nor on where cutting began."""
    limits = limits_of(rng)
    found = cut([data[first.offset :]], limits, first, broken)
    assert cut(blocks_of(rng, data[first.offset :]), limits, first, broken) == found, "the block size matters"
    at = first
    for piece in found:
        assert piece.start == at, "a gap or an overlap"
        at = piece.end
        assert at.offset <= len(data), "beyond the end"
    if found:
        number = rng.randrange(len(found))
        end = found[number].end
        again = cut([data[end.offset :]], limits, end, broken)
        assert again == found[number + 1 :], "cut again from a piece, other pieces follow"
    return found


def uncovered(data: bytes, pieces: list[Piece], first: int, allowed: Callable[[bytes], bool]) -> int:
    """Bytes outside of all rows and stretches that may not stand there; each converted line is seen to be its bytes."""
    at, lost = first, 0
    gaps: list[bytes] = []
    for piece in pieces:
        spans = (piece.lead, piece.end.offset - piece.start.offset - piece.lead) if piece.broken else piece.spans
        for lead, length in zip(spans[::2], spans[1::2], strict=True):
            gaps.append(data[at : at + lead])
            at += lead + length
        assert at <= piece.end.offset, "spans beyond the piece"
        gaps.append(data[at : piece.end.offset])
        at = piece.end.offset
    gaps.append(data[at:])
    for gap in gaps:
        lost += 0 if allowed(gap) else len(gap)
    return lost


def lines(data: bytes, rng: Random) -> int:
    """NDJSON."""

    def cut(blocks: list[bytes], limits: Limits, start: Position | None, broken: str) -> list[Piece]:
        return list(pieces_of_lines(blocks, limits, start, lambda: broken))

    broken = rng.choice(("", "", "truncated"))
    found = hold_together(data, cut, rng, Position(), broken)
    for piece in found:
        assert piece.broken or piece.data == data[piece.start.offset : piece.end.offset], "other bytes"
        assert piece.broken or piece.rows == sum(line.strip() not in BLANK for line in piece.data.split(b"\n"))
    return len(data) - (found[-1].end.offset if found else 0)


def records(data: bytes, rng: Random) -> int:
    """JSON arrays, streams and envelopes."""

    def cut(blocks: list[bytes], limits: Limits, start: Position | None, broken: str) -> list[Piece]:
        return list(pieces_of_records(blocks, limits, start, lambda: broken, NATURAL["transactions"]))

    found = hold_together(data, cut, rng, Position(), rng.choice(("", "", "truncated")))
    for piece in found:
        at = piece.start.offset
        for line, lead, length in zip(piece.data.split(b"\n"), piece.spans[::2], piece.spans[1::2], strict=False):
            raw = data[at + lead : at + lead + length]
            assert line.replace(b"\v", b" ") == re.sub(rb"[\r\n\v]", b" ", raw), "another record"
            at += lead + length
    return uncovered(data, found, 0, _between_records)


def _between_records(gap: bytes) -> bool:
    text = gap.decode("utf-8", "surrogateescape")
    return bool(_BETWEEN.fullmatch(text) or _AROUND.fullmatch(text))


def cells(data: bytes, rng: Random) -> int:
    """CSV."""
    try:
        dialect = find_dialect(data, complete=True)
    except UnsupportedFile:
        return 0

    def cut(blocks: list[bytes], limits: Limits, start: Position | None, broken: str) -> list[Piece]:
        return list(pieces_of_cells(blocks, limits, dialect, start, lambda: broken))

    found = hold_together(data, cut, rng, dialect.body, rng.choice(("", "", "truncated")))
    return uncovered(data, found, dialect.body.offset, lambda gap: bool(_BLANK_CELLS.fullmatch(gap)))


def packed(data: bytes, rng: Random) -> int:
    """gzip: what comes out never depends on the blocks that go in."""

    def out(blocks: list[bytes]) -> tuple[bytes, str]:
        damage = Damage()
        text = b"".join(expand(blocks, damage, max_bytes=20_000, max_ratio=100))
        assert damage.reason in {"", "truncated", "expansion_limit"}
        return text, damage.reason

    text, reason = out([data])
    assert out(blocks_of(rng, data)) == (text, reason), "the block size matters"
    if not reason and data.startswith(b"\x1f\x8b"):
        assert text == gzip.decompress(data), "other bytes"
    return 0


def message(data: bytes, _: Random) -> int:
    """A message of the stream: rows, each of which is judged."""
    rows = rows_of_message(data)
    verdict = validate_lines(rows, Context.at("transactions", LANDED, METHODS), 1)
    assert verdict.received == len(verdict.good) + len(verdict.bad)
    return 0 if verdict.received or re.fullmatch(rb"\s*\[\s*\]\s*", data) else len(data)


def judged(source: str) -> Check:
    """validate_lines of one source."""
    header = {"users": ["user_id", "email", "registration_date", "country"], "fx_rates": ["date", "currency", "rate"]}

    def check(data: bytes, rng: Random) -> int:
        context = Context.at(source, LANDED, METHODS, rng.choice(FORMATS))
        names = header.get(source)
        if names:
            body = list(pieces_of_cells([data], Limits(), Dialect("utf-8", ",", names, Position())))
            data = b"".join(piece.data for piece in body)
        verdict = validate_lines(data, context, 1, names, 0)
        filled = [line.strip() for line in data.split(b"\n") if line.strip() not in BLANK]
        assert verdict.received == len(verdict.good) + len(verdict.bad) == len(filled), "a row too many or too few"
        for row in verdict.bad:
            offset, length = row.source or (0, 0)
            assert data[offset : offset + length].strip() == row.raw, "another place"
        table = verdict.rows().decode().split("\n")
        assert len(table) == len(verdict.good) + 2
        assert all(line.count("\t") == len(COLUMNS[source]) - 1 for line in table[:-1])
        bad = verdict.bad_rows("o").decode().split("\n")
        assert len(bad) == len(verdict.bad) + 2
        assert all(line.count("\t") == len(BAD_COLUMNS) - 1 for line in bad[:-1])
        return 0

    return check


def landing(data: bytes, rng: Random) -> int:
    """A whole file by its name: its pieces, judged, with the place of every bad row in the file."""
    name, gzipped = rng.choice(NAMES), rng.random() < 0.3
    store = MemoryStore()
    stored = gzip.compress(data, 1, mtime=0) if gzipped else data
    if gzipped and rng.random() < 0.3:
        stored = stored[: rng.randint(0, len(stored))]
    info = store.put("l", name + ".gz" * gzipped, stored)
    kind = route(info.name)
    try:
        start = examine(info, kind, store, SETTINGS)
    except UnsupportedFile:
        return 0
    header = start.dialect.header if start.dialect else None
    found = list(pieces(info, kind.source, start, store, SETTINGS))
    if found:
        number = rng.randrange(len(found))
        behind = msgspec.structs.replace(start, position=found[number].end)
        again = list(pieces(info, kind.source, behind, store, SETTINGS))
        assert again == found[number + 1 :], "from a checkpoint other pieces follow"
    for piece in found:
        if not piece.broken:
            verdict = validate_lines(
                piece.data, Context.at(kind.source, LANDED, METHODS), piece.start.line, header,
                piece.start.offset if start.in_place else None,
            )  # fmt: skip
            if not start.in_place:
                locate(verdict, piece.data, piece.start.line, spans_of(piece))
            assert verdict.received == piece.rows, "validate counts other rows"
            assert all(row.source and row.source[0] + row.source[1] <= len(data) for row in verdict.bad)
    return 0


NAMES = [
    "transactions/a.ndjson", "transactions/a.json", "transactions/a.json", "users/a.csv", "products/a.json",
    "fx_rates/a.csv",
]  # fmt: skip


def push(data: bytes, _: Random) -> int:
    """The push envelope."""
    builder = EnvironBuilder(method="POST", data=data, content_type="application/json")
    with suppress(MalformedRecord):
        assert push_message(Request(builder.get_environ())).attempt is not None
    return 0


def struct(data: bytes, rng: Random) -> int:
    """Every message between the stages."""
    kind = rng.choice(list(STRUCTS.values()))
    try:
        found = messages.read(PushMessage(data, {}, "1", LANDED, "validate-chunks", 1), kind)
    except MalformedRecord:
        return 0
    assert messages.read(PushMessage(messages.encode(found), {}, "1", LANDED, "", 1), kind) == found
    return 0


Make = Callable[[Corpus, Random], bytes]
READERS: dict[str, tuple[Make, Check]] = {
    "lines": (Corpus.lines, lines),
    "records": (Corpus.records, records),
    "cells": (Corpus.table, cells),
    "gzip": (Corpus.packed, packed),
    "message": (Corpus.records, message),
    "transactions": (Corpus.lines, judged("transactions")),
    "users": (Corpus.table, judged("users")),
    "products": (lambda corpus, rng: corpus.lines(rng, "products"), judged("products")),
    "fx_rates": (lambda corpus, rng: corpus.table(rng, "fx_rates"), judged("fx_rates")),
    "landing": (lambda corpus, rng: rng.choice((corpus.lines, corpus.records, corpus.table))(rng), landing),
    "push": (Corpus.push, push),
    "struct": (lambda corpus, rng: rng.choice(corpus.messages[rng.choice(list(corpus.messages))]), struct),
}
"""Each reader: how an input is made, and what must hold of it."""
