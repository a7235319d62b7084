"""Who changed what: on every update and delete, without a person's data, and never to be altered."""

from __future__ import annotations

import hashlib
import hmac
import uuid

import pytest
from pg8000.exceptions import DatabaseError  # type: ignore[import-untyped]

from shared.adapters.postgres import Session
from tests.integration.postgres.rows import Product, Txn, User, at, load, load_products, load_users


def test_an_update_is_audited_with_before_after_and_who(session: Session) -> None:
    load(session, Txn(status="pending"))
    load(session, Txn(hours=1, status="completed"))
    ((who, application, table, row_id, before, after, chunk),) = session.rows(
        "SELECT changed_by, application, table_name, row_id, before ->> 'status', after ->> 'status', source_chunk "
        "FROM audit.change"
    )
    assert (application, table, row_id, before, after) == (
        "tests",
        "commerce.transactions",
        "T1",
        "pending",
        "completed",
    )
    assert who
    assert chunk == session.row("SELECT source_chunk FROM commerce.transactions")[0]


def test_a_change_by_hand_and_a_delete_are_audited_too(session: Session) -> None:
    load(session, Txn(), Txn("T2"))
    session.rows("UPDATE commerce.transactions SET amount = 3 WHERE transaction_id = 'T1'")
    session.rows("DELETE FROM commerce.transactions WHERE transaction_id = 'T2'")
    assert session.rows("SELECT row_id, after IS NULL FROM audit.change ORDER BY change_id") == [
        ("T1", False),
        ("T2", True),
    ]


def test_10000_updated_rows_are_audited_in_one_go(session: Session) -> None:
    rows = [Txn(f"T{n}", status="pending") for n in range(10_000)]
    load(session, *rows)
    assert load(session, *[Txn(row.id, hours=1) for row in rows]).updated == 10_000
    assert session.row("SELECT count(*) FROM audit.change") == (10_000,)


def test_product_changes_are_audited(session: Session) -> None:
    load_products(session, Product())
    load_products(session, Product(hours=1, price="6.00"))
    assert session.rows("SELECT table_name, before ->> 'price', after ->> 'price' FROM audit.change ORDER BY 1") == [
        ("commerce.product_version", "5.00", "5.00"),
        ("commerce.products", "5.00", "6.00"),
    ]


def test_of_a_person_only_names_of_columns_and_keyed_hashes_are_kept(session: Session) -> None:
    load_users(session, 1, User(email="old@example.org"))
    salt = session.row("SELECT hash_salt FROM identity.contact")[0]
    load_users(session, 2, User(email="new@example.org"))
    (before, after) = session.row("SELECT before, after FROM audit.change WHERE table_name = 'identity.contact'")
    key = uuid.UUID(str(salt)).bytes
    assert before == {"email": hmac.new(key, b"old@example.org", hashlib.sha256).hexdigest()}
    assert after == {"email": hmac.new(key, b"new@example.org", hashlib.sha256).hexdigest()}
    everything = str(session.rows("SELECT before, after FROM audit.change"))
    assert "example.org" not in everything
    assert "content_hash" not in everything


def test_erasing_a_contact_leaves_names_of_columns_alone(session: Session) -> None:
    load_users(session, 1, User())
    session.rows("DELETE FROM identity.contact")
    assert session.row("SELECT before, after FROM audit.change") == ({"email": None, "user_key": None}, None)


def test_a_password_must_be_an_argon2id_hash(session: Session) -> None:
    load_users(session, 1, User())
    with pytest.raises(DatabaseError, match="credential_password_hash_check"):
        session.rows("INSERT INTO identity.credential (user_key, password_hash) VALUES (1, 'secret')")


@pytest.mark.parametrize(
    "statement", ["UPDATE audit.change SET row_id = 'x'", "DELETE FROM audit.change", "TRUNCATE audit.change"]
)
def test_the_audit_is_append_only(session: Session, statement: str) -> None:
    with pytest.raises(DatabaseError, match="append-only"):
        session.rows(statement)


def test_a_silent_recency_is_not_audited_for_products(session: Session) -> None:
    load_products(session, Product())
    assert load_products(session, Product(hours=4)).unchanged == 1
    assert session.row("SELECT count(*) FROM audit.change") == (0,)
    assert session.row("SELECT recency FROM commerce.products") == (at(4),)
