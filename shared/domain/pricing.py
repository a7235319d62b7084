"""What bytes cost in dollars: pure arithmetic over a price list, Decimal from end to end."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

TIB = Decimal(2**40)
GIB = Decimal(2**30)
SMALLEST = Decimal("0.000000001")
"""Costs are kept to a billionth of a dollar: 10 MB, the least that is billed, are 0.00006."""


@dataclass(frozen=True)
class Prices:
    """The prices in USD that the cost of a warehouse job and of its tables is made from."""

    query_per_tib: Decimal
    least_bytes_per_table: int
    storage_active_per_gib_month: Decimal
    storage_long_term_per_gib_month: Decimal

    def query(self, bytes_billed: int) -> Decimal:
        """Dollars of a query by its bytes billed (on demand); load jobs have none and are free."""
        return (self.query_per_tib * bytes_billed / TIB).quantize(SMALLEST)

    def billed(self, bytes_by_table: Mapping[str, int]) -> int:
        """Bytes billed of a query that reads these bytes of these tables: whole MB, at least 10 of each table."""
        mb = 2**20
        return sum(max(-(-size // mb) * mb, self.least_bytes_per_table) for size in bytes_by_table.values())

    def storage(self, active_bytes: int, long_term_bytes: int = 0) -> Decimal:
        """Dollars a month of logical bytes; a partition left alone for 90 days is long-term."""
        active = self.storage_active_per_gib_month * active_bytes
        return ((active + self.storage_long_term_per_gib_month * long_term_bytes) / GIB).quantize(SMALLEST)


def prices_of(listed: Mapping[str, Any]) -> Prices:
    """The prices of the section `bigquery` of the list. Raises KeyError or ArithmeticError on one that is not right."""
    return Prices(
        query_per_tib=Decimal(listed["query_per_tib"]),
        least_bytes_per_table=int(listed["least_bytes_per_table"]),
        storage_active_per_gib_month=Decimal(listed["storage_active_per_gib_month"]),
        storage_long_term_per_gib_month=Decimal(listed["storage_long_term_per_gib_month"]),
    )
