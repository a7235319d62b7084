"""The raw text of quarantined rows: it lies in quarantine, in the chunk's own bytes, or is a broken stretch."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import msgspec

from shared.adapters.landing import Checkpoint, behind, expanded
from shared.adapters.ports import ObjectStore
from shared.domain.cells import pieces_of_cells
from shared.domain.cutting import Limits, Position
from shared.domain.replaying import is_one_object
from shared.errors import Inconsistent
from shared.settings import Settings


@dataclass
class RawRows:
    """The rows of one chunk; `facts` are those of list_replay_chunks. An object is read once."""

    facts: Mapping[str, Any]
    store: ObjectStore
    settings: Settings
    _objects: dict[str, bytes] = field(default_factory=dict)

    @cached_property
    def checkpoint(self) -> Checkpoint | None:
        """How the file was read; None for a message of the stream."""
        known = self.facts["checkpoint"]
        return msgspec.convert(known, Checkpoint) if known else None

    @property
    def header(self) -> list[str] | None:
        """The names of the cells, where rows are cells (CSV)."""
        dialect = self.checkpoint.dialect if self.checkpoint else None
        return dialect.header if dialect else None

    def text(self, number: int, raw_object: str | None, offset: int | None, length: int | None) -> bytes:
        """The raw text as it came, empty where none was kept. Raises Inconsistent where its object is gone."""
        if raw_object is None:
            return self._of_chunk(number)
        where, _, generation = raw_object.removeprefix("gs://").partition("#")
        bucket, _, name = where.partition("/")
        if generation:
            return self._of_file(bucket, name, int(generation), offset or 0, length or 0)
        start = offset or 0
        return self._object(bucket, name)[start : None if length is None else start + length]

    def line(self, number: int, raw_object: str | None, offset: int | None, length: int | None) -> bytes | None:
        """One row as a line; None where its bytes are gone, or are still no single row."""
        try:
            text = self.text(number, raw_object, offset, length)
        except Inconsistent:
            return None
        if raw_object and "#" in raw_object:
            return self._as_row(text, offset or 0)
        row = text.strip()
        return row if row and b"\n" not in row else None

    def _object(self, bucket: str, name: str) -> bytes:
        if name not in self._objects:
            self._objects[name] = self.store.read(bucket, name)
        return self._objects[name]

    def _of_chunk(self, number: int) -> bytes:
        facts = self.facts
        if not facts["object_name"] or facts["byte_length"] is None:
            return b""
        key = f"chunk {facts['object_name']}"
        if key not in self._objects:
            self._objects[key] = self.store.read(
                facts["bucket"], facts["object_name"], generation=facts["generation"], start=facts["byte_offset"] or 0,
                length=facts["byte_length"],
            )  # fmt: skip
        lines = self._objects[key].split(b"\n")
        index = number - facts["first_line"]
        return lines[index] if 0 <= index < len(lines) else b""

    def _of_file(self, bucket: str, name: str, generation: int, offset: int, length: int) -> bytes:
        """A stretch of the (expanded) file."""
        if self.checkpoint and self.checkpoint.gzipped:
            packed = self.store.blocks(bucket, name, generation=generation)
            return _first(length, behind(offset, expanded(packed, self.settings)))
        return self.store.read(bucket, name, generation=generation, start=offset, length=length)

    def _as_row(self, data: bytes, offset: int) -> bytes | None:
        """A broken stretch, if it is exactly one row by now: with a higher limit it may be."""
        dialect = self.checkpoint.dialect if self.checkpoint else None
        if dialect is None:
            line = data.replace(b"\r", b" ").replace(b"\n", b" ").strip().removesuffix(b",")
            return line if is_one_object(line) else None
        limits = Limits(2, len(data) + 1, len(data) + 1)
        pieces = list(pieces_of_cells([data], limits, dialect, Position(offset, 1)))
        whole = len(pieces) == 1 and pieces[0].rows == 1 and not pieces[0].broken
        return pieces[0].data.strip() if whole else None


def _first(length: int, blocks: Iterable[bytes]) -> bytes:
    data = b""
    for block in blocks:
        data += block
        if len(data) >= length:
            break
    return data[:length]
