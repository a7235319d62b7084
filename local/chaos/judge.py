"""Whether all is well: balanced by verify, and the same as the truth of everything that was fed."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from decimal import Decimal

from local.chaos.cloud import Running
from local.chaos.load import Expected
from shared.adapters.queries import rows_of
from shared.adapters.reconciliation import FACT, MART, open_findings, postgres_totals, verify, warehouse_totals
from shared.adapters.warehouse_sql import warehouse_sql
from shared.domain.balance import DayTotals

OUTCOMES = ("received", "inserted", "updated", "unchanged", "superseded", "quarantined", "held", "pending")
HUNDREDTH = Decimal("0.01")


@dataclass(frozen=True)
class Found:
    """What is in the system now."""

    outcomes: dict[str, Counter[str]]
    postgres: Counter[str]
    warehouse: Counter[str]
    net: Decimal
    findings: list[str]

    def differences(self, expected: Expected) -> list[str]:
        """Everything that is not as it must be, in words; empty where nothing was lost, doubled or changed."""
        wrong = list(self.findings)
        for source, counts in sorted(expected.outcomes.items()):
            found = self.outcomes.get(source, Counter())
            merged = found + Counter(updated_or_superseded=found["updated"] + found["superseded"])
            for name, count in counts.items():
                if merged[name] != count:
                    wrong.append(f"{source}: {name} is {merged[name]:,}, must be {count:,}")
        for where, money in (("Postgres", self.postgres), ("BigQuery", self.warehouse)):
            wrong += [
                f"{where}: {currency} {_text(money[currency])}, must be {_text(expected.amount[currency])}"
                for currency in sorted(expected.amount.keys() | money.keys())
                if money[currency] != expected.amount[currency]
            ]
        if self.net != expected.net:
            wrong.append(f"the mart: net revenue {self.net:.2f}, must be {expected.net:.2f}")
        return wrong

    def lost_and_doubled(self, expected: Expected) -> tuple[int, int]:
        """Rows that must have come in and did not, and rows that came in more often than once."""
        lost = doubled = 0
        for source, counts in expected.outcomes.items():
            for name in ("received", "inserted"):
                if name in counts:
                    more = self.outcomes.get(source, Counter())[name] - counts[name]
                    lost, doubled = max(lost, -more), max(doubled, more)
        return lost, doubled


def nothing_open(system: Running) -> bool:
    """Whether Postgres alone, which is asked at little cost, has nothing that is pending, stuck or untold."""
    return not open_findings(system.session()) and not _untold(system)


def look(system: Running) -> Found:
    """Ask the ledger, the tables, BigQuery and the mart."""
    session = system.session()
    outcomes = {
        source: Counter(dict(zip(OUTCOMES, map(int, counts), strict=True)))
        for source, *counts in rows_of(session, "sum_outcomes")
    }
    mart = system.warehouse.run(warehouse_sql(MART, "overall"), {})[0]
    return Found(
        outcomes=outcomes,
        postgres=_cents(postgres_totals(session)),
        warehouse=_cents(warehouse_totals(system.warehouse, FACT)),
        net=Decimal(mart["net_revenue_base"] or 0),
        findings=[*(f"{f.kind} {f.where}: {f.told}" for f in verify(session, system.warehouse)), *_untold(system)],
    )


def _untold(system: Running) -> list[str]:
    """Alerts that nobody was told of."""
    alerts = rows_of(system.session(), "list_alerts", most=1_000)
    return [f"alert {row[1]} {row[3]} is {row[5]}, not delivered" for row in alerts if row[5] != "delivered"]


def _cents(totals: DayTotals) -> Counter[str]:
    sums: Counter[str] = Counter()
    for (_, currency), (_, amount) in totals.items():
        sums[currency] += int(amount * 100)
    return sums


def _text(cents: int) -> str:
    return f"{Decimal(cents) * HUNDREDTH:,.2f}"
