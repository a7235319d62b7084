"""What loading the generated files into an empty system must give: counts, sums and reasons, source by source.

Only what does not depend on the order of arrival is stated. `updated` and `superseded` are one number, because which of
two events of an order loads first is not known; `unchanged`, `inserted` and `quarantined` are exact.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

HUNDREDTH = Decimal("0.01")


@dataclass(slots=True)
class SourceTruth:
    """The outcome counts of one source; every received row has exactly one outcome."""

    received: int = 0
    inserted: int = 0
    updated_or_superseded: int = 0
    unchanged: int = 0
    quarantine_reasons: Counter[str] = field(default_factory=Counter)

    @property
    def quarantined(self) -> int:
        return self.quarantine_reasons.total()

    @property
    def rows_standing(self) -> int:
        """One row stands for each key, and inserting is the only way to come to stand."""
        return self.inserted

    def quarantine(self, reason: str) -> None:
        """Book one received row as quarantined for this reason."""
        self.received += 1
        self.quarantine_reasons[reason] += 1

    def insert(self) -> None:
        """Book the one row of a key that finally stands."""
        self.received += 1
        self.inserted += 1

    def repeat(self) -> None:
        """Book a row that says the same again."""
        self.received += 1
        self.unchanged += 1

    def as_json(self) -> dict[str, Any]:
        """The counts under the names that the demo compares."""
        return {
            "received": self.received,
            "inserted": self.inserted,
            "updated_or_superseded": self.updated_or_superseded,
            "unchanged": self.unchanged,
            "quarantined": self.quarantined,
            "quarantine_reasons": dict(sorted(self.quarantine_reasons.items())),
            "rows_standing": self.rows_standing,
        }


@dataclass(frozen=True, slots=True)
class Truth:
    """The whole expectation, as written to truth.json.

    `inferred` counts the users and products that only transactions name; `flags` counts standing transactions;
    `files` gives the rows received from each file; `dirt` says how often each kind was written. Net revenue rounds each
    row to the cent, half away from zero, before summing.
    """

    transactions: SourceTruth
    users: SourceTruth
    products: SourceTruth
    fx_rates: SourceTruth
    amount: Mapping[str, Decimal]
    flags: Mapping[str, int]
    inferred: Mapping[str, int]
    days: int
    net_revenue_base: Decimal
    net_revenue_base_unrounded: Decimal
    files: Mapping[str, int]
    dirt: Mapping[str, int]

    def as_json(self) -> dict[str, Any]:
        """A plain tree for json.dumps; money is text, so no reader makes a float of it."""
        amounts = {currency: str(total) for currency, total in sorted(self.amount.items())}
        return {
            "transactions": {**self.transactions.as_json(), "amount": amounts, "flags": dict(self.flags)},
            "users": {**self.users.as_json(), "inferred": self.inferred["users"]},
            "products": {**self.products.as_json(), "inferred": self.inferred["products"]},
            "fx_rates": self.fx_rates.as_json(),
            "days": self.days,
            "net_revenue_base": str(self.net_revenue_base),
            "net_revenue_base_unrounded": str(self.net_revenue_base_unrounded),
            "files": dict(self.files),
            "dirt": dict(sorted(self.dirt.items())),
        }
