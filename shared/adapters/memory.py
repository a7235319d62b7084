"""In-memory fakes of the ports: the same contract as the real adapters, held by the same tests, without a server.

Everything lives in plain attributes that a test may read. Nothing here is used by a deployed function.
"""

from __future__ import annotations

import base64
import csv
import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, BinaryIO

import google_crc32c
from msgspec import Struct

from shared.adapters.landing import Checkpoint
from shared.adapters.ledger import FileState
from shared.adapters.ports import Asked, ObjectInfo
from shared.errors import ConfigError, Inconsistent, LockTimeout
from shared.messages import Chunk, Upload, encode

EPOCH = datetime(2026, 1, 1, tzinfo=UTC)
"""When every object of the fake was created: a test that needs another time says so."""


class MemoryStore:
    """ObjectStore over a dictionary; a bucket is there once something is in it."""

    def __init__(self) -> None:
        self.objects: dict[tuple[str, str], tuple[ObjectInfo, bytes]] = {}
        self._generation = 0

    def put(
        self,
        bucket: str,
        name: str,
        data: bytes,
        *,
        metadata: Mapping[str, str] | None = None,
        created_at: datetime = EPOCH,
    ) -> ObjectInfo:
        """Write as somebody outside the pipeline does: a new generation replaces the old one."""
        self._generation += 1
        checksum = base64.b64encode(google_crc32c.value(data).to_bytes(4, "big")).decode()
        info = ObjectInfo(
            bucket, name, self._generation, len(data), checksum, created_at, dict(metadata or {})
        )  # fmt: skip
        self.objects[bucket, name] = info, data
        return info

    def names(self, bucket: str) -> list[str]:
        """The objects of a bucket, sorted."""
        return sorted(name for where, name in self.objects if where == bucket)

    def stat(self, bucket: str, name: str, generation: int | None = None) -> ObjectInfo | None:
        found = self._find(bucket, name, generation)
        return found[0] if found else None

    def read(
        self, bucket: str, name: str, *, generation: int | None = None, start: int = 0, length: int | None = None
    ) -> bytes:
        if length == 0:
            return b""
        found = self._find(bucket, name, generation)
        if found is None:
            raise Inconsistent("object_missing", f"gs://{bucket}/{name} is not there")
        return found[1][start : None if length is None else start + length]

    def blocks(
        self, bucket: str, name: str, *, generation: int | None = None, start: int = 0, block: int = 4 << 20
    ) -> Iterator[bytes]:
        while data := self.read(bucket, name, generation=generation, start=start, length=block):
            yield data
            start += len(data)

    def write_once(self, bucket: str, name: str, data: bytes, *, metadata: Mapping[str, str] | None = None) -> bool:
        if (bucket, name) in self.objects:
            return False
        self.put(bucket, name, data, metadata=metadata)
        return True

    @contextmanager
    def open_once(self, bucket: str, name: str) -> Iterator[BinaryIO]:
        out = io.BytesIO()
        yield out
        if not self.write_once(bucket, name, out.getvalue()):
            raise Inconsistent("object_exists", f"gs://{bucket}/{name} was written before")

    def delete(self, bucket: str, name: str) -> None:
        self.objects.pop((bucket, name), None)

    def listing(self, bucket: str) -> Iterator[ObjectInfo]:
        for name in self.names(bucket):
            yield self.objects[bucket, name][0]

    def _find(self, bucket: str, name: str, generation: int | None) -> tuple[ObjectInfo, bytes] | None:
        found = self.objects.get((bucket, name))
        return found if found and generation in (None, found[0].generation) else None


class MemoryPublisher:
    """Publisher into lists; `topics` names those that are there, None means any."""

    def __init__(self, topics: Sequence[str] | None = None) -> None:
        self._topics = topics
        self.messages: list[tuple[str, Struct]] = []
        self.data: list[tuple[str, bytes]] = []

    def publish(self, topic: str, messages: Sequence[Struct]) -> None:
        if messages and self._topics is not None and topic not in self._topics:
            raise ConfigError(f"topic {topic} is not there; create what functions.yaml lists")
        self.messages += [(topic, message) for message in messages]
        self.data += [(topic, encode(message)) for message in messages]

    def of(self, topic: str) -> list[Any]:
        """The messages of one topic, in their order."""
        return [message for where, message in self.messages if where == topic]


