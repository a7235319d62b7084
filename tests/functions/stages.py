"""The stages before the one that a test is about, run with fakes where they need no server."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from functions.enrich import main as enrich
from functions.load_postgres import main as load_postgres
from functions.validate import main as validate
from shared.adapters.memory import MemoryPublisher, MemoryStore
from shared.adapters.ports import ObjectStore
from shared.adapters.postgres import Session
from shared.entrypoint import Outcome
from shared.events import PushMessage
from shared.messages import Enriched, Validated
from tests.functions.harness import Row, push, settings


def validated(message: PushMessage, store: ObjectStore | None = None) -> Validated:
    """What validate says of a message."""
    publisher = MemoryPublisher()
    validate.run(message, store=store or MemoryStore(), publisher=publisher, settings=settings())
    (told,) = publisher.of("validated")
    assert isinstance(told, Validated)
    return told


def streamed(rows: list[Row]) -> Validated:
    """What validate says of a message of the stream."""
    return validated(push(json.dumps(rows).encode(), "validate-transactions"))


def to_load(told: Validated) -> PushMessage:
    return push(told, "load_postgres-validated")


def load(session: Session, rows: list[Row]) -> Outcome:
    """Load a message of the stream."""
    return load_postgres.run(to_load(streamed(rows)), session=session, store=MemoryStore(), settings=settings())


@dataclass
class Feeding:
    """enrich, with a store and a publisher of the test's choice."""

    session: Session
    store: ObjectStore = field(default_factory=MemoryStore)
    publisher: MemoryPublisher = field(default_factory=MemoryPublisher)

    def run(self, **instead: Any) -> Outcome:
        parts: dict[str, Any] = {"store": self.store, "publisher": self.publisher, **instead}
        return enrich.run(session=self.session, settings=settings(), **parts)

    def drain(self) -> None:
        """Feed what other tests left, so that only what comes now is new."""
        while self.run().outcome != "idle":
            self.publisher.messages.clear()

    def feed(self) -> Enriched:
        """One feed of what changed."""
        assert self.run().outcome == "enriched"
        message = self.publisher.of("enriched")[-1]
        assert isinstance(message, Enriched)
        return message
