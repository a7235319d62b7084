"""Replays: a row leaves quarantine in one transaction, once, and the chunk's account holds at every moment."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from threading import Thread
from typing import Any

import pytest
from pg8000.exceptions import DatabaseError  # type: ignore[import-untyped]

from shared.adapters.loading import ChunkFacts, load_chunk, replay_rows
from shared.adapters.postgres import Session
from shared.adapters.queries import query, rows_of
from tests.integration.postgres.rows import (
    Txn,
    User,
    at,
    bad_rows,
    copy_text,
    facts,
    load,
    transactions,
)

COUNTS = "received, inserted, updated, unchanged, superseded, quarantined, held"
USER_COLUMNS = (
    "line", "content_hash", "flags", "user_id", "email", "registration_date", "country", "age_group", "customer_tier",
    "extra",
)  # fmt: skip


def users(rows: Sequence[tuple[int, User]]) -> bytes:
    """Users at these lines."""
    lines = [
        (n, f"{abs(hash((r.id, r.country))):032x}"[:32], 0, r.id, r.email, "2024-05-17", r.country, r.age, r.tier, None)
        for n, r in rows
    ]
    return copy_text(USER_COLUMNS, lines)


def at_lines(rows: Sequence[tuple[int, Txn]]) -> bytes:
    """Transactions at these lines."""
    texts = [transactions([row], first_line=line) for line, row in rows]
    head = transactions([]) if not texts else texts[0].split(b"\n", 1)[0] + b"\n"
    return head + b"".join(text.split(b"\n", 1)[1] for text in texts)


def counts(session: Session, chunk: ChunkFacts) -> tuple[int, ...]:
    return session.row(f"SELECT {COUNTS} FROM pipeline.chunk WHERE chunk_id = $1", chunk.chunk_id)


def quarantine(session: Session, chunk: ChunkFacts, columns: str = "line, reason, attempt") -> list[tuple[Any, ...]]:
    text = f"""SELECT {columns} FROM pipeline.quarantined_row q JOIN pipeline.chunk c USING (chunk_key)
               WHERE chunk_id = $1 ORDER BY line"""
    return session.rows(text, chunk.chunk_id)


def balanced(session: Session) -> bool:
    return not session.rows(query("verify_chunks").sql) and all(
        row[3] for row in session.rows(query("verify_tables").sql)
    )


def loaded(session: Session, good: Sequence[tuple[int, Txn]], bad: Sequence[int]) -> ChunkFacts:
    chunk = facts("transactions", len(good) + len(bad))
    load_chunk(session, chunk, at_lines(good), bad_rows(bad))
    return chunk


def test_a_replayed_row_moves_to_its_new_outcome_once(session: Session) -> None:
    chunk = loaded(session, [(1, Txn("A"))], [2, 3])
    rows = at_lines([(2, Txn("B")), (3, Txn("A"))])
    for _ in range(2):
        replay_rows(session, chunk, rows, None, 1, 0)
        assert counts(session, chunk) == (3, 2, 0, 1, 0, 0, 0)
    assert quarantine(session, chunk) == []
    assert session.rows("SELECT line, attempt, reason, became FROM pipeline.replayed_row ORDER BY line") == [
        (2, 1, "missing_field", None), (3, 1, "missing_field", None)
    ]  # fmt: skip
    assert session.row("SELECT valid FROM pipeline.chunk") == (3,)
    assert balanced(session)


def test_a_row_that_is_bad_again_keeps_its_raw_text_and_counts_the_attempt(session: Session) -> None:
    chunk = loaded(session, [(1, Txn("A"))], [2])
    worse = bad_rows([2]).replace(b"missing_field", b"invalid_amount").replace(b"raw/x", b"raw/other")
    for _ in range(2):
        replay_rows(session, chunk, at_lines([]), worse, 1, 0)
    assert quarantine(session, chunk, "reason, attempt, raw_object") == [("invalid_amount", 2, "raw/x")]
    assert counts(session, chunk) == (2, 1, 0, 0, 0, 1, 0)
    replay_rows(session, chunk, at_lines([(2, Txn("B"))]), None, 1, 0)
    assert counts(session, chunk)[1] == 1, "that was the attempt before"
    replay_rows(session, chunk, at_lines([(2, Txn("B"))]), None, 2, 0)
    assert counts(session, chunk) == (2, 2, 0, 0, 0, 0, 0)
    assert balanced(session)


def test_a_row_that_conflicts_stays_with_its_raw_text_and_its_time(session: Session) -> None:
    chunk = loaded(session, [(1, Txn("A"))], [2])
    before = quarantine(session, chunk, "raw_object, raw_offset, raw_length, source_offset, quarantined_at")
    replay_rows(session, chunk, at_lines([(2, Txn("A", amount="7.0000"))]), None, 1, 0)
    assert quarantine(session, chunk) == [(2, "conflicting_duplicate", 2)]
    assert quarantine(session, chunk, "raw_object, raw_offset, raw_length, source_offset, quarantined_at") == before
    assert session.rows("SELECT became FROM pipeline.replayed_row") == [("conflicting_duplicate",)]
    assert counts(session, chunk) == (2, 1, 0, 0, 0, 1, 0)
    replay_rows(session, chunk, at_lines([(2, Txn("A", amount="7.0000", hours=1))]), None, 2, 0)
    assert counts(session, chunk) == (2, 1, 1, 0, 0, 0, 0)
    assert balanced(session)


def test_good_conflicting_and_bad_rows_of_one_replay_are_told_apart(session: Session) -> None:
    chunk = loaded(session, [(1, Txn("A", hours=5))], [2, 3, 4, 5])
    rows = at_lines([(2, Txn("B")), (3, Txn("A", amount="7.0000", hours=5)), (4, Txn("A", amount="8.0000", hours=1))])
    replay_rows(session, chunk, rows, bad_rows([5]), 1, 0)
    assert counts(session, chunk) == (5, 2, 0, 0, 1, 2, 0)
    assert quarantine(session, chunk) == [(3, "conflicting_duplicate", 2), (5, "missing_field", 2)]
    assert balanced(session)


def test_a_discarded_row_stays_counted_and_is_not_replayed(session: Session) -> None:
    chunk = loaded(session, [(1, Txn("A"))], [2, 3])
    none = {"source": None, "reason": None, "file": None, "day": None, "chunk_id": chunk.chunk_id}
    assert rows_of(session, "discard_rows", **none, line=2, operator="tests", why="a test order") == [(2,)]
    replay_rows(session, chunk, at_lines([(2, Txn("B")), (3, Txn("C"))]), None, 1, 0)
    assert counts(session, chunk) == (3, 2, 0, 0, 0, 1, 0)
    assert quarantine(session, chunk) == [(2, "missing_field", 1)]
    assert balanced(session)


def test_rows_of_users_are_replayed_at_the_time_of_their_file(session: Session) -> None:
    chunk = facts("users", 2, recency=at(0))
    load_chunk(session, chunk, users([(2, User("U1"))]), bad_rows([3]))
    later = facts("users", 1, recency=at(5))
    load_chunk(session, later, users([(2, User("U2", country="FR"))]))
    for _ in range(2):
        replay_rows(session, chunk, users([(3, User("U2", country="DE"))]), None, 1, 0)
    assert counts(session, chunk) == (2, 1, 0, 0, 1, 0, 0)
    assert session.row("SELECT country FROM commerce.users WHERE user_id = 'U2'") == ("FR",)
    history = """SELECT v.country FROM commerce.user_version v JOIN commerce.users u USING (user_key)
                 WHERE user_id = 'U2'"""
    assert len(session.rows(history)) == 2, "what the older file says is history"
    assert balanced(session)


def test_a_replay_of_a_chunk_that_is_not_loaded_changes_nothing(session: Session) -> None:
    assert replay_rows(session, facts("transactions", 1), at_lines([(1, Txn())]), None, 1, 0) is None
    assert session.row("SELECT count(*) FROM commerce.transactions") == (0,)


def test_replays_of_one_chunk_at_once_wait_for_each_other(
    session: Session, open_session: Callable[[], Session]
) -> None:
    chunk = loaded(session, [(1, Txn("A"))], [2, 3, 4])
    rows = at_lines([(2, Txn("B")), (3, Txn("C")), (4, Txn("D"))])
    sessions = [open_session() for _ in range(4)]
    threads = [Thread(target=replay_rows, args=(s, chunk, rows, None, 1, 0)) for s in sessions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert counts(session, chunk) == (4, 4, 0, 0, 0, 0, 0)
    assert balanced(session)


def test_the_order_of_an_operator_is_not_changed_or_removed(session: Session) -> None:
    rows_of(session, "record_action", request_id="r", operator="o", action="replay", filters="{}", details="{}")
    for statement in ("DELETE FROM audit.operator_action", "UPDATE audit.operator_action SET operator = 'x'"):
        with pytest.raises(DatabaseError, match="append-only"):
            session.rows(statement)


def test_a_replay_may_free_an_older_row_of_the_same_chunk(session: Session) -> None:
    load(session, Txn("A", hours=9))
    chunk = loaded(session, [(1, replace(Txn("A"), hours=9, amount="3.0000")), (2, Txn("B"))], [3])
    assert quarantine(session, chunk) == [(1, "conflicting_duplicate", 1), (3, "missing_field", 1)]
    replay_rows(session, chunk, at_lines([(1, Txn("A", hours=9, amount="10.0000"))]), None, 1, 0)
    assert counts(session, chunk) == (3, 1, 0, 1, 0, 1, 0)
    assert balanced(session)
