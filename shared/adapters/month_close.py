"""The month-end close: what an operator orders, what must hold first, and the one transaction that books the month."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

import msgspec

from shared.adapters.actions import Order, Result, carry_out
from shared.adapters.choosing import Chosen
from shared.adapters.deciding import list_held
from shared.adapters.feeds import one_at_a_time
from shared.adapters.ports import Warehouse
from shared.adapters.postgres import Session
from shared.adapters.queries import rows_of
from shared.adapters.reconciliation import FACT, open_findings, postgres_totals, warehouse_totals
from shared.domain.balance import DayTotals, Finding, compare
from shared.domain.closing import Books, Month, by_currency
from shared.errors import Inconsistent, OrderRefused

REPORTS = "marts.financial_reports"
MOST_TOLD = 3
COLUMNS = (
    "month", "closed_at", "operator", "base_currency", "lines", "adjustments", "transactions", "gross_base",
    "refunds_base", "net_base", "transactions_without_rate", "action_id", "published_at",
)  # fmt: skip
SUMS = COLUMNS[4:11]
Totals = Mapping[str, DayTotals]
"""What each store has of every day of sale up to the month's end."""


class CloseAsk(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An order to close a month (YYYY-MM); with `dry_run` only to check it and say what would be booked."""

    month: str
    dry_run: bool = False


@dataclass(frozen=True)
class Office:
    """What a month is closed with; `now` is the time of the order."""

    session: Session
    warehouse: Warehouse
    base_currency: str
    now: datetime


def perform(ask: CloseAsk, request_id: str, operator: str, office: Office) -> Result:
    """Close the month, once. Raises OrderRefused with what to do first, LockTimeout while a feed is on its way."""
    month = Month.read(ask.month)
    if ask.dry_run:
        with _drafted(month, office):
            return {"dry_run": True, "month": str(month), **_draft_sums(office.session)}
    order = Order(request_id, operator, "close_month", {"month": str(month)}, {"base_currency": office.base_currency})
    return carry_out(office.session, order, lambda action_id: _close(month, action_id, operator, office))


def list_closes(session: Session) -> list[Result]:
    """Every closed month with its sums, oldest first."""
    return [
        dict(zip(COLUMNS, (str(Month(period)), *rest), strict=True))
        for period, *rest in rows_of(session, "list_closes")
    ]


def _close(month: Month, action_id: int, operator: str, office: Office) -> Result:
    """Book the month; an order that was cut off after it had booked it finds its own close."""
    if not _closed_by(office.session, action_id):
        with _drafted(month, office) as totals:
            _book(month, action_id, operator, office, totals)
    (mine,) = _closed_by(office.session, action_id)
    return {name: mine[name] for name in ("month", "closed_at", "base_currency", *SUMS)}


def _closed_by(session: Session, action_id: int) -> list[Result]:
    return [close for close in list_closes(session) if close["action_id"] == action_id]


@contextmanager
def _drafted(month: Month, office: Office) -> Iterator[Totals]:
    """Check everything and draft the lines, in one snapshot; what the caller does is of the same transaction.

    No feed is exported or merged meanwhile, so BigQuery may be read before the snapshot is taken, and two closes never
    run at once.
    """
    session = office.session
    with one_at_a_time(session, "enrich", wait=True), one_at_a_time(session, "load_warehouse", wait=True):
        Books(*rows_of(session, "read_close_state")[0]).check_turn(month, office.now.date(), office.base_currency)
        last_day = month.last_day
        copies = {
            "bigquery": warehouse_totals(office.warehouse, FACT, last_day),
            "mart": warehouse_totals(office.warehouse, REPORTS, last_day),
        }
        with session.transaction("ISOLATION LEVEL REPEATABLE READ"):
            _check_accounted(session)
            truth = {key: total for key, total in postgres_totals(session).items() if key[0] <= last_day}
            _check_equal("stores_differ", "look with `sluice verify`", compare("BigQuery", truth, copies["bigquery"]))
            _check_equal("mart_behind", f"build {REPORTS} first", compare(REPORTS, truth, copies["mart"]))
            rows_of(session, "create_close_draft")
            rows_of(
                session, "draft_close_lines", period=month.first_day, next_period=month.following.first_day,
                base_currency=office.base_currency,
            )  # fmt: skip
            yield {"postgres": truth, **copies}


def _check_accounted(session: Session) -> None:
    """Raises OrderRefused while a row may still be on its way: to Postgres, or from it to BigQuery."""
    ((position, *_, problem),) = rows_of(session, "read_feed_position")
    findings = open_findings(session)
    held = [Finding("held", f"chunk {chunk.chunk_id}", "is held") for chunk in list_held(session, Chosen())]
    if problem:
        findings.append(Finding("stuck", "feed", problem))
    rows_of(session, "create_feed_selection")
    rows_of(session, "select_changed_transactions", position=position)
    if rows_of(session, "any_changed_transactions")[0][0]:
        findings.append(Finding("stuck", "feed", "a user, product, rate or sale changed since the last feed"))
    _check_equal("unaccounted", "bring it through first; see `sluice verify` and `sluice held list`", held + findings)


def _check_equal(reason: str, advice: str, findings: Sequence[Finding]) -> None:
    if findings:
        told = "; ".join(f"{one.where}: {one.told}" for one in findings[:MOST_TOLD])
        more = f" and {len(findings) - MOST_TOLD:,} more" if len(findings) > MOST_TOLD else ""
        raise OrderRefused(reason, f"{told}{more}; {advice}")


def _draft_sums(session: Session) -> Result:
    return dict(zip(SUMS, rows_of(session, "sum_close_draft")[0], strict=True))


def _book(month: Month, action_id: int, operator: str, office: Office, totals: Totals) -> None:
    """Write close, lines and totals. Raises Inconsistent where all lines together are not what the sales are now."""
    session = office.session
    sums = {name: str(value) for name, value in _draft_sums(session).items()}
    rows_of(
        session, "record_close", period=month.first_day, action_id=action_id, operator=operator,
        base_currency=office.base_currency, **sums,
    )  # fmt: skip
    rows_of(session, "record_close_lines")
    by_store = {store: by_currency(days) for store, days in totals.items()}
    lines = {currency: (rows, amount) for currency, rows, amount in rows_of(session, "sum_close_lines")}
    if lines != by_store["postgres"]:
        raise Inconsistent("close_unbalanced", f"the lines up to {month} do not sum to the sales; nothing was closed")
    listed = [
        {"store": store, "currency": currency, "transactions": rows, "amount": str(amount)}
        for store, found in {**by_store, "lines": lines}.items()
        for currency, (rows, amount) in found.items()
    ]
    rows_of(session, "record_close_totals", period=month.first_day, totals=json.dumps(listed))
