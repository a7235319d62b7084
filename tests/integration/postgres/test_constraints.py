"""What the schema itself refuses, whatever code writes to it."""

from __future__ import annotations

import pytest
from pg8000.exceptions import DatabaseError  # type: ignore[import-untyped]

from shared.adapters.postgres import Session, error_facts

FOREIGN_KEY, CHECK, UNIQUE = "23503", "23514", "23505"
TRANSACTION = """
    INSERT INTO commerce.transactions (transaction_id, occurred_at, last_event_at, last_rank, change_seq, source_chunk,
        source_line, content_hash, version, user_key, product_key, flags, amount, currency, payment_method, status)
    VALUES ('t', now(), now(), 1, 1, 1, 1, gen_random_uuid(), 1, {user}, {product}, 0, {amount}, 'GBP', 'card',
        '{status}')
"""


def in_one_transaction(session: Session, statement: str) -> None:
    with session.transaction():
        session.rows(statement)


def refused_with(session: Session, statement: str) -> str:
    """The SQLSTATE by which a transaction of this statement is refused."""
    with pytest.raises(DatabaseError) as refusal:
        in_one_transaction(session, statement)
    return error_facts(refusal.value)[0]


def product(session: Session) -> int:
    text = """INSERT INTO commerce.products (product_id, inferred, version, change_seq, source_chunk)
              VALUES ('p', true, 0, 1, 1) RETURNING product_key"""
    return int(session.row(text)[0])


@pytest.mark.parametrize("user", ["NULL", "4711"])
def test_a_transaction_without_its_product_or_user_is_refused_at_commit(session: Session, user: str) -> None:
    known = product(session)
    unknown = known + 1 if user == "NULL" else known
    text = TRANSACTION.format(user=user, product=unknown, amount=1, status="completed")
    assert refused_with(session, text) == FOREIGN_KEY
    assert session.row("SELECT count(*) FROM commerce.transactions")[0] == 0


def test_a_product_that_a_transaction_names_cannot_be_deleted(session: Session) -> None:
    known = product(session)
    session.rows(TRANSACTION.format(user="NULL", product=known, amount=1, status="completed"))
    assert refused_with(session, f"DELETE FROM commerce.products WHERE product_key = {known}") == FOREIGN_KEY


@pytest.mark.parametrize(("amount", "status"), [(-1, "completed"), (1, "shipped")])
def test_a_negative_sale_and_an_unknown_status_are_refused(session: Session, amount: int, status: str) -> None:
    text = TRANSACTION.format(user="NULL", product=product(session), amount=amount, status=status)
    assert refused_with(session, text) == CHECK


def test_a_chunk_whose_outcomes_do_not_add_up_is_refused(session: Session) -> None:
    text = """INSERT INTO pipeline.chunk (chunk_id, source, day, received, inserted, state, loaded_xid)
              VALUES ('c', 'transactions', '2026-01-01', 10, 9, 'loaded', 1)"""
    assert refused_with(session, text) == CHECK


def test_a_password_that_is_not_an_argon2id_hash_is_refused(session: Session) -> None:
    user = """INSERT INTO commerce.users (user_id, inferred, version, change_seq, source_chunk)
              VALUES ('u', true, 0, 1, 1) RETURNING user_key"""
    key = session.row(user)[0]
    plain = f"INSERT INTO identity.credential (user_key, password_hash) VALUES ({key}, 'secret')"
    assert refused_with(session, plain) == CHECK
