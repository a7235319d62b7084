"""Another pass over a file: the same tables where nothing changed; a line that reads otherwise now is corrected."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

import pytest

from shared.adapters.loading import ChunkFacts, LoadCounts, load_chunk
from shared.adapters.postgres import Session
from shared.adapters.queries import query
from shared.domain.identity import content_hash
from tests.integration.postgres.rows import Txn, at, copy_text, facts, transactions

USER = "line content_hash flags user_id email registration_date country age_group customer_tier extra"
PRODUCT = "line event_at content_hash flags product_id name category price inventory_count supplier_id extra"
RATE = "line content_hash rate_date currency rate"
HISTORY = """SELECT country, seen, valid_from, valid_to FROM commerce.user_version ORDER BY recency"""


def register(session: Session, name: str, number: int = 0) -> str:
    """A file in the ledger, as a pass of the object."""
    identity = name if number == 0 else f"{name}@{number}"
    session.rows(
        """INSERT INTO pipeline.file (file_id, bucket, object_name, generation, size, landed_at, pass, reprocess_of)
           VALUES ($1, 'b', $2, 1, 1, now(), $3, $4)""",
        identity, name, number, name if number else None,
    )  # fmt: skip
    return identity


def load(
    session: Session, source: str, name: str, data: bytes, rows: int, number: int = 0, hours: float | None = None
) -> LoadCounts:
    identity = register(session, name, number)
    plain = facts(source, rows, recency=None if hours is None else at(hours))
    chunk = ChunkFacts(**{**vars(plain), "file_id": identity, "reprocessed": number > 0})
    return load_chunk(session, chunk, data)[1]


def people(*rows: tuple[str, str | None]) -> bytes:
    lines = [
        (n, content_hash([name, str(country)]), 0, name, f"{name}@example.org", "2024-05-17", country, "25-34", "gold",
         None)
        for n, (name, country) in enumerate(rows, 2)
    ]  # fmt: skip
    return copy_text(USER.split(), lines)


def products(*rows: tuple[str, float, str, int | None]) -> bytes:
    lines = [
        (n, at(hours), content_hash([name, price, str(stock)]), 0, name, "Spade", "garden", price, stock, "S1", None)
        for n, (name, hours, price, stock) in enumerate(rows, 1)
    ]
    return copy_text(PRODUCT.split(), lines)


def rates(rate: str) -> bytes:
    return copy_text(RATE.split(), [(2, content_hash([rate]), date(2025, 3, 1), "EUR", rate)])


def outcomes(counts: LoadCounts) -> dict[str, int]:
    return {name: count for name, count in vars(counts).items() if count and name != "received"}


def audited(session: Session) -> int:
    return int(session.row("SELECT count(*) FROM audit.change")[0])


def balanced(session: Session) -> bool:
    return all(row[3] for row in session.rows(query("verify_tables").sql))


def read(session: Session, text: str) -> Sequence[tuple[Any, ...]]:
    return session.rows(text)


@pytest.mark.parametrize("number", [1, 2])
def test_the_same_content_is_unchanged_and_not_audited(session: Session, number: int) -> None:
    rows = transactions([Txn("A"), Txn("B", hours=3), Txn("A", amount="7.0000"), Txn("B", hours=1, amount="2.0000")])
    first = load(session, "transactions", "f", rows, 4)
    assert outcomes(first) == {"inserted": 2, "quarantined": 1, "superseded": 1}
    before = audited(session)
    for again in range(1, number + 1):
        counts = load(session, "transactions", "f", rows, 4, again)
        assert outcomes(counts) == {"unchanged": 2, "quarantined": 1, "superseded": 1}
    assert audited(session) == before
    assert balanced(session)


def test_a_line_that_reads_otherwise_now_is_corrected_and_audited(session: Session) -> None:
    load(session, "transactions", "f", transactions([Txn("A", method="other"), Txn("B")]), 2)
    now = transactions([Txn("A", method="crypto"), Txn("B")])
    assert outcomes(load(session, "transactions", "f", now, 2, 1)) == {"updated": 1, "unchanged": 1}
    assert read(session, "SELECT payment_method, version FROM commerce.transactions ORDER BY transaction_id") == [
        ("crypto", 2), ("card", 1)
    ]  # fmt: skip
    assert audited(session) == 1
    assert outcomes(load(session, "transactions", "f", now, 2, 2)) == {"unchanged": 2}
    older = transactions([Txn("A", method="other"), Txn("B")])
    assert outcomes(load(session, "transactions", "f", older, 2, 3)) == {"updated": 1, "unchanged": 1}
    assert balanced(session)


def test_what_came_from_another_file_or_is_newer_is_left_alone(session: Session) -> None:
    load(session, "transactions", "other", transactions([Txn("A"), Txn("B")]), 2)
    load(session, "transactions", "f", transactions([Txn("A"), Txn("B")]), 2)
    load(session, "transactions", "newer", transactions([Txn("B", hours=5, amount="99.0000")]), 1)
    now = transactions([Txn("A", method="crypto"), Txn("B", method="crypto")])
    assert outcomes(load(session, "transactions", "f", now, 2, 1)) == {"quarantined": 1, "superseded": 1}
    assert read(session, "SELECT amount, payment_method FROM commerce.transactions ORDER BY transaction_id") == [
        (10, "card"), (99, "card")
    ]  # fmt: skip
    assert balanced(session)


def test_an_ordinary_file_corrects_nothing(session: Session) -> None:
    load(session, "transactions", "f", transactions([Txn("A")]), 1)
    assert outcomes(load(session, "transactions", "g", transactions([Txn("A", method="x")]), 1)) == {"quarantined": 1}


def test_a_user_is_corrected_with_the_history(session: Session) -> None:
    load(session, "users", "f", people(("U1", "GB"), ("U2", "FR")), 2, hours=1)
    load(session, "users", "later", people(("U2", "DE")), 1, hours=2)
    seq = session.row("SELECT max(change_seq) FROM commerce.user_version")[0]
    now = people(("U1", "UA"), ("U2", "IT"))
    assert outcomes(load(session, "users", "f", now, 2, 1, hours=1)) == {"updated": 1, "superseded": 1}
    text = """SELECT u.user_id, v.country, v.valid_from::text, v.change_seq > $1 FROM commerce.user_version v
              JOIN commerce.users u USING (user_key) ORDER BY 1, v.recency"""
    assert session.rows(text, seq) == [
        ("U1", "UA", "-infinity", True), ("U2", "IT", "-infinity", True), ("U2", "DE", str(at(2))[:19] + "+00", False)
    ]  # fmt: skip
    assert read(session, "SELECT country FROM commerce.users ORDER BY user_id") == [("UA",), ("DE",)]
    assert outcomes(load(session, "users", "f", now, 2, 2, hours=1)) == {"unchanged": 1, "superseded": 1}
    assert balanced(session)


def test_a_corrected_version_that_equals_its_neighbour_becomes_one_with_it(session: Session) -> None:
    load(session, "users", "a", people(("U1", "GB")), 1, hours=1)
    load(session, "users", "f", people(("U1", "FR")), 1, hours=2)
    load(session, "users", "c", people(("U1", "DE")), 1, hours=3)
    seq = session.row("SELECT max(change_seq) FROM commerce.user_version")[0]
    load(session, "users", "f", people(("U1", "GB")), 1, 1, hours=2)
    assert [(country, len(seen)) for country, seen, *_ in read(session, HISTORY)] == [("GB", 2), ("DE", 1)]
    changed = "SELECT country FROM commerce.user_version WHERE change_seq > $1"
    assert session.rows(changed, seq) == [("GB",)], "the feed must see that it holds longer now"
    load(session, "users", "a", people(("U1", "IT")), 1, 1, hours=1)
    assert [(country, len(seen)) for country, seen, *_ in read(session, HISTORY)] == [("IT", 1), ("GB", 1), ("DE", 1)]


def test_a_user_line_that_lost_within_its_file_does_not_touch_the_history(session: Session) -> None:
    load(session, "users", "f", people(("U1", "GB"), ("U1", "FR")), 2, hours=1)
    before = read(session, HISTORY)
    counts = load(session, "users", "f", people(("U1", "GB"), ("U1", "IT")), 2, 1, hours=1)
    assert outcomes(counts) == {"unchanged": 1, "quarantined": 1}
    assert read(session, HISTORY) == before


def test_a_product_is_corrected_with_its_history_and_stock(session: Session) -> None:
    load(session, "products", "f", products(("P1", 1, "5.00", 7), ("P2", 1, "3.00", 4)), 2)
    now = products(("P1", 1, "6.00", 8), ("P2", 1, "3.00", 4))
    assert outcomes(load(session, "products", "f", now, 2, 1)) == {"updated": 1, "unchanged": 1}
    text = """SELECT p.price, v.price, i.quantity FROM commerce.products p JOIN commerce.product_version v USING
              (product_key) JOIN commerce.inventory_level i USING (product_key) WHERE product_id = 'P1'"""
    (found,) = read(session, text)
    assert [str(value) for value in found] == ["6.00", "6.00", "8"]
    assert outcomes(load(session, "products", "f", now, 2, 2)) == {"unchanged": 2}
    assert balanced(session)


def test_a_rate_is_corrected(session: Session) -> None:
    load(session, "fx_rates", "f", rates("0.85"), 1, hours=1)
    assert outcomes(load(session, "fx_rates", "f", rates("0.86"), 1, 1, hours=1)) == {"updated": 1}
    assert outcomes(load(session, "fx_rates", "f", rates("0.86"), 1, 2, hours=1)) == {"unchanged": 1}
    assert balanced(session)
