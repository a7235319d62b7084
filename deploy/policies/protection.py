"""What goes and what stays: outside dev no plan drops what holds rows; a teardown ends; who leaves loses the user."""

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


def databases_go_with_their_instance(plan: Plan) -> Iterator[str]:
    """Postgres drops no database that somebody is connected to, and Query Insights always is."""
    for database in plan.of("google_sql_database"):
        if database.at("deletion_policy") != "ABANDON":
            yield f"{database.address}: deletion_policy must be ABANDON, or a teardown ends here"


def who_is_taken_out_loses_the_user(plan: Plan) -> Iterator[str]:
    """A user of the database is deleted with its entry, but the one who owns the schemas: Postgres refuses that."""
    for user in plan.of("google_sql_user"):
        if user.at("deletion_policy") == "ABANDON" and not user.all("database_roles"):
            yield f"{user.address}: with deletion_policy ABANDON the user stays when it is taken out"
