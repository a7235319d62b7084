"""The warehouse feed: which transactions it picks, what it says of them, and when it must stop."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta

import pytest

from shared.adapters.postgres import Session
from shared.adapters.queries import Value, query
from tests.integration.postgres.rows import (
    START,
    Product,
    Rate,
    Txn,
    User,
    load,
    load_products,
    load_rates,
    load_users,
)

DAY = START.date()


def run(session: Session, name: str, **params: Value) -> list[tuple[object, ...]]:
    statement = query(name)
    return session.rows(statement.sql, *statement.values(params))


def copy_rows(session: Session, name: str, **params: Value) -> list[dict[str, str]]:
    out = io.BytesIO()
    sql = query(name).literal(params)
    session.copy_out(f"COPY ({sql}) TO STDOUT WITH (FORMAT csv, HEADER, NULL '\\N')", out)
    return list(csv.DictReader(io.StringIO(out.getvalue().decode())))


class Feed:
    """Reads what changed, and moves on."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.days: list[str] = []

    def read(self) -> dict[str, dict[str, str]]:
        with self.session.transaction("ISOLATION LEVEL REPEATABLE READ"):
            ((position, _, next_position, system, timeline, problem),) = run(self.session, "read_feed_position")
            assert problem is None
            assert isinstance(position, int)
            run(self.session, "create_feed_selection")
            run(self.session, "select_changed_transactions", position=position)
            self.session.rows("ANALYZE feed_transaction")
            self.days = [str(row[0]) for row in run(self.session, "list_feed_days")]
            rows = copy_rows(self.session, "enrich_transactions", base_currency="GBP")
            moved: dict[str, Value] = {"position": next_position, "system_identifier": system, "timeline": timeline}  # type: ignore[dict-item]
            run(self.session, "move_feed_position", **moved)
        return {row["transaction_id"]: row for row in rows}


@pytest.fixture
def feed(session: Session) -> Feed:
    return Feed(session)


def test_everything_comes_once_and_then_only_what_changed(session: Session, feed: Feed) -> None:
    load(session, Txn("A", status="pending"), Txn("B"))
    assert set(feed.read()) == {"A", "B"}
    assert feed.read() == {}
    load(session, Txn("A", hours=1), replace(Txn("B"), hours=2))
    assert set(feed.read()) == {"A"}, "an unchanged row with a newer time is no news"


def test_a_row_that_moved_names_every_day_it_left(session: Session, feed: Feed) -> None:
    load(session, Txn("A", hours=60))
    load(session, Txn("A", hours=30))
    load(session, Txn("A", hours=2))
    feed.read()
    assert feed.days == ["2025-03-01", "2025-03-02", "2025-03-03"]


def test_a_slow_writer_is_not_skipped(session: Session, feed: Feed, open_session: Callable[[], Session]) -> None:
    load(session, Txn("A"))
    slow = open_session()
    with slow.transaction():
        slow.rows(
            "UPDATE commerce.transactions SET amount = 5, change_seq = pg_current_xact_id()::text::bigint "
            "WHERE transaction_id = 'A'"
        )
        load(session, Txn("B"))
        assert set(feed.read()) == {"A", "B"}
    rows = feed.read()
    assert rows["A"]["amount"] == "5.0000"


def test_a_user_that_arrives_late_corrects_only_the_sales_its_version_covers(session: Session, feed: Feed) -> None:
    load_users(session, 10, User(country="GB"))
    load(session, Txn("A", hours=1), Txn("B", hours=20), Txn("C", hours=40))
    assert {row["country"] for row in feed.read().values()} == {"GB"}
    load_users(session, 30, User(country="FR"))
    rows = feed.read()
    assert {id_: row["country"] for id_, row in rows.items()} == {"C": "FR"}
    load_users(session, 15, User(country="IT"))
    rows = feed.read()
    assert {id_: row["country"] for id_, row in rows.items()} == {"B": "IT"}


def test_the_first_file_that_names_a_parent_brings_its_sales_again(session: Session, feed: Feed) -> None:
    load(session, Txn("A"), Txn("B", user="U2", product="P2"))
    assert {row["flags"] for row in feed.read().values()} == {str(16 | 32)}
    load_products(session, Product())
    assert {id_: (row["flags"], row["category"]) for id_, row in feed.read().items()} == {"A": ("16", "garden")}
    load_users(session, 1, User())
    assert {id_: (row["flags"], row["quality_score"]) for id_, row in feed.read().items()} == {"A": ("0", "100")}


