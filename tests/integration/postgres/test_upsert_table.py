"""Each line of the table "What an upsert decides", for transactions."""

from __future__ import annotations

from dataclasses import astuple, replace
from typing import Any

import pytest
from pg8000.exceptions import DatabaseError  # type: ignore[import-untyped]

from shared.adapters.loading import LoadCounts, load_chunk
from shared.adapters.postgres import Session
from tests.integration.postgres.rows import Txn, at, bad_rows, facts, load, transactions

OLD = Txn(hours=30, status="pending")
NEW = replace(OLD, hours=31, status="completed")


def outcome(counts: LoadCounts) -> str:
    names = ("received", "inserted", "updated", "unchanged", "superseded", "quarantined", "held")
    return ",".join(name for name, n in zip(names[1:], astuple(counts)[1:], strict=True) if n)


def standing(session: Session, *columns: str) -> tuple[Any, ...]:
    row = session.row("SELECT to_jsonb(t) FROM commerce.transactions t WHERE transaction_id = 'T1'")[0]
    return tuple(row[column] for column in columns)


def test_a_first_row_is_inserted(session: Session) -> None:
    assert outcome(load(session, OLD)) == "inserted"
    assert standing(session, "status", "version", "sale_date") == ("pending", 1, "2025-03-02")


def test_newer_content_updates(session: Session) -> None:
    load(session, OLD)
    assert outcome(load(session, NEW)) == "updated"
    assert standing(session, "status", "version") == ("completed", 2)


def test_a_higher_status_at_the_same_time_is_newer(session: Session) -> None:
    load(session, OLD)
    assert outcome(load(session, replace(OLD, status="refunded"))) == "updated"
    assert outcome(load(session, replace(OLD, status="completed"))) == "superseded"


def test_same_content_is_unchanged_and_a_newer_time_is_kept_silently(session: Session) -> None:
    load(session, OLD)
    before = standing(session, "change_seq", "version", "source_chunk")
    assert outcome(load(session, replace(OLD, hours=40))) == "unchanged"
    assert standing(session, "change_seq", "version", "source_chunk") == before
    assert session.row("SELECT last_event_at, occurred_at FROM commerce.transactions") == (at(40), at(30))
    assert session.row("SELECT count(*) FROM audit.change") == (0,)
    assert outcome(load(session, NEW)) == "superseded"


def test_same_content_at_an_older_time_is_unchanged_and_lowers_occurred_at(session: Session) -> None:
    load(session, OLD)
    (before,) = standing(session, "change_seq")
    assert outcome(load(session, replace(OLD, hours=2))) == "unchanged"
    assert standing(session, "change_seq")[0] > before
    assert session.row("SELECT occurred_at, last_event_at FROM commerce.transactions") == (at(2), at(30))
    assert session.rows("SELECT transaction_id, day::text FROM pipeline.moved_day") == [("T1", "2025-03-02")]


def test_older_content_is_superseded_and_may_lower_occurred_at(session: Session) -> None:
    load(session, NEW)
    assert outcome(load(session, replace(OLD, hours=2))) == "superseded"
    assert standing(session, "status", "sale_date") == ("completed", "2025-03-01")
    assert session.row("SELECT count(*) FROM audit.change") == (1,)


def test_other_content_at_the_same_time_and_rank_is_quarantined(session: Session) -> None:
    load(session, OLD)
    assert outcome(load(session, replace(OLD, amount="99.0000"))) == "quarantined"
    assert standing(session, "amount") == (10,)
    assert session.rows("SELECT line, reason, row_id FROM pipeline.quarantined_row") == [
        (1, "conflicting_duplicate", "T1")
    ]


def test_losers_within_a_chunk_are_judged_against_the_row_that_stands(session: Session) -> None:
    conflict = replace(NEW, amount="99.0000")
    counts = load(session, OLD, NEW, conflict, replace(NEW, hours=3))
    assert astuple(counts) == (4, 1, 0, 1, 1, 1, 0)
    assert session.row("SELECT occurred_at, source_line FROM commerce.transactions") == (at(3), 2)


def test_unknown_parents_are_inferred_and_a_guest_has_none(session: Session) -> None:
    load(session, OLD, Txn("T2", user=None))
    assert session.rows("SELECT user_id, inferred, version FROM commerce.users") == [("U1", True, 0)]
    assert session.rows("SELECT product_id, inferred FROM commerce.products") == [("P1", True)]
    assert session.row("SELECT user_key FROM commerce.transactions WHERE transaction_id = 'T2'") == (None,)


def test_rows_that_validate_refused_are_quarantined_in_the_same_transaction(session: Session) -> None:
    counts = load_chunk(session, facts("transactions", 3), transactions([OLD]), bad_rows([2, 3]))[1]
    assert astuple(counts) == (3, 1, 0, 0, 0, 2, 0)
    assert session.rows("SELECT line, reason, raw_object FROM pipeline.quarantined_row ORDER BY line") == [
        (2, "missing_field", "raw/x"),
        (3, "missing_field", "raw/x"),
    ]


def test_a_lost_row_breaks_the_load(session: Session) -> None:
    with pytest.raises(DatabaseError, match="chunk_check"):
        load_chunk(session, facts("transactions", 2), transactions([OLD]))
    assert session.row("SELECT count(*) FROM commerce.transactions") == (0,)
    assert session.row("SELECT count(*) FROM pipeline.chunk") == (0,)


def test_a_number_of_rows_other_than_registered_is_refused(session: Session) -> None:
    session.rows(
        "INSERT INTO pipeline.chunk (chunk_id, source, day, received) VALUES ('C', 'transactions', '2025-03-01', 5)"
    )
    with pytest.raises(DatabaseError, match="registered with 5 rows, but 1 were validated"):
        load(session, OLD, chunk_id="C")
    assert load(session, *[replace(OLD, id=f"T{n}") for n in range(5)], chunk_id="C").inserted == 5


def test_columns_in_another_order_are_refused(session: Session) -> None:
    data = transactions([OLD]).replace(b"flags\ttransaction_id", b"transaction_id\tflags", 1)
    with pytest.raises(DatabaseError, match="column name mismatch"):
        load_chunk(session, facts("transactions", 1), data)


@pytest.mark.parametrize("row", [replace(OLD, amount="-1.0000"), replace(OLD, currency="gbpx")])
def test_what_validation_should_have_refused_the_tables_refuse(session: Session, row: Txn) -> None:
    with pytest.raises(DatabaseError):
        load(session, row)


def test_a_credit_note_may_be_negative(session: Session) -> None:
    assert outcome(load(session, replace(OLD, amount="-1.0000", status="refunded"))) == "inserted"
