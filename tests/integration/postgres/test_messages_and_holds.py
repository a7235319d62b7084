"""Stream messages in one round trip, and chunks that wait for an operator."""

from __future__ import annotations

from dataclasses import replace

from shared.adapters.loading import hold_chunk, load_chunk, load_message
from shared.adapters.postgres import Session
from shared.adapters.queries import query, rows_of
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


def decide(session: Session, chunk_id: str, decision: str) -> bool:
    return bool(rows_of(session, "decide_chunk", chunk_id=chunk_id, decision=decision, operator="tests"))


def test_a_held_chunk_counts_as_held_until_the_decision_loads_it_once(session: Session) -> None:
    chunk, data = facts("transactions", 1), transactions([Txn()])
    released, rejected = (replace(chunk, decision=decision) for decision in ("released", "rejected"))
    assert hold_chunk(session, chunk, 0, {"chunk_id": chunk.chunk_id})[1].held == 1
    assert hold_chunk(session, chunk, 0, {})[0] is False
    assert load_chunk(session, chunk, data)[0] is False
    assert load_chunk(session, released, data)[0] is False, "nobody has decided that"
    assert decide(session, chunk.chunk_id, "released")
    assert not decide(session, chunk.chunk_id, "rejected"), "the first decision stands"
    assert load_chunk(session, rejected, data)[0] is False
    assert load_chunk(session, chunk, data)[0] is False, "a late redelivery of the message that was held"
    assert hold_chunk(session, chunk, 0, {})[0] is False
    assert session.row("SELECT held FROM pipeline.chunk") == (1,)
    loaded, counts = load_chunk(session, released, data)
    assert (loaded, counts.inserted, counts.held) == (True, 1, 0)
    assert load_chunk(session, released, data) == (False, counts)


def test_a_chunk_that_becomes_held_raises_one_alert(session: Session) -> None:
    chunk = facts("transactions", 200)
    hold_chunk(session, chunk, 50, {})
    hold_chunk(session, chunk, 50, {})
    told = "200 rows of transactions wait for an operator: 75 % of them are bad"
    assert session.rows("SELECT kind, subject, told, seen FROM pipeline.alert") == [
        ("chunk_held", chunk.chunk_id, told, 1)
    ]


def test_a_registered_chunk_is_pending(session: Session) -> None:
    session.rows(
        "INSERT INTO pipeline.chunk (chunk_id, source, day, received) VALUES ('C', 'transactions', '2025-03-01', 7)"
    )
    assert session.row("SELECT received, valid, inserted, held FROM pipeline.chunk") == (7, None, 0, 0)
    (name, received, *_, pending, quarantine_rows) = session.row(query("verify_overall").sql)
    assert (name, received, pending, quarantine_rows) == ("overall", 7, 7, 0)
