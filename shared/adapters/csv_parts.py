"""A CSV of any length as objects that BigQuery takes.

It cannot split a CSV whose quotes may hold line ends, and refuses one of more than 4 GiB. So such a CSV is written in
parts, each of them whole: it has the header, and no record is cut.
"""

from __future__ import annotations

from contextlib import ExitStack
from types import TracebackType
from typing import BinaryIO

from shared.adapters.ports import ObjectStore

PART_BYTES = 1 << 30
"""A quarter of what BigQuery takes: https://cloud.google.com/bigquery/docs/loading-data-cloud-storage-csv#troubleshoot_quota_errors
A single record is never larger than that: Postgres allows 1 GiB."""


class Parts:
    """What `Session.copy_out` writes to: each write is a record, the first one the header.

    `NAME.csv` is the first part, `NAME.2.csv` the next. One is open at a time, and is there once it is full; where
    anything fails, the open one never is. `names` are those that were begun.
    """

    def __init__(self, store: ObjectStore, bucket: str, name: str, most: int) -> None:
        self.names: list[str] = []
        self._store, self._bucket, self._name, self._most = store, bucket, name, most
        self._opened = ExitStack()
        self._header = b""
        self._size = 0

    def __enter__(self) -> Parts:
        self._out = self._begin()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, raised: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._opened.__exit__(kind, raised, trace)

    def write(self, record: bytes, /) -> int:
        """Add a record to the part that is open, or to the next where this one would become too large."""
        if not self._header:
            self._header = record
        elif self._size > len(self._header) and self._size + len(record) > self._most:
            self._opened.close()
            self._out = self._begin()
            self._add(self._header)
        return self._add(record)

    def _begin(self) -> BinaryIO:
        number = len(self.names) + 1
        self.names.append(f"{self._name}.csv" if number == 1 else f"{self._name}.{number}.csv")
        self._size = 0
        return self._opened.enter_context(self._store.open_once(self._bucket, self.names[-1]))

    def _add(self, record: bytes) -> int:
        self._size += len(record)
        return self._out.write(record)
