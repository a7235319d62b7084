"""The accounting equation, and whether two stores hold the same rows and money. Pure.

received = inserted + updated + unchanged + superseded + quarantined + held + pending
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

DayTotals = Mapping[tuple[date, str], tuple[int, Decimal]]
"""Rows and the sum of amount for each day of sale and currency."""


@dataclass(frozen=True)
class Finding:
    """One thing that is off: of what kind, where, and what was found."""

    kind: str
    where: str
    told: str


@dataclass(frozen=True)
class Account:
    """One line of the ledger: a chunk, a file, a day of a source, or everything."""

    where: str
    received: int
    inserted: int
    updated: int
    unchanged: int
    superseded: int
    quarantined: int
    held: int
    pending: int
    quarantine_rows: int
    """Rows of the quarantine that belong to the account; must be as many as `quarantined`."""

    def findings(self) -> Iterable[Finding]:
        """What is off with this account."""
        outcomes = self.inserted + self.updated + self.unchanged + self.superseded + self.quarantined + self.held
        if self.received != outcomes + self.pending:
            told = f"received {self.received:,} rows, accounted for {outcomes + self.pending:,}"
            yield Finding("unbalanced", self.where, told)
        if self.pending:
            yield Finding("pending", self.where, f"{self.pending:,} of {self.received:,} rows have no outcome yet")
        if self.quarantined != self.quarantine_rows:
            told = f"{self.quarantined:,} rows counted as quarantined, {self.quarantine_rows:,} are there"
            yield Finding("quarantine", self.where, told)


def compare(name: str, truth: DayTotals, copy: DayTotals, of: str = "Postgres") -> list[Finding]:
    """Every day and currency in which a copy differs from the system of record, or from what it is derived `of`."""
    findings = []
    for key in sorted(truth.keys() | copy.keys()):
        rows, amount = truth.get(key, (0, Decimal(0)))
        copied_rows, copied_amount = copy.get(key, (0, Decimal(0)))
        if (rows, amount) != (copied_rows, copied_amount):
            day, currency = key
            told = f"{of} has {rows:,} rows, {amount:f}; {name} has {copied_rows:,} rows, {copied_amount:f}"
            findings.append(Finding("mismatch", f"{name} {day} {currency}", told))
    return findings
