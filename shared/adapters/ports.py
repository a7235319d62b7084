"""The seams: what a function needs of the outside world, as Protocols with a real and an in-memory implementation."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, BinaryIO, Protocol

from msgspec import Struct

PATIENCE_SECONDS = 60.0
"""How long one call is tried again by its client, whose own limit (120 to 600 s) may exceed a function's time; then the
platform's retry takes over."""
CALL_SECONDS = 60.0
"""How long one request may stay unanswered: a server that hangs must not keep a worker for ever."""


@dataclass(frozen=True)
class ObjectInfo:
    """One generation of an object."""

    bucket: str
    name: str
    generation: int
    size: int
    crc32c: str
    created_at: datetime
    metadata: Mapping[str, str]


class Sink(Protocol):
    """What bytes are written to, one after the other."""

    def write(self, data: bytes, /) -> int:
        """Take all of the bytes; how many they were."""


class ObjectStore(Protocol):
    """Cloud Storage, as far as the pipeline uses it. Every method may raise a TransientError."""

    def stat(self, bucket: str, name: str, generation: int | None = None) -> ObjectInfo | None:
        """Facts of an object (of one generation of it), or None where it is not there."""

    def read(
        self, bucket: str, name: str, *, generation: int | None = None, start: int = 0, length: int | None = None
    ) -> bytes:
        """`length` bytes from `start`, fewer at the end. Raises Inconsistent `object_missing`."""

    def blocks(
        self, bucket: str, name: str, *, generation: int | None = None, start: int = 0, block: int = 4 << 20
    ) -> Iterable[bytes]:
        """The object from `start` on, block by block, in bounded memory."""

    def write_once(self, bucket: str, name: str, data: bytes, *, metadata: Mapping[str, str] | None = None) -> bool:
        """Write unless the name is taken (ifGenerationMatch=0); False where it was: done before."""

    def open_once(self, bucket: str, name: str) -> AbstractContextManager[BinaryIO]:
        """A writer of unbounded length; nothing is there until it is closed. Raises Inconsistent `object_exists`."""

    def delete(self, bucket: str, name: str) -> None:
        """Remove the object; nothing happens where it is not there."""

    def listing(self, bucket: str) -> Iterable[ObjectInfo]:
        """The live generation of every object of a bucket, by name, in bounded memory."""


@dataclass(frozen=True)
class Asked:
    """What a query gave, and how many bytes BigQuery read for it."""

    rows: Sequence[Sequence[Any]]
    bytes_processed: int


class Publisher(Protocol):
    """Pub/Sub, as far as the pipeline publishes."""

    def publish(self, topic: str, messages: Sequence[Struct]) -> None:
        """Publish messages (shared.messages) and return when all are durable. Raises TransientError."""


class Warehouse(Protocol):
    """BigQuery, as far as the pipeline uses it; every job has an id of its own, so that doing it twice does it once."""

    def load_csv(
        self, table: str, uris: list[str], schema: Sequence[Mapping[str, Any]], job_id: str, *, label: str = ""
    ) -> int:
        """Load objects into a table made anew, which expires in a day, all or none; the number of rows.

        `label` is the table that the rows are on their way to, for the labels of the job and its cost.
        """

    def run(
        self, sql: str, params: Mapping[str, Any], job_id: str | None = None, *, table: str = "", into: str = "",
        most_bytes: int | None = None,
    ) -> list[Mapping[str, Any]]:  # fmt: skip
        """Run one query or script with named parameters (str, int, Decimal, date, or a list of dates).

        `table` is what the job is for, for its labels and its cost. With `into` the rows go to that table, made anew,
        and none is returned. A query that would read more than `most_bytes` is refused before it reads anything
        (QueryRefused).
        """

    def ask(self, sql: str, params: Mapping[str, Any], *, table: str, most_bytes: int) -> Asked:
        """Run one query that only reads, in as few calls as can be; rows in the order of the columns.

        `table` and `most_bytes` as in `run`. A query has no id, so one that is not answered may run twice.
        """
