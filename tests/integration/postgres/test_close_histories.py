"""Random histories with closes: the lines always sum to the sales, and what was closed stands to the byte."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared.adapters.postgres import connect
from shared.domain.closing import Month
from tests.integration.postgres.closing import Books, untouched
from tests.integration.postgres.rows import RANKS, START, Rate, Txn, load, load_rates
from tests.integration.postgres.target import Target
from tests.long import size

EXAMPLES = size(6, 60)
HOURS = [0, 1, 30, 700, 744, 760, 1500, 2200]
"""Times in March, April, May and June, and at the edges of months."""

sales = st.builds(
    Txn,
    id=st.sampled_from("ABCDE"),
    hours=st.sampled_from(HOURS),
    status=st.sampled_from(sorted(RANKS)),
    amount=st.sampled_from(["10.0000", "0.0050", "3.3300"]),
    currency=st.sampled_from(["GBP", "EUR"]),
    method=st.sampled_from(["card", "wallet"]),
)
rates = st.builds(
    Rate,
    day=st.sampled_from([START.date() + timedelta(days=days) for days in (0, 2, 32, 70)]),
    rate=st.sampled_from(["0.85000000", "0.91230000"]),
)
steps = st.lists(
    st.one_of(st.lists(sales, min_size=1, max_size=5), st.lists(rates, min_size=1, max_size=2), st.just("close")),
    min_size=3,
    max_size=9,
)


@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(history=steps)
def test_after_each_close_the_lines_sum_to_the_sales_and_none_ever_changes(
    new_target: Callable[[], Target], history: list[Any]
) -> None:
    session = connect(new_target(), "tests")
    books, turn = Books(session), None
    try:
        load(session, Txn("first", hours=1))
        for hour, step in enumerate([*history, "close", "close"], 1):
            if step != "close":
                with untouched(books):
                    _load(books, hour, step)
                continue
            books.feed()
            turn = (
                turn.following if turn else Month.of(session.row("SELECT min(sale_date) FROM commerce.transactions")[0])
            )
            with untouched(books):
                books.close(str(turn))
            assert books.differences(turn.following.first_day) == {}
    finally:
        session.close()


def _load(books: Books, hour: int, rows: list[Any]) -> None:
    if isinstance(rows[0], Txn):
        load(books.session, *rows)
    else:
        load_rates(books.session, hour, *{row.day: row for row in rows}.values())


def test_the_differences_that_the_histories_look_for_can_be_seen(new_target: Callable[[], Target]) -> None:
    session = connect(new_target(), "tests")
    books = Books(session)
    load(session, Txn("first", hours=1))
    books.feed()
    books.close("2025-03")
    load(session, Txn("late", hours=2))
    assert books.differences(date(2025, 4, 1)) != {}
    session.close()
