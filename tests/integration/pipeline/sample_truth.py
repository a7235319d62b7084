"""What the marts must hold of the real sample, by plain Python from its files: nothing here knows the pipeline."""

from __future__ import annotations

import csv
import json
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

ZERO = Decimal(0)
Totals = dict[Any, dict[str, Any]]


@dataclass(frozen=True)
class Line:
    """A line of the sample that counts: the first of its id."""

    day: date
    user: str | None
    country: str
    product: str
    price: Decimal
    status: str
    amount: Decimal

    @property
    def gross(self) -> Decimal:
        """Revenue before refunds."""
        return max(self.amount, ZERO)

    @property
    def refunds(self) -> Decimal:
        """The size of a credit note."""
        return abs(self.amount) if self.status == "refunded" else ZERO

    @property
    def units(self) -> int:
        """Whole list prices in the amount; 0 where it is not a whole number of them."""
        if self.gross == 0 or self.price == 0:
            return 0
        count = round(self.amount / self.price)
        return count if count >= 1 and abs(self.amount - count * self.price) <= Decimal("0.005") else 0


def read(folder: Path) -> list[Line]:
    """The sample's lines; a repeated id counts once, as it came first."""
    with (folder / "users.csv").open(encoding="utf-8", newline="") as file:
        countries = {row["user_id"]: row["country"] for row in csv.DictReader(file)}
    products = [json.loads(text) for text in (folder / "products.ndjson").read_text(encoding="utf-8").splitlines()]
    prices = {row["product_id"]: Decimal(row["price"]) for row in products}
    rows: dict[str, dict[str, Any]] = {}
    for text in (folder / "transactions.ndjson").read_text(encoding="utf-8").splitlines():
        row = json.loads(text)
        rows.setdefault(row["transaction_id"], row)
    return [
        Line(
            date.fromisoformat(row["timestamp"][:10]), row["user_id"], countries.get(row["user_id"], "unknown"),
            row["product_id"], prices[row["product_id"]], row["status"], Decimal(row["amount"]),
        )
        for row in rows.values()
    ]  # fmt: skip


def totals(lines: Iterable[Line], by: Callable[[Line], Hashable]) -> Totals:
    """Counts and money of the lines, grouped."""
    groups: defaultdict[Hashable, list[Line]] = defaultdict(list)
    for line in lines:
        groups[by(line)].append(line)
    return {
        key: {
            "transactions": len(some),
            "orders": sum(line.gross > 0 for line in some),
            "gross": sum((line.gross for line in some), ZERO),
            "refunds": sum((line.refunds for line in some), ZERO),
            "net": sum((line.gross - line.refunds for line in some), ZERO),
            "customers": len({line.user for line in some} - {None}),
            "units": sum(line.units for line in some),
        }
        for key, some in groups.items()
    }
