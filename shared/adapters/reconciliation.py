"""Collecting what verify compares: the ledger, Postgres, BigQuery and the mart."""

from __future__ import annotations

from datetime import date

from shared.adapters.mart_totals import compare_marts
from shared.adapters.ports import Warehouse
from shared.adapters.postgres import Session
from shared.adapters.queries import rows_of
from shared.adapters.refeeds import FIRST_DAY, LAST_DAY
from shared.adapters.warehouse_sql import marts, warehouse_sql
from shared.domain.balance import Account, DayTotals, Finding, compare

FACT = "sales.transactions"
MART = "marts.daily_sales_summary"
ALL_DAYS = {"first_day": FIRST_DAY, "last_day": LAST_DAY}


def verify(session: Session, warehouse: Warehouse) -> list[Finding]:
    """Everything that is off; empty where all is balanced and nothing is pending or stuck."""
    findings = open_findings(session)
    postgres = postgres_totals(session)
    findings += compare("warehouse", postgres, warehouse_totals(warehouse, FACT))
    findings += compare("daily_sales_summary", postgres, warehouse_totals(warehouse, MART))
    return findings + compare_marts(session, warehouse, ALL_DAYS)


def open_findings(session: Session) -> list[Finding]:
    """What is off in Postgres alone: accounts, rows and orders that are pending, feeds that are not through."""
    accounts = [
        Account(*row) for name in ("chunks", "files", "days", "overall") for row in rows_of(session, f"verify_{name}")
    ]
    findings = [finding for account in accounts for finding in account.findings()]
    for table, standing, counted, balanced in rows_of(session, "verify_tables"):
        if not balanced:
            told = f"the ledger inserted {counted:,} rows, the table has {standing:,}"
            findings.append(Finding("mismatch", f"table {table}", told))
    findings += [Finding("pending", where, told) for where, told in rows_of(session, "verify_decisions")]
    findings += [Finding("stuck", where, told) for where, told in rows_of(session, "find_stuck", marts=following())]
    return findings


def following() -> list[str]:
    """The marts that follow each load; the others may be behind until their hour."""
    return [mart.name for mart in marts() if mart.cadence == "load"]


def postgres_totals(session: Session) -> DayTotals:
    """Rows and amount of each day and currency in the system of record."""
    return {(day, currency): (rows, amount) for day, currency, rows, amount in rows_of(session, "total_transactions")}


def warehouse_totals(warehouse: Warehouse, table: str, last_day: date = LAST_DAY) -> DayTotals:
    """The same of a table of the warehouse, up to a day of sale."""
    rows = warehouse.run(warehouse_sql(table, "totals"), {"first_day": FIRST_DAY, "last_day": last_day})
    return {(row["sale_date"], row["currency"]): (row["transactions"], row["amount"]) for row in rows}
