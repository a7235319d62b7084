"""Validation of one chunk: lines in; rows to load and bad rows with their reasons out. Pure.

The marshmallow schema alone decides; shared.schemas.accepting is the seam for a faster path that only accepts.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import msgspec
from marshmallow import ValidationError

from shared.domain import flags
from shared.domain.copytext import BAD_COLUMNS, COLUMNS, line_of, table_of
from shared.domain.cutting import BLANK
from shared.domain.normalising import NORMALISERS, Context
from shared.domain.profiling import FieldsSeen
from shared.domain.reading import Unreadable, reader_of
from shared.schemas.accepting import CHECKS
from shared.schemas.aliases import canonical_row
from shared.schemas.fields import Problem
from shared.schemas.rows import KNOWN, OPTIONAL

HOLD_FROM_ROWS = 100
"""A smaller chunk is never held: a handful of bad rows says nothing about an export."""


@dataclass(frozen=True)
class BadRow:
    """One row that cannot be loaded. `fields` maps field to what to do, never to a value."""

    line: int
    reason: str
    fields: Mapping[str, Sequence[object]]
    row_id: str | None
    raw: bytes
    place: tuple[str, int, int] | None = None
    """Object, offset and length of the raw bytes, where they lie already and are not copied to quarantine."""
    source: tuple[int, int] | None = None
    """Offset and length in the (expanded) source file; None for a message of the stream."""


@dataclass
class Verdict:
    """What validation found in a chunk."""

    source: str
    received: int = 0
    good: list[str] = field(default_factory=list)
    bad: list[BadRow] = field(default_factory=list)
    missing: Counter[str] = field(default_factory=Counter)
    """Rows without a known field, good and bad ones."""
    fields: FieldsSeen = field(default_factory=FieldsSeen)
    """What else was seen of the fields."""

    @property
    def held(self) -> bool:
        """More than half of at least a hundred rows is bad: an operator must look first."""
        return self.received >= HOLD_FROM_ROWS and 2 * len(self.bad) > self.received

    def rows(self) -> bytes:
        """The good rows as COPY text."""
        return table_of(COLUMNS[self.source], self.good)

    def bad_rows(self, raw_object: str) -> bytes:
        """The bad rows as COPY text, each with where in `raw_object` its raw bytes lie (see `raw_bytes`)."""
        lines = []
        offset = 0
        for row in self.bad:
            told = msgspec.json.encode({name: [str(t) for t in texts] for name, texts in row.fields.items()}).decode()
            place, start, length = row.place or (raw_object, offset, len(row.raw))
            where = (None, None) if row.source is None else (str(row.source[0]), str(row.source[1]))
            values = [str(row.line), row.reason, told, row.row_id, place, str(start), str(length), *where]
            lines.append(line_of(values))
            offset += 0 if row.place else len(row.raw) + 1
        return table_of(BAD_COLUMNS, lines)

    def raw_bytes(self) -> bytes:
        """The raw text of the bad rows, one after the other, a line end behind each."""
        return b"".join(row.raw + b"\n" for row in self.bad if row.place is None)


def validate_lines(
    data: bytes, context: Context, first_line: int, header: Sequence[str] | None = None, at: int | None = None
) -> Verdict:
    """Judge each line that is not blank. With a `header`, lines are arrays of cells (CSV), else JSON objects.

    `at` is the offset of `data` in its source file, where its lines are the file's own.
    """
    read = reader_of(data, header, context.source)
    check = CHECKS[context.source]
    known = KNOWN[context.source]
    normalise = NORMALISERS[context.source]
    optional = OPTIONAL[context.source]
    commas = context.formats.comma
    verdict = Verdict(context.source, fields=FieldsSeen(known))
    see = verdict.fields.see
    end = -1
    for number, line in enumerate(data.split(b"\n"), first_line):
        end += len(line) + 1
        stripped = line.strip()
        if stripped in BLANK:
            continue
        verdict.received += 1
        row: dict[str, Any] = {}
        try:
            row = read(stripped)
            judged = context
            if not known.issuperset(row):
                row = canonical_row(context.source, row)
            extra = see(row)
            if commas:
                row = context.formats.numbers(context.source, row)
            try:
                clean = check(row)
            except ValidationError as exc:
                clean, judged = _mended(row, exc, context)
            verdict.good.append(normalise(number, clean, extra, judged))
            for name in optional:
                if clean[name] is None:
                    verdict.missing[name] += 1
        except ValidationError as exc:
            problems: Mapping[str, Sequence[object]] = exc.normalized_messages()  # type: ignore[no-untyped-call]
            row_id, source = _row_id(row, context.source), _source(at, end, line)
            verdict.bad.append(BadRow(number, _reason(problems), problems, row_id, stripped, source=source))
            verdict.missing.update(name for name in known if row.get(name) in (None, ""))
        except Unreadable as exc:
            bad = BadRow(number, exc.reason, {"": [exc.told]}, None, stripped, source=_source(at, end, line))
            verdict.bad.append(bad)
    return verdict


def _source(at: int | None, end: int, line: bytes) -> tuple[int, int] | None:
    return None if at is None else (at + end - len(line), len(line))


def _mended(row: dict[str, Any], error: ValidationError, context: Context) -> tuple[dict[str, Any], Context]:
    """The row cleaned after all, by the declared formats, else the error."""
    problems: Mapping[str, Sequence[object]] = error.normalized_messages()  # type: ignore[no-untyped-call]
    mended, doubtful = context.formats.mend(context.source, row, problems)
    if mended == row:
        raise error
    return CHECKS[context.source](mended), replace(context, bits=flags.AMBIGUOUS_DATE) if doubtful else context


def _reason(problems: Mapping[str, Sequence[object]]) -> str:
    """The code of the first problem, fields in the order of the schema."""
    for texts in problems.values():
        for text in texts:
            if isinstance(text, Problem):
                return text.code
    return "invalid_value"


def _row_id(row: Mapping[str, Any], source: str) -> str | None:
    """The natural key, where it is there, for the operator; never a person's."""
    key = {"transactions": "transaction_id", "products": "product_id"}.get(source)
    value = row.get(key) if key else None
    return value if isinstance(value, str) and len(value) <= 200 and value.isprintable() else None


_BROKEN = {
    "envelope_member": "stands beside the records in the object around them; it is no row",
    "line_too_long": "is longer than the limit for one row (MAX_LINE_BYTES)",
    "truncated": "breaks off before the record ends; send the whole file again",
    "expansion_limit": "expands beyond the limits for compressed files (MAX_EXPANDED_BYTES, MAX_EXPANSION_RATIO)",
}


def broken_stretch(source: str, line: int, reason: str, place: tuple[str, int, int]) -> Verdict:
    """The verdict on a stretch of a file that cannot be read as rows: one row received, one bad."""
    told = {"": [_BROKEN.get(reason, "cannot be read")]}
    return Verdict(source, received=1, bad=[BadRow(line, reason, told, None, b"", place, place[1:])])
