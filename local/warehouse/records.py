"""NDJSON records against a schema, before DuckDB reads them.

DuckDB's reader ignores unknown fields and turns a misplaced object into text; this pass refuses both and knows the
line. It compiles the schema once, so a line costs a couple of microseconds.
"""

from __future__ import annotations

import gzip
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, cast

import msgspec

from local.warehouse.errors import invalid
from local.warehouse.fetch import Source
from local.warehouse.types import Field

Scalar = str | int | float | bool | None
SHOWN = 5


@dataclass
class BadRecords:
    """What was refused, and how much of it the job tolerates."""

    allowed: int = 0
    count: int = 0
    messages: list[str] = field(default_factory=list)

    def add(self, message: str) -> None:
        """Count one bad record; the one too many ends the load."""
        self.count += 1
        if len(self.messages) < SHOWN:
            self.messages.append(message)
        if self.count > self.allowed:
            raise invalid(f"Error while reading data, error message: {message}")


def _annotation(item: Field, *, strict: bool) -> Any:
    if item.mode == "REPEATED":
        return list[_annotation(item.element, strict=strict)] | None  # type: ignore[misc]
    if item.type == "RECORD":
        return record_type(item.fields, strict=strict) | None
    return Scalar


def record_type(schema: Iterable[Field], *, strict: bool) -> Any:
    """A struct type that accepts exactly the records of a schema, values unread."""
    members: list[Any] = []
    names: dict[str, str] = {}
    for position, item in enumerate(schema):
        key = f"f{position}"
        names[key] = item.name
        annotation = _annotation(item, strict=strict)
        required = item.mode == "REQUIRED"
        members.append((key, annotation) if required else (key, annotation, None))
    return msgspec.defstruct("Record", members, rename=names, forbid_unknown_fields=strict, kw_only=True, gc=False)


def check_records(source: Source, schema: Iterable[Field], *, ignore_unknown: bool, bad: BadRecords) -> Path:
    """Check every line of a file; gives the file to load, which lacks the tolerated bad records."""
    decoder = msgspec.json.Decoder(record_type(tuple(schema), strict=not ignore_unknown))
    rejected: set[int] = set()
    with _lines(source) as lines:
        for number, line in enumerate(lines, start=1):
            if line.isspace():
                continue
            try:
                decoder.decode(line)
            except (msgspec.DecodeError, UnicodeDecodeError) as error:
                bad.add(f"{_wording(error)} File: {source.name}, line {number}")
                rejected.add(number)
    return _without(source, rejected) if rejected else source.path


def _lines(source: Source) -> IO[bytes]:
    return cast(IO[bytes], gzip.open(source.path, "rb")) if source.gzipped else source.path.open("rb")


def _wording(error: Exception) -> str:
    text = str(error)
    if "unknown field" in text:
        return f"JSON parsing error: No such field: {text.split('`')[1] if '`' in text else text}."
    return f"JSON parsing error: {text}."


def _without(source: Source, rejected: set[int]) -> Path:
    kept = source.path.with_suffix(".kept")
    with _lines(source) as lines, kept.open("wb") as out:
        out.writelines(line for number, line in enumerate(lines, start=1) if number not in rejected)
    return kept
