"""Held chunks: an operator releases or rejects them; validate then judges them once more and load_postgres loads them.

The first decision stands. The same one again only sends the message again, so a crash in between loses nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

import msgspec

from shared.adapters.actions import Order, Result, carry_out
from shared.adapters.choosing import Chosen
from shared.adapters.landing import Checkpoint
from shared.adapters.ports import Publisher
from shared.adapters.postgres import Session
from shared.adapters.queries import rows_of
from shared.errors import OrderRefused
from shared.messages import Chunk, ObjectRange, Validated

Decision = Literal["released", "rejected"]


@dataclass(frozen=True)
class Held:
    """A chunk that waits, or whose decision is not carried out yet."""

    chunk_id: str
    source: str
    file: str
    received: int
    bad: int
    held_at: datetime
    decision: str | None
    decided_by: str | None
    validated: Mapping[str, Any]
    checkpoint: Mapping[str, Any] | None

    def as_fields(self) -> dict[str, Any]:
        """What a list shows."""
        return {name: value for name, value in vars(self).items() if name not in {"validated", "checkpoint"}}


def list_held(session: Session, chosen: Chosen) -> list[Held]:
    """The held chunks that are chosen, oldest first."""
    params = chosen.params("source", "file", "day", "chunk_id")
    return [Held(*row) for row in rows_of(session, "list_held", **params)]


def order_decision(session: Session, publisher: Publisher, chosen: Chosen, decision: Decision, order: Order) -> Result:
    """Decide on the chosen chunks and put the order on record.

    Raises OrderRefused for one chunk that is not held, or of which the other thing was decided.
    """
    if chosen.chunk_id is not None:
        _check(session, chosen.chunk_id, decision)

    def work(_: int) -> Result:
        result = {"chunks": 0, "rows": 0, "decided_otherwise": 0}
        for held in list_held(session, chosen):
            if not decide(session, publisher, held, decision, order.operator):
                result["decided_otherwise"] += 1
                continue
            result["chunks"] += 1
            result["rows"] += held.received
        return result

    return carry_out(session, order, work)


def decide(session: Session, publisher: Publisher, held: Held, decision: Decision, operator: str) -> bool:
    """Record the decision and send the chunk to validate; False where the other one stands."""
    rows_of(session, "decide_chunk", chunk_id=held.chunk_id, decision=decision, operator=operator)
    state, standing = rows_of(session, "read_decision", chunk_id=held.chunk_id)[0]
    if standing != decision:
        return False
    if state == "held":
        publisher.publish("chunks", [chunk_of(held, decision)])
    return True


def chunk_of(held: Held, decision: Decision) -> Chunk:
    """The message that takes a held chunk on, from what validate said of it."""
    done = msgspec.convert(held.validated, Validated)
    checkpoint = msgspec.convert(held.checkpoint, Checkpoint) if held.checkpoint else Checkpoint()
    return Chunk(
        chunk_id=done.chunk_id,
        file_id=done.file_id or "",
        source=done.source,
        ordinal=done.ordinal,
        first_line=done.first_line,
        rows=done.received,
        landed_at=done.landed_at,
        raw=done.raw or ObjectRange(bucket="", name="", generation=0),
        header=checkpoint.dialect.header if checkpoint.dialect else None,
        decision=decision,
        reprocess=done.reprocess,
    )


def _check(session: Session, chunk_id: str, decision: Decision) -> None:
    known = rows_of(session, "read_decision", chunk_id=chunk_id)
    if not known:
        raise OrderRefused("chunk_unknown", f"there is no chunk {chunk_id}; see `sluice held list`")
    state, standing = known[0]
    if standing not in (None, decision):
        raise OrderRefused("decided_otherwise", f"chunk {chunk_id} was {standing} before; the first decision stands")
    if state != "held" and standing is None:
        raise OrderRefused("not_held", f"chunk {chunk_id} is not held; see `sluice held list`")
