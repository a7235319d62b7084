"""The month-end close: what it books, what it refuses, and that the database keeps what was closed."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from pg8000.exceptions import DatabaseError  # type: ignore[import-untyped]

from shared.adapters.closing import open_day
from shared.adapters.month_close import list_closes
from shared.adapters.postgres import Session, error_facts
from shared.errors import OrderRefused
from tests.integration.postgres.closing import Books, untouched
from tests.integration.postgres.rows import Rate, Txn, load, load_rates

MARCH, APRIL, MAY = date(2025, 3, 1), date(2025, 4, 1), date(2025, 5, 1)
SALE = Txn("A", hours=5)
IN_APRIL = 31 * 24 + 5


@pytest.fixture
def books(session: Session) -> Books:
    """Two sales in March and one in April, fed."""
    load(session, SALE, Txn("B", hours=30, amount="-4.0000", status="refunded"), Txn("C", hours=IN_APRIL))
    made = Books(session)
    made.feed()
    return made


def refused(books: Books, month: str) -> tuple[str, str]:
    with pytest.raises(OrderRefused) as found:
        books.close(month)
    assert books.session.row("SELECT count(*) FROM finance.close WHERE period = ($1 || '-01')::date", month)[0] in (
        0,
        1,
    )
    return found.value.reason, str(found.value)


def test_a_close_books_every_sale_of_the_month(books: Books) -> None:
    result = books.close("2025-03")
    assert (result["lines"], result["adjustments"], result["transactions"]) == (2, 0, 2)
    assert [str(result[name]) for name in ("gross_base", "refunds_base", "net_base")] == ["10.00", "4.00", "6.00"]
    assert {line[2] for line in books.lines()} == {"sale"}
    assert books.differences(APRIL) == {}
    totals = books.session.rows("SELECT store, currency, transactions, amount FROM finance.close_total ORDER BY 1")
    assert totals == [(store, "GBP", 2, Decimal("6.0000")) for store in ("bigquery", "lines", "mart", "postgres")]
    assert open_day(books.session) == date(2000, 1, 1)
    books.session.rows("UPDATE finance.close SET published_at = now()")
    assert open_day(books.session) == APRIL


def test_a_later_change_of_a_closed_month_is_an_adjustment_of_the_next_close(books: Books) -> None:
    books.close("2025-03")
    load(books.session, replace(SALE, hours=50, status="refunded"), Txn("D", hours=9, amount="1.0000"))
    books.feed()
    with untouched(books):
        assert books.close("2025-04")["adjustments"] == 2
    found = [(line[1], line[5], line[6], line[10]) for line in books.lines(APRIL) if line[2] == "adjustment"]
    day = MARCH
    assert found == [
        (day, "completed", 0, Decimal("-9.0000")),
        (day, "refunded", 1, Decimal("0.0000")),
    ]
    assert books.differences(MAY) == {}


def test_a_rate_that_comes_late_is_an_adjustment_in_base_currency_alone(session: Session) -> None:
    load(session, replace(SALE, currency="EUR"))
    books = Books(session)
    books.feed()
    assert books.close("2025-03")["transactions_without_rate"] == 1
    load_rates(session, 1, Rate(MARCH, "0.85000000"))
    assert refused(books, "2025-04")[0] == "unaccounted", "the rate is not in BigQuery yet"
    books.feed()
    books.close("2025-04")
    (line,) = books.lines(APRIL)
    assert line[6:] == (
        0, *[Decimal("0.0000")] * 4, Decimal("8.50"), Decimal("0.00"), Decimal("8.50"), Decimal("0.85000000"), -1
    )  # fmt: skip


def test_a_currency_that_its_closed_sales_have_left_keeps_no_later_month_open(session: Session) -> None:
    load(session, replace(SALE, currency="EUR"))
    books = Books(session)
    books.feed()
    books.close("2025-03")
    load(session, replace(SALE, currency="GBP", hours=SALE.hours + 1))
    books.feed()
    books.off = {"marts.financial_reports": {(MARCH, "EUR"): (0, Decimal(0))}}  # its line and its adjustment
    assert books.close("2025-04")["adjustments"] == 2
    assert books.differences(MAY) == {}
    sql = "SELECT store, currency, transactions FROM finance.close_total WHERE period = $1 ORDER BY 1"
    assert session.rows(sql, APRIL) == [(store, "GBP", 1) for store in ("bigquery", "lines", "mart", "postgres")]


def test_a_month_without_sales_or_changes_is_closed_without_lines(books: Books) -> None:
    books.close("2025-03")
    books.close("2025-04")
    assert books.close("2025-05")["lines"] == 0
    assert [close["month"] for close in list_closes(books.session)] == ["2025-03", "2025-04", "2025-05"]


def test_what_is_not_the_turn_of_a_month_is_refused_and_the_right_one_named(books: Books) -> None:
    assert refused(books, "2025-3")[0] == "malformed"
    assert refused(books, "2025-04") == ("earlier_month_open", "2025-03 has sales and is open; close it before 2025-04")
    assert refused(books, "2025-02")[0] == "no_sales"
    books.close("2025-03")
    assert refused(books, "2025-03")[0] == "already_closed"
    assert refused(books, "2025-02")[0] == "before_the_books"
    assert refused(books, "2025-05") == ("earlier_month_open", "2025-04 is open; close it before 2025-05")
    books.base_currency = "EUR"
    assert refused(books, "2025-04")[0] == "base_currency_changed"


@pytest.mark.parametrize(("day", "over"), [(31, False), (32, True)])
def test_a_month_is_closed_from_the_day_after_it_on(books: Books, day: int, over: bool) -> None:
    books.now = datetime(2025, 3, 31, 23, 59, tzinfo=UTC) if day == 31 else datetime(2025, 4, 1, tzinfo=UTC)
    if over:
        books.close("2025-03")
    else:
        assert refused(books, "2025-03")[0] == "month_not_over"


def test_nothing_to_close_is_refused(session: Session) -> None:
    assert refused(Books(session), "2025-03")[0] == "no_sales"


@pytest.mark.parametrize(
    "waiting",
    [
        "INSERT INTO pipeline.file (file_id, bucket, object_name, generation, size, landed_at) "
        "VALUES ('f', 'b', 'late.csv', 1, 1, now())",
        "INSERT INTO pipeline.chunk (chunk_id, source, day, received) VALUES ('p', 'transactions', '2025-03-01', 5)",
        "INSERT INTO pipeline.chunk (chunk_id, source, day, received, valid, held, state, held_at) "
        "VALUES ('h', 'transactions', '2025-03-01', 5, 1, 5, 'held', now())",
        "INSERT INTO pipeline.feed_batch (position, next_position) VALUES (1, 1)",
        "UPDATE commerce.transactions SET change_seq = pg_current_xact_id()::text::bigint",
    ],
    ids=["a file being cut", "a chunk pending", "a chunk held", "a feed not built", "a sale not fed"],
)
def test_while_something_is_under_way_a_close_is_refused(books: Books, waiting: str) -> None:
    books.session.rows(waiting)
    assert refused(books, "2025-03")[0] == "unaccounted"
    assert books.lines() == []


def test_stores_that_differ_in_the_month_refuse_it_and_later_days_do_not_matter(books: Books) -> None:
    later = {(date(2025, 4, 2), "GBP"): (9, Decimal(9))}
    books.off = {"sales.transactions": later, "marts.financial_reports": later}
    books.close("2025-03", dry_run=True)
    books.off = {"sales.transactions": {(MARCH, "GBP"): (1, Decimal("10.0001"))}}
    reason, told = refused(books, "2025-03")
    assert reason == "stores_differ"
    assert "BigQuery 2025-03-01 GBP: Postgres has 1 rows, 10.0000" in told
    books.off = {"marts.financial_reports": {(MARCH, "GBP"): (0, Decimal(0))}}
    assert refused(books, "2025-03")[0] == "mart_behind"


def test_a_dry_run_says_what_would_be_booked_and_books_nothing(books: Books) -> None:
    told = books.close("2025-03", dry_run=True)
    assert (told["dry_run"], told["lines"], str(told["net_base"])) == (True, 2, "6.00")
    assert books.lines() == []
    assert books.session.rows("SELECT FROM audit.operator_action") == []


def test_the_same_request_gets_its_first_result_and_an_order_cut_off_finds_its_own_close(books: Books) -> None:
    first = books.close("2025-03", "k")
    again = books.close("2025-03", "k")
    assert again.pop("repeated") is True
    assert {name: str(value) for name, value in again.items()} == {name: str(value) for name, value in first.items()}
    books.session.rows("ALTER TABLE audit.operator_result DISABLE TRIGGER refuse")
    books.session.rows("DELETE FROM audit.operator_result")  # as if it was killed before the result was on record
    assert books.close("2025-03", "k") == first
    (close,) = list_closes(books.session)
    assert close["operator"] == "someone@example.org"


@pytest.mark.parametrize("table", ["close", "close_line", "close_total"])
@pytest.mark.parametrize(
    "statement", ["DELETE FROM finance.{}", "TRUNCATE finance.{} CASCADE", "UPDATE finance.{} SET period = period"]
)
def test_the_database_refuses_to_change_what_is_closed(books: Books, table: str, statement: str) -> None:
    books.close("2025-03")
    if (table, statement[:6]) == ("close", "UPDATE"):
        books.session.rows("UPDATE finance.close SET published_at = now()")
    assert sqlstate(books, statement.format(table)) == "42501"


@pytest.mark.parametrize(
    ("statement", "state"),
    [
        ("UPDATE finance.close SET net_base = net_base, operator = 'x', published_at = now()", "42501"),
        ("UPDATE finance.close SET published_at = NULL", "42501"),
        ("INSERT INTO finance.close_line SELECT period, sale_date, entry, 'USD', payment_method, status, transactions, "
         "amount, gross, refunds, net, gross_base, refunds_base, net_base, rate, 0 FROM finance.close_line", "42501"),
        ("INSERT INTO finance.close_total VALUES ('2025-03-01', 'postgres', 'USD', 1, 1)", "42501"),
        ("INSERT INTO finance.close (period, action_id, operator, base_currency, lines, adjustments, transactions, "
         "gross_base, refunds_base, net_base, transactions_without_rate) "
         "VALUES ('2025-05-01', 1, 'x', 'GBP', 0, 0, 0, 0, 0, 0, 0)", "23514"),
    ],
    ids=["another column", "not published", "a line more", "a total more", "a gap"],
)  # fmt: skip
def test_the_database_refuses_what_no_close_does(books: Books, statement: str, state: str) -> None:
    books.close("2025-03")
    assert sqlstate(books, statement) == state


def sqlstate(books: Books, statement: str) -> str:
    with untouched(books), pytest.raises(DatabaseError) as refusal:
        books.session.rows(statement)
    return error_facts(refusal.value)[0]
