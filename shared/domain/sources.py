"""Which source an object belongs to, and how it is read, by its name alone."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from shared.errors import UnsupportedFile

Source = Literal["transactions", "users", "products", "fx_rates"]
Shape = Literal["lines", "json", "csv"]

_SHAPES: dict[str, dict[str, Shape]] = {
    "transactions": {"ndjson": "lines", "jsonl": "lines", "json": "json"},
    "users": {"csv": "csv"},
    "products": {"ndjson": "lines", "jsonl": "lines", "json": "json"},
    "fx_rates": {"csv": "csv"},
}
SOURCES: tuple[Source, ...] = ("transactions", "users", "products", "fx_rates")
_UNSAFE = re.compile(r"(^|/)\.{1,2}(/|$)|^/|//|[\x00-\x1f\x7f\\]")


@dataclass(frozen=True)
class Route:
    """How a landing object is read."""

    source: Source
    shape: Shape
    gzipped: bool


def route(name: str) -> Route:
    """The route of an object `<source>/<file>.<ext>[.gz]`.

    Raises UnsupportedFile with reason unsafe_name, unknown_source or unknown_type.
    """
    if _UNSAFE.search(name):
        raise UnsupportedFile(
            "unsafe_name", f"{name!r}: a name may not contain '..', '//', a backslash or control bytes"
        )
    folder, _, rest = name.partition("/")
    if folder not in _SHAPES or not rest:
        raise UnsupportedFile("unknown_source", f"{name!r}: put files under one of {', '.join(SOURCES)}/")
    stem = rest.lower()
    gzipped = stem.endswith(".gz")
    extension = stem.removesuffix(".gz").rpartition(".")[2]
    shapes = _SHAPES[folder]
    if extension not in shapes:
        known = ", ".join(f".{e}" for e in shapes)
        raise UnsupportedFile("unknown_type", f"{name!r}: {folder} arrive as {known} (or the same with .gz)")
    source: Source = next(s for s in SOURCES if s == folder)
    return Route(source, shapes[extension], gzipped)
