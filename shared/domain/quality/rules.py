"""Every rule of data quality, declared once: what it counts, its threshold, its severity and its part in the score.

docs/data-quality.md explains each; a test compares the two.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from shared.alert_kinds import AlertKind, Severity
from shared.domain.sources import SOURCES

Sense = Literal["more than", "less than", "at most"]
Unit = Literal["share", "hours", "spreads", "differences"]
Dimension = Literal[
    "completeness", "accuracy", "validity", "uniqueness", "integrity", "timeliness", "anomalies", "reconciliation"
]

WEIGHTS: dict[Dimension, int] = {
    "completeness": 30,
    "accuracy": 20,
    "validity": 15,
    "uniqueness": 10,
    "integrity": 10,
    "timeliness": 10,
    "anomalies": 5,
    "reconciliation": 100,
}
"""What a dimension weighs in the score of a dataset and day, among those that have a verdict there."""

COMPLETENESS = Decimal("0.95")
CADENCE_HOURS = {"transactions": 24, "users": 8 * 24, "products": 2 * 24, "fx_rates": 4 * 24}
"""How long a source may be silent."""
WEEKS = 8
"""An anomaly is judged against the same weekday of so many earlier weeks."""
SPREADS = Decimal(5)
"""How many spreads from the median make an anomaly."""
OUTLIER_DAYS = 28
OUTLIER_SPREADS = Decimal(6)
OUTLIER_FEWEST = 50
"""Amounts that a category and currency must have in the trailing days before one of them can be an outlier."""
OUTLIER_FLOOR = Decimal("0.10")
"""The least spread of the logarithm of amounts: about a tenth."""
USUAL_ROWS = 30
"""A currency that usually has fewer sales a day has no usual sum or median."""
CHUNK_ROWS = 100
"""A smaller chunk is not judged by itself: a handful of rows says nothing. It counts in its file and its day."""


@dataclass(frozen=True)
class Rule:
    """One rule. A share is counted as `bad` of `of` (names of counters); other values come with their own measure."""

    name: str
    datasets: tuple[str, ...]
    dimension: Dimension
    severity: Severity
    sense: Sense
    threshold: Decimal
    says: str
    bad: str = ""
    of: str = ""
    unit: Unit = "share"
    kind: AlertKind = "quality_breach"


def completeness(field: str, dataset: str, severity: Severity) -> Rule:
    """The rule that a field of a dataset be there."""
    return Rule(
        f"completeness.{field}", (dataset,), "completeness", severity, "more than", COMPLETENESS,
        f"have {field}", bad=f"missing.{field}", of="received",
    )  # fmt: skip


FINANCIAL = Rule(
    "financial_errors", ("transactions",), "accuracy", "critical", "less than", Decimal("0.01"),
    "were refused for their amount, currency, status or sign, or contradict another", bad="financial", of="received",
)  # fmt: skip
VALIDITY = Rule(
    "validity", SOURCES, "validity", "warning", "more than", Decimal("0.95"),
    "passed validation", bad="invalid", of="received",
)  # fmt: skip
UNIQUENESS = Rule(
    "uniqueness", SOURCES, "uniqueness", "warning", "more than", Decimal("0.98"),
    "do not contradict another row of their key", bad="conflicting", of="received",
)  # fmt: skip
INTEGRITY_USER = Rule(
    "integrity.user_id", ("transactions",), "integrity", "warning", "more than", Decimal("0.95"),
    "that name a user name one that a users file has named", bad="inferred_users", of="with_user",
)  # fmt: skip
INTEGRITY_PRODUCT = Rule(
    "integrity.product_id", ("transactions",), "integrity", "warning", "more than", Decimal("0.95"),
    "name a product that the catalogue has named", bad="inferred_products", of="facts",
)  # fmt: skip
LATENESS = Rule(
    "lateness", ("transactions",), "timeliness", "warning", "less than", Decimal("0.10"),
    "landed more than a day after they occurred", bad="late", of="facts",
)  # fmt: skip
FRESHNESS = Rule(
    "freshness", SOURCES, "timeliness", "warning", "at most", Decimal(0),
    "since the last file or message", unit="hours", kind="source_stale",
)  # fmt: skip
VOLUME = Rule(
    "volume", ("transactions",), "anomalies", "warning", "at most", SPREADS,
    "rows received", unit="spreads", kind="anomaly",
)  # fmt: skip
AMOUNT_SUM = Rule(
    "amount_sum", ("sales",), "anomalies", "warning", "at most", SPREADS,
    "sum of amounts", unit="spreads", kind="anomaly",
)  # fmt: skip
AMOUNT_MEDIAN = Rule(
    "amount_median", ("sales",), "anomalies", "warning", "at most", SPREADS,
    "median amount", unit="spreads", kind="anomaly",
)  # fmt: skip
OUTLIERS = Rule(
    "outliers", ("sales",), "anomalies", "warning", "less than", Decimal("0.02"),
    "have an amount far from what is usual in their category", bad="outliers", of="amounts", kind="anomaly",
)  # fmt: skip
FILES_EQUAL = Rule(
    "files_equal", ("reconcile",), "reconciliation", "critical", "at most", Decimal(0),
    "landing objects and files differ from the ledger", unit="differences", kind="reconcile_mismatch",
)  # fmt: skip
LEDGER_EQUAL = Rule(
    "ledger_equal", ("reconcile",), "reconciliation", "critical", "at most", Decimal(0),
    "accounts of the ledger are off", unit="differences", kind="reconcile_mismatch",
)  # fmt: skip
WAREHOUSE_EQUAL = Rule(
    "warehouse_equal", ("reconcile",), "reconciliation", "critical", "at most", Decimal(0),
    "currencies differ between Postgres and sales.transactions", unit="differences", kind="reconcile_mismatch",
)  # fmt: skip
MARTS_EQUAL = Rule(
    "marts_equal", ("reconcile",), "reconciliation", "critical", "at most", Decimal(0),
    "currencies differ between Postgres and the mart", unit="differences", kind="reconcile_mismatch",
)  # fmt: skip

ON_ROWS = (FINANCIAL, VALIDITY, UNIQUENESS)
"""Judged for each chunk, file and day, from the ledger, besides completeness."""
ON_FACTS = (INTEGRITY_USER, INTEGRITY_PRODUCT, LATENESS)
"""Judged for each day, from the facts that its chunks wrote."""
FIXED = (
    *ON_ROWS, *ON_FACTS, FRESHNESS, VOLUME, AMOUNT_SUM, AMOUNT_MEDIAN, OUTLIERS,
    FILES_EQUAL, LEDGER_EQUAL, WAREHOUSE_EQUAL, MARTS_EQUAL,
)  # fmt: skip


def completeness_rules(fields: Mapping[str, Severity]) -> list[Rule]:
    """One rule for each `dataset.field` of the setting QUALITY_FIELDS."""
    rules = []
    for path, severity in fields.items():
        dataset, _, field = path.partition(".")
        rules.append(completeness(field, dataset, severity))
    return rules
