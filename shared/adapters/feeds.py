"""The ledger of feeds, and the locks that let one stage run at a time."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

from shared.adapters.postgres import Session
from shared.adapters.queries import query

Stage = Literal["enrich", "load_warehouse", "build_marts"]


@contextmanager
def one_at_a_time(session: Session, stage: Stage) -> Iterator[bool]:
    """Hold the stage's advisory lock; False where another instance has it."""
    lock = query("lock_stage")
    held = bool(session.row(lock.sql, *lock.values({"stage": stage}))[0])
    try:
        yield held
    finally:
        if held:
            unlock = query("unlock_stage")
            session.row(unlock.sql, *unlock.values({"stage": stage}))


def mark_feed(session: Session, feed_id: int, state: Literal["published", "loaded", "built"]) -> None:
    """Move a feed forward; it never goes back."""
    statement = query("mark_feed")
    session.rows(statement.sql, *statement.values({"feed_id": feed_id, "state": state}))
