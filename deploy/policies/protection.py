"""What holds rows is not dropped by a plan: outside dev Terraform refuses to delete tables and databases."""

from __future__ import annotations

from collections.abc import Iterator

from deploy.planned import Plan

DISPOSABLE = "dev"


def stores_are_protected(plan: Plan) -> Iterator[str]:
    """Tables and the database have deletion_protection, but in dev, which is torn down; a view holds nothing."""
    if plan.environment == DISPOSABLE:
        return
    for store in plan.of("google_bigquery_table", "google_sql_database_instance"):
        if store.at("deletion_protection") is not True and not store.all("view"):
            yield f"{store.address}: deletion_protection must be true in {plan.environment}"
