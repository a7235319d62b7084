"""receive_upload with fakes, and one file of each kind with the same rows."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from functions.receive_upload.main import run
from shared.adapters.memory import MemoryFileLedger, MemoryPublisher, MemoryStore
from shared.adapters.ports import ObjectInfo
from shared.domain.identity import file_id
from shared.entrypoint import Outcome
from shared.events import PushMessage
from shared.messages import Chunk
from tests.functions.harness import LANDING, landed, lines, sale, settings

ROWS = [sale(transaction_id=f"t{number}") for number in range(95)]
CSV = b"user_id,email\r\n" + b"".join(b"u%d,u%d@example.com\r\n" % (number, number) for number in range(95))
FILES = {
    "transactions/lines.ndjson": lines(ROWS),
    "transactions/array.json": json.dumps(ROWS, indent=1).encode(),
    "transactions/lines.ndjson.gz": gzip.compress(lines(ROWS), mtime=0),
    "transactions/array.json.gz": gzip.compress(json.dumps(ROWS).encode()),
    "users/list.csv": CSV,
    "users/list.csv.gz": gzip.compress(CSV, mtime=0),
}


@dataclass
class Bench:
    """receive_upload with fakes, and what came of it."""

    store: MemoryStore = field(default_factory=MemoryStore)
    ledger: MemoryFileLedger = field(default_factory=MemoryFileLedger)
    publisher: MemoryPublisher = field(default_factory=MemoryPublisher)
    cut_seconds: int = 2

    def run(self, message: PushMessage, clock: Callable[[], float] = lambda: 0.0, **instead: Any) -> Outcome:
        parts: dict[str, Any] = {"store": self.store, "ledger": self.ledger, "publisher": self.publisher, **instead}
        return run(message, settings=settings(CUT_SECONDS=str(self.cut_seconds)), clock=clock, **parts)

    def drop(self, name: str, data: bytes) -> ObjectInfo:
        return self.store.put(LANDING, name, data)

    def chunks(self) -> dict[str, Chunk]:
        """The chunks that were published, each once."""
        return {chunk.chunk_id: chunk for chunk in self.publisher.of("chunks")}

    def rows(self) -> list[bytes]:
        """The rows of all chunks, in their order, read as validate reads them."""
        found: list[bytes] = []
        for chunk in sorted(self.chunks().values(), key=lambda chunk: chunk.ordinal):
            raw = chunk.raw
            data = self.store.read(raw.bucket, raw.name, generation=raw.generation, start=raw.offset, length=raw.length)
            found += data.splitlines()
        return found


def identity(info: ObjectInfo) -> str:
    return file_id(info.bucket, info.name, info.generation)


def whole(name: str, data: bytes) -> Bench:
    """The file cut without an interruption."""
    bench = Bench()
    bench.run(landed(bench.drop(name, data)))
    return bench
