"""The first apply on an empty project: what must be there before what, read from the references of terraform/*.tf.

No plan shows an order, and offline nothing fails for want of it; but the references are there to read.
"""

from __future__ import annotations

import pytest

from tests.terraform.references import before, references

RESOURCES = [address for address in references() if address.startswith("google_")]
WITH_A_KEY = [
    address
    for address in [*RESOURCES, "module.function"]
    if "google_kms_crypto_key.key" in references()[address] and "_iam_" not in address
]


def test_the_files_are_read_as_they_are_written() -> None:
    assert len(RESOURCES) > 60
    assert len(WITH_A_KEY) > 8
    assert "terraform_data.agents" in references()["module.function"]


ALWAYS_ON = ("google_project_service.service", "google_project_iam_member.")
"""Resource Manager, whose the roles on a project are, is switched on by hand: docs/deployment.md, step 2."""


@pytest.mark.parametrize("address", [each for each in RESOURCES if not each.startswith(ALWAYS_ON)])
def test_everything_is_made_after_its_service_is_on(address: str) -> None:
    assert "google_project_service.service" in before(address)


@pytest.mark.parametrize("address", WITH_A_KEY)
def test_what_has_a_key_is_made_after_the_agents_may_use_it(address: str) -> None:
    assert {"terraform_data.agents", "google_kms_crypto_key_iam_member.user"} <= before(address)


def test_agents_are_granted_something_only_after_they_exist() -> None:
    granted = [address for address in RESOURCES if "local.agent" in references()[address]]
    assert len(granted) >= 6
    assert {each for each in granted if "terraform_data.agents_exist" not in before(each)} == set()
    assert "terraform_data.agent" in before("terraform_data.agents_exist")


@pytest.mark.parametrize(
    ("made", "needs"),
    [
        ("terraform_data.agents_may_deliver", "google_pubsub_topic_iam_member.storage_agent"),
        ("google_storage_notification.uploads", "terraform_data.agents_may_deliver"),
        ("google_pubsub_subscription.raw", "terraform_data.agents_may_deliver"),
        ("terraform_data.builder", "google_secret_manager_secret_iam_member.reader"),
        ("module.function", "terraform_data.builder"),
        ("google_pubsub_subscription.raw", "google_storage_bucket_iam_member.raw_writer"),
        ("google_pubsub_subscription.raw", "google_pubsub_topic_iam_member.dead_letters"),
        ("google_pubsub_subscription.push", "google_pubsub_topic_iam_member.dead_letters"),
        ("google_pubsub_subscription.push", "google_service_account_iam_member.signer"),
        ("google_pubsub_subscription.push", "google_cloud_run_service_iam_member.invoker"),
        ("google_cloud_scheduler_job.job", "google_cloud_run_service_iam_member.invoker"),
        ("google_cloud_scheduler_job.job", "google_project_iam_member.agent"),
        ("google_service_networking_connection.database", "google_project_iam_member.agent"),
        ("google_sql_database_instance.main", "google_service_networking_connection.database"),
        ("module.function", "google_project_iam_member.builder_copies"),
        ("module.function", "google_artifact_registry_repository_iam_member.builder"),
        ("module.function", "google_secret_manager_secret_iam_member.reader"),
        ("module.function", "terraform_data.table"),
        ("module.function", "google_sql_user.function"),
        ("google_cloud_run_v2_job.job", "google_sql_user.operate"),
        ("google_bigquery_table.view", "google_bigquery_dataset_iam_member.apply"),
        ("terraform_data.build", "google_bigquery_dataset.dataset"),
    ],
)
def test_this_is_made_after_what_it_needs(made: str, needs: str) -> None:
    assert needs in before(made)
