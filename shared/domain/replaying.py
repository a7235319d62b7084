"""Quarantined rows, judged once more: their raw text as lines, or a value set by an operator. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from shared.domain.cutting import BLANK
from shared.domain.normalising import Context
from shared.domain.reading import Unreadable, names_twice
from shared.domain.validation import BadRow, Verdict, validate_lines
from shared.schemas.rows import KNOWN

REJECTED = Unreadable("operator_rejected", "an operator rejected the chunk that this row came in")


def judge_again(data: bytes, lines: Sequence[int], context: Context, header: Sequence[str] | None) -> Verdict:
    """Judge rows that stood at these lines of their file, one a line of `data`; each by itself."""
    verdict = Verdict(context.source)
    for number, line in zip(lines, data.split(b"\n"), strict=False):
        one = validate_lines(line, context, number, header)
        verdict.received += one.received
        verdict.good += one.good
        verdict.bad += one.bad
        verdict.missing.update(one.missing)
    return verdict


def reject_all(data: bytes, source: str, first_line: int, at: int | None) -> Verdict:
    """Every row of a chunk that an operator rejected, as bad; `at` as in validate_lines."""
    verdict = Verdict(source)
    offset = 0
    for number, line in enumerate(data.split(b"\n"), first_line):
        if line.strip() not in BLANK:
            place = None if at is None else (at + offset, len(line))
            fields = {"": [REJECTED.told]}
            verdict.bad.append(BadRow(number, REJECTED.reason, fields, None, line.strip(), source=place))
        offset += len(line) + 1
    verdict.received = len(verdict.bad)
    return verdict


def with_values(row: bytes, values: Mapping[str, str], header: Sequence[str] | None) -> bytes | None:
    """The row with an operator's values in place of its own; an empty one removes it. None where it has no such field.

    What is not set keeps its text. A row that is no JSON object, that has a field twice which is not set, or whose
    cells do not fit the header, has no fields.
    """
    try:
        if header is None:
            fields = msgspec.json.decode(row.removeprefix(b"\xef\xbb\xbf"), type=dict[str, msgspec.Raw])
            if names_twice(row) - values.keys():
                return None
            set_ = {name: msgspec.Raw(msgspec.json.encode(value or None)) for name, value in values.items()}
            return msgspec.json.encode({**fields, **set_})
        cells = msgspec.json.decode(row, type=list[str])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    if len(cells) != len(header) or not values.keys() <= set(header):
        return None
    return msgspec.json.encode([values.get(name, cell) for name, cell in zip(header, cells, strict=True)])


def unknown_fields(source: str, values: Mapping[str, str]) -> list[str]:
    """Names that no schema of the source has: a value set there would change nothing."""
    return sorted(values.keys() - KNOWN[source])


def is_one_object(text: bytes) -> bool:
    """Whether a stretch is one JSON object now: with another limit, what was broken may be a row."""
    try:
        msgspec.json.decode(text, type=dict[str, msgspec.Raw])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return False
    return True
