"""Query results, kept until they are read page by page.

Small ones stay in memory, larger ones are written to a file in blocks, so that a result costs the same few megabytes
whatever its size. They do not survive a restart: a client then runs its query again.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import msgspec

from local.warehouse.types import Field
from local.warehouse.values import Cell, encode_rows, float_timestamps, has_timestamp

BLOCK = 5_000
PAGE_ROWS = 50_000
PAGE_BYTES = 10_000_000
KEPT = 2_000

Row = list[Cell]


class ResultSet:
    """The rows of one finished query, in blocks."""

    def __init__(self, schema: Sequence[Field], path: Path) -> None:
        self.schema = tuple(schema)
        self.total = 0
        self._path = path
        self._first: bytes = b"[]"
        self._spans: list[tuple[int, int]] = []

    def fill(self, batches: Iterable[Sequence[Sequence[Any]]]) -> None:
        """Encode and keep all rows; only the first block stays in memory. Each batch but the last holds BLOCK rows."""
        for number, batch in enumerate(batches):
            block = msgspec.json.encode(encode_rows(self.schema, batch))
            self.total += len(batch)
            if number == 0:
                self._first = block
                continue
            with self._path.open("ab" if self._spans else "wb") as file:
                self._spans.append((file.tell(), len(block)))
                file.write(block)

    def rows(self, start: int, count: int) -> list[Row]:
        """Rows by position, at most `count` and at most one page's worth of bytes."""
        found: list[Row] = []
        size = 0
        while len(found) < count and start + len(found) < self.total and size < PAGE_BYTES:
            number, offset = divmod(start + len(found), BLOCK)
            text = self._block(number)
            size += len(text)
            found += msgspec.json.decode(text)[offset : offset + count - len(found)]
        return found

    def _block(self, number: int) -> bytes:
        if number == 0:
            return self._first
        position, length = self._spans[number - 1]
        with self._path.open("rb") as file:
            file.seek(position)
            return file.read(length)

    def discard(self) -> None:
        """Remove what lies on disk."""
        if self._spans:
            self._path.unlink(missing_ok=True)


class ResultStore:
    """The results of recent queries by key; the oldest go first."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        for old in folder.iterdir():
            old.unlink()
        self._folder = folder
        self._kept: OrderedDict[str, ResultSet] = OrderedDict()
        self._lock = threading.Lock()

    def new(self, key: str, schema: Sequence[Field]) -> ResultSet:
        """An empty result to fill."""
        return ResultSet(schema, self._folder / key)

    def keep(self, key: str, result: ResultSet) -> None:
        """Offer a filled result to readers."""
        with self._lock:
            self._kept[key] = result
            while len(self._kept) > KEPT:
                self._kept.popitem(last=False)[1].discard()

    def get(self, key: str) -> ResultSet | None:
        """A result, unless it has gone."""
        with self._lock:
            return self._kept.get(key)


def page_body(rows: list[Row], schema: Sequence[Field], *, int64_timestamps: bool) -> list[dict[str, Any]]:
    """Rows as a page of the REST API writes them."""
    if not int64_timestamps and has_timestamp(schema):
        rows = [[float_timestamps(item, cell) for item, cell in zip(schema, row, strict=True)] for row in rows]
    return [{"f": [{"v": cell} for cell in row]} for row in rows]
