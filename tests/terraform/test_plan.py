"""The plan of production keeps every policy."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from deploy.planned import UNKNOWN, Plan
from deploy.policies import OF_THE_PLAN, OF_THE_REPOSITORY
from deploy.repository import Repository
from tests.terraform.snippets import texts


def named(policy: Callable[..., Iterator[str]]) -> str:
    return policy.__name__


@pytest.mark.parametrize("policy", OF_THE_PLAN, ids=named)
def test_the_plan_keeps(policy: Callable[[Plan], Iterator[str]], plan: Plan) -> None:
    assert list(policy(plan)) == []


@pytest.mark.parametrize("policy", OF_THE_REPOSITORY, ids=named)
def test_the_plan_keeps_what_the_repository_says(
    policy: Callable[[Plan, Repository], Iterator[str]], plan: Plan, repository: Repository
) -> None:
    assert list(policy(plan, repository)) == []


def test_every_reference_has_a_value_so_that_no_policy_looks_at_nothing(plan: Plan) -> None:
    unknown = {r.address for r in plan.resources if r.kind != "terraform_data" and UNKNOWN in texts(r.values)}
    assert unknown == set()


@pytest.mark.parametrize(
    "kind",
    [
        "google_pubsub_topic",
        "google_pubsub_subscription",
        "google_cloudfunctions2_function",
        "google_storage_bucket",
        "google_bigquery_table",
        "google_sql_database_instance",
        "google_kms_crypto_key",
        "google_cloud_scheduler_job",
        "google_monitoring_alert_policy",
    ],
)
def test_there_is_something_to_judge(kind: str, plan: Plan) -> None:
    assert plan.of(kind)