def test_a_rate_brings_the_sales_of_its_day_and_of_the_days_until_the_next(session: Session, feed: Feed) -> None:
    eur = [replace(Txn(f"D{day}"), hours=day * 24, currency="EUR") for day in range(6)]
    load(session, *eur, Txn("G", hours=72))
    assert [row["flags"] for id_, row in sorted(feed.read().items())][:6] == [str(16 | 32 | 128)] * 6
    load_rates(session, 1, Rate(DAY + timedelta(days=1), "0.50000000"), Rate(DAY + timedelta(days=4), "0.25000000"))
    rows = feed.read()
    assert {id_: row["amount_base"] for id_, row in rows.items()} == {
        "D1": "5.00", "D2": "5.00", "D3": "5.00", "D4": "2.50", "D5": "2.50",
    }  # fmt: skip
    load_rates(session, 2, Rate(DAY + timedelta(days=2), "0.40000000"))
    assert {id_: row["amount_base"] for id_, row in feed.read().items()} == {"D2": "4.00", "D3": "4.00"}


@pytest.mark.parametrize(
    ("status", "amount", "revenue"),
    [
        ("completed", "10.0000", ("10.0000", "0.0000", "10.0000")),
        ("refunded", "10.0000", ("10.0000", "10.0000", "0.0000")),
        ("refunded", "-4.0000", ("0.0000", "4.0000", "-4.0000")),
        ("pending", "10.0000", ("0.0000", "0.0000", "0.0000")),
        ("failed", "10.0000", ("0.0000", "0.0000", "0.0000")),
    ],
)
def test_revenue_follows_the_rule(
    session: Session, feed: Feed, status: str, amount: str, revenue: tuple[str, ...]
) -> None:
    load(session, Txn(status=status, amount=amount))
    row = feed.read()["T1"]
    assert (row["gross"], row["refunds"], row["net"]) == revenue
    assert (row["gross_base"], row["refunds_base"], row["net_base"]) == tuple(text[:-2] for text in revenue)


@pytest.mark.parametrize(("amount", "mismatch"), [("5.0000", 0), ("15.0000", 0), ("7.5000", 64), ("0.0000", 64)])
def test_an_amount_that_is_no_multiple_of_the_list_price_is_flagged(
    session: Session, feed: Feed, amount: str, mismatch: int
) -> None:
    load_products(session, Product(price="5.00"))
    load(session, Txn(amount=amount, user=None, flags=2))
    assert int(feed.read()["T1"]["flags"]) == 2 | mismatch


def test_a_guest_is_a_guest_and_lineage_names_the_chunk(session: Session, feed: Feed) -> None:
    load(session, Txn(user=None, flags=2 | 8), chunk_id="the-chunk")
    row = feed.read()["T1"]
    assert (row["is_guest"], row["is_late"], row["user_key"]) == ("t", "t", r"\N")
    assert (row["source_chunk"], row["source_line"]) == ("the-chunk", "1")


def test_the_users_of_the_feed_carry_nothing_that_names_a_person(session: Session) -> None:
    load_users(session, 1, User())
    (row,) = copy_rows(session, "enrich_users", position=0)
    assert row == {
        "user_key": "1", "registration_month": "2024-05-01", "country": "GB", "age_group": "25-34",
        "customer_tier": "gold", "inferred": "f",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ("system_identifier = 1", "a restore, a clone or a promotion"),
        ("timeline = 99", "a restore, a clone or a promotion"),
        ("position = 9000000000", "ahead of this database"),
    ],
)
def test_a_position_of_another_cluster_stops_the_feed(session: Session, feed: Feed, change: str, words: str) -> None:
    feed.read()
    session.rows(f"UPDATE pipeline.feed_position SET {change}")
    assert words in str(run(session, "read_feed_position")[0][-1])


def plan(session: Session, sql: str, *params: object) -> str:
    return "\n".join(row[0] for row in session.rows(f"EXPLAIN {sql}", *params))


def test_a_small_change_is_found_by_the_index(session: Session) -> None:
    chunks: list[Sequence[Txn]] = [[Txn(f"T{c}-{n}") for n in range(5_000)] for c in range(4)]
    for chunk in chunks:
        load(session, *chunk)
    session.rows("ANALYZE")
    position = session.row("SELECT max(change_seq) FROM commerce.transactions")[0]
    statement = query("select_changed_transactions")
    with session.transaction():
        run(session, "create_feed_selection")
        text = plan(session, statement.sql.replace("$1", str(position + 1)))
    assert "transactions_change_seq" in text
    assert "Seq Scan on transactions" not in text


def test_a_row_whose_chunk_the_ledger_lost_is_fed_with_the_number_of_its_key(session: Session, feed: Feed) -> None:
    load(session, Txn("A"))
    (key,) = session.row("SELECT source_chunk FROM commerce.transactions")
    session.rows("DELETE FROM pipeline.chunk WHERE chunk_key = $1", key)
    assert feed.read()["A"]["source_chunk"] == f"key {key}"
