"""Stream messages in one round trip, and chunks that wait for an operator."""

from __future__ import annotations

from shared.adapters.loading import hold_chunk, load_chunk, load_message
from shared.adapters.postgres import Session
from shared.adapters.queries import query
from tests.integration.postgres.rows import Txn, facts, transactions


def test_a_message_is_loaded_once(session: Session) -> None:
    chunk, data = facts("transactions", 2), transactions([Txn("A"), Txn("B", user=None)])
    first = load_message(session, chunk, data)
    assert (first[0], first[1].inserted) == (True, 2)
    assert load_message(session, chunk, data) == (False, first[1])


def test_a_message_with_escapes_is_loaded_by_copy(session: Session) -> None:
    extra = r'{"note": "a\\tb"}'
    counts = load_message(session, facts("transactions", 1), transactions([Txn(extra=extra)]))[1]
    assert counts.inserted == 1
    assert session.row("SELECT extra ->> 'note' FROM commerce.transactions") == ("a\tb",)


def test_a_held_chunk_counts_as_held_until_it_is_released_once(session: Session) -> None:
    chunk, data = facts("transactions", 1), transactions([Txn()])
    assert hold_chunk(session, chunk, 0, {"chunk_id": chunk.chunk_id})[1].held == 1
    assert hold_chunk(session, chunk, 0, {})[0] is False
    assert load_chunk(session, chunk, data)[0] is False
    release = query("release_chunk")
    assert session.rows(release.sql, chunk.chunk_id) == [({"chunk_id": chunk.chunk_id},)]
    assert session.rows(release.sql, chunk.chunk_id) == []
    assert hold_chunk(session, chunk, 0, {})[0] is False, "a late redelivery must not hold it again"
    assert load_chunk(session, chunk, data)[1].inserted == 1


def test_a_registered_chunk_is_pending(session: Session) -> None:
    session.rows(
        "INSERT INTO pipeline.chunk (chunk_id, source, day, received) VALUES ('C', 'transactions', '2025-03-01', 7)"
    )
    assert session.row("SELECT received, valid, inserted, held FROM pipeline.chunk") == (7, None, 0, 0)
    (name, received, *_, pending, quarantine_rows) = session.row(query("verify_overall").sql)
    assert (name, received, pending, quarantine_rows) == ("overall", 7, 7, 0)
