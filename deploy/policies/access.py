"""What a function may do is what its row of functions.yaml says: no grant is missing, none is too much."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from deploy.planned import Plan
from deploy.policies.functions import planned_functions, slug
from deploy.policies.grants import PROJECT, grants
from deploy.repository import Repository

BUCKET, TOPIC, DATASET = "google_storage_bucket", "google_pubsub_topic", "google_bigquery_dataset"
SUBSCRIPTION, SECRET = "google_pubsub_subscription", "google_secret_manager_secret"
FUNCTION = "google_cloudfunctions2_function"
VIEWER, WRITER = "roles/storage.objectViewer", "custom sluiceObjectsWriter"
READ, EDIT = "roles/bigquery.dataViewer", "roles/bigquery.dataEditor"

Held = tuple[str, str, str]
"""Kind of the thing, its name, the role on it."""

BUCKETS = {
    "landing_reader": ("landing", VIEWER),
    "landing_writer": ("landing", WRITER),
    "lake_reader": ("lake", VIEWER),
    "lake_writer": ("lake", WRITER),
    "quarantine_reader": ("quarantine", VIEWER),
    "quarantine_writer": ("quarantine", WRITER),
}
ON_THE_PROJECT = {
    "database_client": ("roles/cloudsql.client", "roles/cloudsql.instanceUser"),
    "dead_letter_reader": ("custom sluiceSubscriptionsLister",),
    "warehouse_reader": ("roles/bigquery.jobUser",),
    "warehouse_writer": ("roles/bigquery.jobUser",),
    "warehouse_auditor": ("roles/bigquery.jobUser", "custom sluiceJobsAuditor"),
}
DATASETS = {"warehouse_reader": {READ}, "warehouse_writer": {READ, EDIT}}
"""Which roles on datasets a row allows; on which datasets is a matter of the SQL (terraform/bigquery_access.tf)."""


def functions_may_do_what_the_table_says(plan: Plan, repository: Repository) -> Iterator[str]:
    """Both ways, for every function; a role of a dataset must be one that the row allows."""
    dead = [str(s.at("name")) for s in plan.of(SUBSCRIPTION) if not s.all("dead_letter_policy")]
    for name, row in repository.deployed(plan.environment).items():
        function = planned_functions(plan).get(slug(name))
        if function is None:
            continue
        held = set(_held(plan, f"serviceAccount:{function.at('service_config.service_account_email')}"))
        wanted = set(_wanted(name, row, dead, plan.environment))
        allowed = set().union(*(DATASETS.get(role, set()) for role in row["roles"]))
        data = {grant for grant in held if grant[0] == DATASET}
        yield from (f"{name}: lacks {role} on {kind} {place}" for kind, place, role in sorted(wanted - held))
        yield from (
            f"{name}: has {role} on {kind} {place}, which its row does not say"
            for kind, place, role in sorted(held - wanted - data)
        )
        yield from (
            f"{name}: has {role} on dataset {place}, its roles do not allow that"
            for _, place, role in sorted(data)
            if role not in allowed
        )
        if allowed and not data:
            yield f"{name}: has a role in the warehouse and may see no dataset"


def database_users_are_the_clients(plan: Plan, repository: Repository) -> Iterator[str]:
    """Every function with the role database_client is a user of the database by IAM; no user has a password."""
    users = {str(user.at("name")): user for user in plan.of("google_sql_user")}
    for user in users.values():
        if user.at("type") in (None, "BUILT_IN") or user.at("password"):
            yield f"{user.address}: is a user with a password; use an IAM user"
    for name, row in repository.deployed(plan.environment).items():
        function = planned_functions(plan).get(slug(name))
        account = str(function.at("service_config.service_account_email") if function else "")
        is_user = account.removesuffix(".gserviceaccount.com") in users
        if function and is_user != ("database_client" in row["roles"]):
            yield f"{name}: is {'' if is_user else 'not '}a user of the database, its roles say otherwise"


def _held(plan: Plan, member: str) -> Iterator[Held]:
    for grant in grants(plan):
        if grant.member == member:
            role = f"custom {grant.role.rpartition('/')[2]}" if grant.role.startswith("projects/") else grant.role
            place = _purpose(grant.place) if grant.kind == BUCKET else "" if grant.kind == PROJECT else grant.place
            yield grant.kind, place, role


def _wanted(name: str, row: dict[str, Any], dead: list[str], environment: str) -> Iterator[Held]:
    for role in row["roles"]:
        if role in BUCKETS:
            yield BUCKET, *BUCKETS[role]
        for granted in ON_THE_PROJECT.get(role, ()):
            yield PROJECT, "", granted
    for topic in row.get("publishes", ()):
        yield TOPIC, topic, "roles/pubsub.publisher"
    for secret in row["secrets"]:
        yield SECRET, secret, "roles/secretmanager.secretAccessor"
    if "dead_letter_reader" in row["roles"]:
        for subscription in dead:
            yield SUBSCRIPTION, subscription, "roles/pubsub.subscriber"
    if name == "extract_products" and environment == "dev":
        yield FUNCTION, "product-api", "roles/run.invoker"  # the simulated API of the shop is a function too


def _purpose(bucket: str) -> str:
    return bucket.rpartition("-")[2]
