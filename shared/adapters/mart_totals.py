"""Whether the marts agree with each other: each with daily_sales_summary, which is compared with Postgres itself.

Periods that are out of date are left out: a mart of the hour or of the night is behind on purpose.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from typing import Any

from shared.adapters.ports import Warehouse
from shared.adapters.postgres import Session
from shared.adapters.queries import rows_of
from shared.adapters.warehouse_sql import marts, warehouse_sql
from shared.domain.balance import DayTotals, Finding, compare
from shared.domain.marts import Mart

BASE = "marts.daily_sales_summary"
ALL = 1_000_000


def compare_marts(session: Session, warehouse: Warehouse, days: dict[str, date]) -> list[Finding]:
    """Rows and net revenue in base currency, period by period."""
    behind = {mart.name: _behind(session, mart) for mart in marts()}
    daily = {day: (rows, net) for day, rows, net in _totals(warehouse, BASE, days)}
    findings: list[Finding] = []
    for mart in marts():
        if mart.name == BASE:
            continue
        skipped = {*behind[mart.name], *(period for day in behind[BASE] for period in _of(mart, [day]))}
        truth = _by_period(mart, ((day, *found) for day, found in daily.items()), skipped)
        copy = _by_period(mart, _totals(warehouse, mart.name, days), skipped)
        findings += compare(mart.short, truth, copy, of="daily_sales_summary")
    return findings


def _behind(session: Session, mart: Mart) -> list[date]:
    return [period for period, _ in rows_of(session, "list_dirty", mart=mart.name, most=ALL)]


def _of(mart: Mart, days: list[date]) -> list[date]:
    return mart.periods({mart.reads[0]: days})


def _totals(warehouse: Warehouse, table: str, days: dict[str, date]) -> Iterable[tuple[date, int, Decimal]]:
    found = warehouse.run(warehouse_sql(table, "net_by_period"), days)
    return [(row["period"], row["transactions"], row["net"]) for row in found]


def _by_period(mart: Mart, rows: Iterable[tuple[date, int, Any]], skipped: set[date]) -> DayTotals:
    sums: dict[tuple[date, str], tuple[int, Decimal]] = {}
    for day, count, net in rows:
        (period,) = _of(mart, [day])
        if period not in skipped:
            known = sums.get((period, "net"), (0, Decimal(0)))
            sums[period, "net"] = (known[0] + count, known[1] + net)
    return sums
