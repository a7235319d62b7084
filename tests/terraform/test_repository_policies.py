"""The policies that compare a plan with functions.yaml, sql/bigquery and the runbook, on a function and a table."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from deploy.planned import Plan, Resource
from deploy.policies import OF_THE_REPOSITORY, access, capacity, functions, warehouse
from deploy.policies.alerts import alerts_link_to_the_runbook
from deploy.repository import Described, Repository, anchor
from tests.terraform.snippets import plan, resource

ACCOUNT = "fn-load-rows@p.iam.gserviceaccount.com"
MEMBER = f"serviceAccount:{ACCOUNT}"
URL = "https://load-rows"
COLUMNS = [{"name": "day", "type": "DATE", "mode": "REQUIRED", "description": "The day."}]
METADATA = {"description": "Sales.", "partition": "day", "cluster": ["store"]}


def row(**values: Any) -> dict[str, Any]:
    kept = {
        "entry_point": "load_rows",
        "triggers": [{"topic": "rows"}, {"schedule": "5 * * * *"}],
        "memory": "512Mi",
        "timeout_seconds": 540,
        "concurrency": 1,
        "max_instances": 4,
        "publishes": ["alerts"],
        "roles": ["lake_writer", "warehouse_reader", "database_client", "dead_letter_reader"],
        "secrets": ["TOKEN"],
    }
    return kept | values


def repository(**values: Any) -> Repository:
    table = {"sales.days": Described(COLUMNS, METADATA, None)}
    return Repository(("rows", "alerts"), {"load_rows": row(**values)}, table, frozenset({"verify-failed"}))


def function(key: str = "TOKEN", **service: Any) -> Resource:
    kept = {
        "uri": URL,
        "available_memory": "512Mi",
        "timeout_seconds": 540,
        "max_instance_request_concurrency": 1,
        "max_instance_count": 4,
        "ingress_settings": "ALLOW_INTERNAL_ONLY",
        "service_account_email": ACCOUNT,
        "secret_environment_variables": [{"key": key}],
    }
    build = [{"entry_point": "load_rows"}]
    return resource(
        "google_cloudfunctions2_function", name="load-rows", service_config=[kept | service], build_config=build
    )


def table(**values: Any) -> Resource:
    kept = {
        "dataset_id": "sales",
        "table_id": "days",
        "schema": json.dumps(COLUMNS),
        "description": "Sales.",
        "time_partitioning": [{"field": "day"}],
        "require_partition_filter": True,
        "clustering": ["store"],
    }
    return resource("google_bigquery_table", **kept | values)


def alert(content: str) -> Resource:
    return resource("google_monitoring_alert_policy", documentation=[{"content": content}])


def member(kind: str, attribute: str, place: str, role: str) -> Resource:
    return resource(f"{kind}_iam_member", **{attribute: place, "role": role, "member": MEMBER})


TOPIC = resource("google_pubsub_topic", name="rows")
PUSH = resource(
    "google_pubsub_subscription",
    "push",
    topic=TOPIC.at("id"),
    push_config=[{"push_endpoint": URL}],
    dead_letter_policy=[{}],
)
JOB = resource("google_cloud_scheduler_job", schedule="5 * * * *", time_zone="Etc/UTC", http_target=[{"uri": URL}])
SECRET = resource("google_secret_manager_secret", secret_id="TOKEN")
GRANTS = [
    resource("google_pubsub_subscription", "dead", name="load_rows-rows-dead", dead_letter_policy=[]),
    member("google_storage_bucket", "bucket", "p-lake", "projects/p/roles/sluiceObjectsWriter"),
    member("google_project", "project", "p", "roles/bigquery.jobUser"),
    member("google_project", "project", "p", "roles/cloudsql.client"),
    member("google_project", "project", "p", "roles/cloudsql.instanceUser"),
    member("google_project", "project", "p", "projects/p/roles/sluiceSubscriptionsLister"),
    member("google_pubsub_topic", "topic", "alerts", "roles/pubsub.publisher"),
    member("google_pubsub_subscription", "subscription", "load_rows-rows-dead", "roles/pubsub.subscriber"),
    member("google_secret_manager_secret", "secret_id", "TOKEN", "roles/secretmanager.secretAccessor"),
    member("google_bigquery_dataset", "dataset_id", "sales", "roles/bigquery.dataViewer"),
]
USER = resource("google_sql_user", name=ACCOUNT.removesuffix(".gserviceaccount.com"), type="CLOUD_IAM_SERVICE_ACCOUNT")
DATABASE = resource(
    "google_sql_database_instance", settings=[{"database_flags": [{"name": "max_connections", "value": "25"}]}]
)

Policy = Callable[[Plan, Repository], Iterator[str]]

PLANNED = functions.the_table_is_what_is_planned
INGRESS = functions.ingress_follows_the_triggers
CALLED = functions.triggers_are_what_calls
SECRETS = functions.secrets_are_those_of_the_table
ALLOWED = access.functions_may_do_what_the_table_says
USERS = access.database_users_are_the_clients
TABLES = warehouse.tables_are_those_of_the_folders


def broken(policy: Policy, *resources: Resource, says: str, **values: Any) -> Any:
    """A case: these resources, against a row with these values, break the policy; what it says of it."""
    return pytest.param(policy, list(resources), repository(**values), says, id=f"{policy.__name__}-{says}")


KEPT: dict[Policy, list[Resource]] = {
    PLANNED: [function()],
    INGRESS: [function()],
    CALLED: [function(), TOPIC, PUSH, JOB],
    SECRETS: [function(), SECRET],
    ALLOWED: [function(), *GRANTS],
    USERS: [function(), USER],
    TABLES: [table()],
    alerts_link_to_the_runbook: [alert("See https://example.com/docs/runbook.md#verify-failed.")],
    capacity.connections_suffice: [function(), DATABASE],
}


@pytest.mark.parametrize("policy", OF_THE_REPOSITORY, ids=lambda p: p.__name__)
def test_a_policy_passes_a_plan_that_is_as_the_repository_says(policy: Policy) -> None:
    assert list(policy(plan(*KEPT[policy]), repository())) == []


@pytest.mark.parametrize(
    ("policy", "resources", "said", "says"),
    [
        broken(PLANNED, says="load-rows is not planned for prod"),
        broken(PLANNED, function(), says="is not in functions.yaml", environments=["dev"]),
        broken(PLANNED, function(available_memory="1Gi"), says="available_memory is 1Gi"),
        broken(PLANNED, function(timeout_seconds=60), says="timeout_seconds is 60"),
        broken(PLANNED, function(), says="concurrency is 1", concurrency=8),
        broken(PLANNED, function(max_instance_count=9), says="more instances"),
        broken(PLANNED, function(), says="entry_point is load_rows", entry_point="load"),
        broken(INGRESS, function(), says="ALLOW_ALL", triggers=[{"http": True}]),
        broken(INGRESS, function(ingress_settings="ALLOW_ALL"), says="ALLOW_INTERNAL_ONLY"),
        broken(CALLED, function(), TOPIC, JOB, says="nothing calls load-rows for topic rows"),
        broken(CALLED, function(), TOPIC, PUSH, says="for schedule 5 * * * * UTC"),
        broken(
            CALLED,
            function(),
            TOPIC,
            PUSH,
            JOB,
            says="which functions.yaml does not say",
            triggers=[{"topic": "rows"}],
        ),
        broken(SECRETS, function(), says="needs the secret TOKEN"),
        broken(SECRETS, function("OTHER"), SECRET, says="is given OTHER"),
        broken(ALLOWED, function(), *GRANTS[:1], *GRANTS[2:], says="lacks custom sluiceObjectsWriter"),
        broken(ALLOWED, function(), *GRANTS, says="has roles/pubsub.publisher", publishes=[]),
        broken(ALLOWED, function(), *GRANTS[:-1], says="may see no dataset"),
        broken(
            ALLOWED,
            function(),
            *GRANTS[:-1],
            member("google_bigquery_dataset", "dataset_id", "sales", "roles/bigquery.dataEditor"),
            says="has roles/bigquery.dataEditor on dataset sales",
        ),
        broken(USERS, function(), says="is not a user of the database"),
        broken(USERS, function(), USER, says="is a user of the database", roles=[]),
        broken(
            USERS,
            function(),
            USER,
            resource("google_sql_user", "root", name="root", type="BUILT_IN"),
            says="with a password",
        ),
        broken(TABLES, says="sales.days is not planned"),
        broken(TABLES, table(), table(table_id="other"), says="has no folder"),
        broken(TABLES, table(schema="[]"), says="columns"),
        broken(TABLES, table(require_partition_filter=None), says="scan all of it"),
        broken(TABLES, table(time_partitioning=[]), says="is partitioned by None"),
        broken(TABLES, table(clustering=None), says="is clustered by"),
        broken(TABLES, table(description="?"), says="description"),
        broken(TABLES, table(view=[{"query": "SELECT 1"}]), says="view.sql"),
        broken(alerts_link_to_the_runbook, alert("Look at it."), says="links to no section"),
        broken(alerts_link_to_the_runbook, alert("runbook.md#gone"), says="has no section #gone"),
        broken(capacity.connections_suffice, function(max_instance_count=11), DATABASE, says="22 connections"),
    ],
)
def test_a_policy_names_what_differs(policy: Policy, resources: list[Resource], said: Repository, says: str) -> None:
    found = list(policy(plan(*resources), said))
    assert len(found) == 1, found
    assert says in found[0]


def test_what_is_for_development_only_is_internal_though_it_answers_by_http() -> None:
    said = repository(triggers=[{"http": True}], environments=["dev"])
    assert list(INGRESS(plan(function(), environment="dev"), said)) == []
    assert len(list(INGRESS(plan(function(ingress_settings="ALLOW_ALL"), environment="dev"), said))) == 1


def test_a_heading_is_linked_to_as_github_does() -> None:
    assert anchor("What, if `verify` fails?") == "what-if-verify-fails"
