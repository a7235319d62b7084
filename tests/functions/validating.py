"""validate with fakes."""

from __future__ import annotations

import json
from dataclasses import dataclass, field

import msgspec

from functions.validate.main import run
from shared.adapters.memory import MemoryPublisher, MemoryStore
from shared.entrypoint import Outcome
from shared.events import PushMessage
from shared.messages import Chunk, ObjectRange, Validated
from tests.functions.harness import (
    LANDING,
    PUBLISHED,
    QUARANTINE,
    Row,
    push,
    sale,
    settings,
)

BAD = sale(transaction_id="bad", currency="XYZ")


def chunk_of(raw: ObjectRange, source: str = "transactions", **facts: object) -> Chunk:
    plain = Chunk(
        chunk_id="c-000000", file_id="c", source=source, ordinal=0, first_line=11, rows=0, landed_at=PUBLISHED, raw=raw
    )
    return msgspec.structs.replace(plain, **facts)


@dataclass
class Bench:
    """validate with fakes."""

    store: MemoryStore = field(default_factory=MemoryStore)
    publisher: MemoryPublisher = field(default_factory=MemoryPublisher)

    def chunk(self, data: bytes, source: str = "transactions", **facts: object) -> PushMessage:
        """A chunk in the middle of a landing object."""
        info = self.store.put(LANDING, f"{source}/a", b"before\n" + data + b"behind\n")
        raw = ObjectRange(bucket=LANDING, name=info.name, generation=info.generation, offset=7, length=len(data))
        return push(chunk_of(raw, source, **facts), "validate-chunks")

    def run(self, message: PushMessage) -> Outcome:
        return run(message, store=self.store, publisher=self.publisher, settings=settings())

    def told(self) -> Validated:
        """The one message that went out."""
        (message,) = self.publisher.of("validated")
        assert isinstance(message, Validated)
        return message

    def quarantine(self) -> dict[str, bytes]:
        return {name: self.store.read(QUARANTINE, name) for name in self.store.names(QUARANTINE)}


def stream(rows: Row | list[Row] | bytes) -> PushMessage:
    return push(rows if isinstance(rows, bytes) else json.dumps(rows).encode(), "validate-transactions")


def cells(text: str | None) -> list[list[str]]:
    """COPY text as rows of cells, the header first."""
    return [line.split("\t") for line in (text or "").splitlines()]
