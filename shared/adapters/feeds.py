"""The ledger of feeds, and the locks that let one stage run at a time."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Literal

from shared.adapters.postgres import Session
from shared.adapters.queries import rows_of
from shared.errors import DependencyUnavailable

Stage = Literal[
    "enrich", "load_warehouse", "build_marts", "watch_schema", "extract_products", "check_quality", "reconcile",
    "watch_queries",
]  # fmt: skip


@contextmanager
def one_at_a_time(session: Session, stage: Stage, *, wait: bool = False) -> Iterator[bool]:
    """Hold the stage's advisory lock; False where another instance has it.

    With `wait` it is waited for, up to the session's lock timeout (LockTimeout): a message that is refused at once uses
    up one of its attempts for nothing but having come early.
    """
    if wait:
        rows_of(session, "await_stage", stage=stage)
    held = wait or bool(rows_of(session, "lock_stage", stage=stage)[0][0])
    try:
        yield held
    except BaseException:
        if held:
            with suppress(DependencyUnavailable):  # a session that is gone holds no lock; what ended it is told
                rows_of(session, "unlock_stage", stage=stage)
        raise
    if held:
        rows_of(session, "unlock_stage", stage=stage)


def mark_feed(session: Session, feed_id: int, state: Literal["published", "loaded", "built"]) -> None:
    """Move a feed forward; it never goes back."""
    rows_of(session, "mark_feed", feed_id=feed_id, state=state)


def is_wanted(session: Session, feed_id: int) -> bool:
    """Whether the ledger knows the feed and no whole refeed has replaced it.

    A message from before a restore names a feed that is unknown: its rows may not be in Postgres any more.
    """
    known = rows_of(session, "read_feed_state", feed_id=feed_id)
    return bool(known) and known[0][0] != "replaced"
