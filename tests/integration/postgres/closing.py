"""What the tests of the close share: a database whose sales are fed, and a warehouse that holds what it is told to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any

from shared.adapters.actions import Result
from shared.adapters.memory import MemoryStore, MemoryWarehouse
from shared.adapters.month_close import CloseAsk, Office, perform
from shared.adapters.postgres import Session
from shared.adapters.queries import rows_of
from shared.adapters.reconciliation import postgres_totals
from tests.functions.harness import unique

LONG_AFTER = datetime(2026, 1, 1, tzinfo=UTC)
LIVE = """
    SELECT t.sale_date, t.currency, t.payment_method, t.status, count(*), sum(t.amount), sum(m.net),
           coalesce(sum(m.net_base), 0), count(*) FILTER (WHERE r.rate IS NULL)
    FROM commerce.transactions t
    CROSS JOIN LATERAL commerce.rate_on(t.currency, t.sale_date, 'GBP') r
    CROSS JOIN LATERAL commerce.revenue(t.status, t.amount, r.rate) m
    WHERE t.sale_date < $1 GROUP BY 1, 2, 3, 4
"""
BOOKED = """
    SELECT sale_date, currency, payment_method, status, sum(transactions), sum(amount), sum(net), sum(net_base),
           sum(transactions_without_rate)
    FROM finance.close_line GROUP BY 1, 2, 3, 4
"""


@dataclass
class Books:
    """Closes months of a database; BigQuery and the mart hold what Postgres holds, unless a test says otherwise."""

    session: Session
    now: datetime = LONG_AFTER
    base_currency: str = "GBP"
    off: dict[str, Mapping[tuple[date, str], Any]] = field(default_factory=dict)

    def feed(self) -> None:
        """Everything that changed so far is through."""
        with self.session.transaction("ISOLATION LEVEL REPEATABLE READ"):
            _, _, following, system, timeline, _ = rows_of(self.session, "read_feed_position")[0]
            rows_of(
                self.session, "move_feed_position", position=following, system_identifier=system, timeline=timeline
            )  # fmt: skip

    def close(self, month: str, key: str | None = None, *, dry_run: bool = False) -> Result:
        office = Office(self.session, MemoryWarehouse(MemoryStore(), self._answer), self.base_currency, self.now)
        return perform(CloseAsk(month=month, dry_run=dry_run), key or unique("key"), "someone@example.org", office)

    def _answer(self, sql: str, params: Mapping[str, Any]) -> list[Mapping[str, Any]]:
        table = next(name for name in ("sales.transactions", "marts.financial_reports") if f"FROM {name}" in sql)
        totals = {**postgres_totals(self.session), **self.off.get(table, {})}
        return [
            {"sale_date": day, "currency": currency, "transactions": rows, "amount": amount}
            for (day, currency), (rows, amount) in totals.items()
            if day <= params["last_day"]
        ]

    def lines(self, period: date | None = None) -> list[tuple[Any, ...]]:
        chosen = "SELECT * FROM finance.close_line WHERE $1::date IS NULL OR period = $1::date"
        return self.session.rows(f"{chosen} ORDER BY 1, 2, 3, 4, 5, 6", period)

    def differences(self, before: date) -> dict[Any, Any]:
        """Where the lines do not sum to the sales of now; empty right after a close."""
        live = {row[:4]: row[4:] for row in self.session.rows(LIVE, before)}
        booked = {row[:4]: row[4:] for row in self.session.rows(BOOKED) if any(row[4:])}
        return {
            key: (live.get(key), booked.get(key)) for key in live.keys() | booked if live.get(key) != booked.get(key)
        }


@contextmanager
def untouched(books: Books) -> Iterator[None]:
    """What is booked stays as it is, to the byte."""
    periods = {row[0] for row in books.lines()}
    before = {period: books.lines(period) for period in periods}
    yield
    assert {period: books.lines(period) for period in periods} == before
