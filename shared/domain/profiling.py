"""Which fields the rows of a chunk have, and of which JSON types: counts, never a value. Pure.

Names come from outside too, so they are bounded in length, in form and in number; what is beyond the bounds counts
under one name, `OTHERS`. A row costs one look-up by the tuple of its names, because most rows of a chunk are alike.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Set
from decimal import Decimal
from typing import Any

SAMPLE_ROWS = 100
"""The types of known fields are looked at in this many rows of a chunk; those of unknown fields in all."""
MOST_NAMES = 50
"""So many unknown fields of a chunk are told apart."""
MOST_SHAPES = 1_000
OTHERS = "…"

JSON_TYPES: dict[type, str] = {
    str: "string", int: "number", Decimal: "number", bool: "boolean", dict: "object", list: "array",
    type(None): "null",
}  # fmt: skip
_NAME = re.compile(r"[^\W\d][\w .:$/-]{0,99}")
"""What looks like the name of a field: an address of a person does not."""

Types = dict[str, dict[str, int]]


class FieldsSeen:
    """The fields of the rows that were seen, beside those that a schema knows."""

    def __init__(self, known: Set[str] = frozenset()) -> None:
        self.read = 0
        """Rows that could be read as fields with values."""
        self.unknown: Types = {}
        """Rows with a field that is not known, by its JSON type."""
        self.types: Types = {}
        """JSON types of the known fields in the first rows; a null says nothing and is left out."""
        self._known = known
        self._shapes: dict[tuple[str, ...], tuple[str, ...]] = {}

    def see(self, row: Mapping[str, Any]) -> dict[str, Any] | None:
        """Count a row; its unknown fields, or None where it has none."""
        self.read += 1
        names = tuple(row)
        strange = self._shapes.get(names)
        if strange is None:
            strange = tuple(name for name in names if name not in self._known)
            if len(self._shapes) < MOST_SHAPES:
                self._shapes[names] = strange
        if self.read <= SAMPLE_ROWS:
            self._sample(row)
        if not strange:
            return None
        for name in strange:
            types = self.unknown.get(name) or self.unknown.setdefault(self._kept(name), {})
            kind = JSON_TYPES[type(row[name])]
            types[kind] = types.get(kind, 0) + 1
        return {name: row[name] for name in strange}

    def _sample(self, row: Mapping[str, Any]) -> None:
        for name, value in row.items():
            if name in self._known and value is not None:
                types = self.types.setdefault(name, {})
                kind = JSON_TYPES[type(value)]
                types[kind] = types.get(kind, 0) + 1

    def _kept(self, name: str) -> str:
        if name in self.unknown or (len(self.unknown) < MOST_NAMES and _NAME.fullmatch(name)):
            return name
        return OTHERS