Answer = Callable[[str, Mapping[str, Any]], list[Mapping[str, Any]]]


def _nothing(_: str, __: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return []


@dataclass
class MemoryWarehouse:
    """Warehouse that knows jobs and loads but no SQL: `answer` stands for what a statement gives."""

    store: MemoryStore
    answer: Answer = _nothing
    loaded: dict[str, list[list[str]]] = field(default_factory=dict)
    ran: list[tuple[str, Mapping[str, Any]]] = field(default_factory=list)
    _rows: dict[str, int] = field(default_factory=dict)
    _results: dict[str, list[Mapping[str, Any]]] = field(default_factory=dict)

    def load_csv(
        self, table: str, uris: list[str], schema: Sequence[Mapping[str, Any]], job_id: str, *,
        label: str = "",  # noqa: ARG002
    ) -> int:  # fmt: skip
        if job_id not in self._rows:
            rows = [row for uri in uris for row in self._records(uri, len(schema))]
            self.loaded[table] = rows
            self._rows[job_id] = len(rows)
        return self._rows[job_id]

    def _records(self, uri: str, columns: int) -> list[list[str]]:
        bucket, _, name = uri.removeprefix("gs://").partition("/")
        rows = list(csv.reader(io.StringIO(self.store.read(bucket, name).decode())))[1:]
        for number, row in enumerate(rows, 1):
            if len(row) != columns:
                raise Inconsistent("load_failed", f"{uri}: row {number} does not have {columns} columns")
        return rows

    def run(
        self, sql: str, params: Mapping[str, Any], job_id: str | None = None, *, table: str = "",  # noqa: ARG002
        into: str = "", most_bytes: int | None = None,  # noqa: ARG002
    ) -> list[Mapping[str, Any]]:  # fmt: skip
        if job_id is None:
            return self._run(sql, params)
        if job_id not in self._results:
            self._results[job_id] = self._run(sql, params)
        return self._results[job_id]

    def ask(self, sql: str, params: Mapping[str, Any], *, table: str, most_bytes: int) -> Asked:  # noqa: ARG002
        return Asked([list(row.values()) for row in self._run(sql, params)], 0)

    def _run(self, sql: str, params: Mapping[str, Any]) -> list[Mapping[str, Any]]:
        rows = self.answer(sql, params)
        self.ran.append((sql, params))
        return rows


class MemoryFileLedger:
    """FileLedger over dictionaries."""

    def __init__(self) -> None:
        self.files: dict[str, FileState] = {}
        self.sources: dict[str, str] = {}
        self.reasons: dict[str, str] = {}
        self.chunks: dict[str, Chunk] = {}
        self._cutting: set[str] = set()

    def state(self, file_id: str) -> FileState | None:
        return self.files.get(file_id)

    @contextmanager
    def cutting(
        self,
        file_id: str,
        info: ObjectInfo,  # noqa: ARG002  # as the port has it
        reprocess: int = 0,  # noqa: ARG002  # as the port has it
    ) -> Iterator[FileState]:
        if file_id in self._cutting:
            raise LockTimeout(f"file {file_id} is being cut by another delivery")
        self._cutting.add(file_id)
        try:
            yield self.files.setdefault(file_id, FileState("registered", 0, None))
        finally:
            self._cutting.discard(file_id)

    def begin(self, file_id: str, source: str) -> None:
        if self.files[file_id].state == "registered":
            self._change(file_id, state="cutting")
            self.sources[file_id] = source

    def reject(self, file_id: str, upload: Upload, reason: str, told: str) -> None:  # noqa: ARG002  # as the port has it
        self.files.setdefault(file_id, FileState("registered", 0, None))
        self._change(file_id, state="rejected")
        self.reasons[file_id] = reason

    def record_chunks(self, chunks: Sequence[Chunk]) -> None:
        for chunk in chunks:
            self.chunks.setdefault(chunk.chunk_id, chunk)

    def checkpoint(self, file_id: str, at: Checkpoint) -> None:
        self._change(file_id, checkpoint=at, rows=at.rows)

    def finish(self, file_id: str) -> None:
        if self.files[file_id].state == "cutting":
            self._change(file_id, state="cut")

    def _change(self, file_id: str, **facts: Any) -> None:
        self.files[file_id] = replace(self.files[file_id], **facts)
