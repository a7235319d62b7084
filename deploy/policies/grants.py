"""Who may do what where, gathered from every kind of IAM resource of a plan."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from deploy.planned import Plan, Resource

PLACES = {
    "google_artifact_registry_repository_iam_member": ("repository", "google_artifact_registry_repository"),
    "google_bigquery_dataset_iam_member": ("dataset_id", "google_bigquery_dataset"),
    "google_cloud_run_service_iam_member": ("service", "google_cloudfunctions2_function"),
    "google_cloud_run_v2_job_iam_member": ("name", "google_cloud_run_v2_job"),
    "google_kms_crypto_key_iam_member": ("crypto_key_id", "google_kms_crypto_key"),
    "google_pubsub_subscription_iam_member": ("subscription", "google_pubsub_subscription"),
    "google_pubsub_topic_iam_member": ("topic", "google_pubsub_topic"),
    "google_secret_manager_secret_iam_member": ("secret_id", "google_secret_manager_secret"),
    "google_service_account_iam_member": ("service_account_id", "google_service_account"),
    "google_storage_bucket_iam_member": ("bucket", "google_storage_bucket"),
}
PROJECT = "google_project_iam_member"
NAMES = ("account_id", "dataset_id", "secret_id", "repository_id", "name")


@dataclass(frozen=True)
class Grant:
    """One member's role on one thing: `kind` and `place` say on which, the project where `kind` is PROJECT."""

    address: str
    member: str
    role: str
    kind: str
    place: str
    condition: str | None


def grants(plan: Plan) -> Iterator[Grant]:
    """Every grant. `place` is the name of what it is on, or what the plan says where that is not of this plan."""
    for resource in plan.of(PROJECT, *PLACES):
        attribute, target = PLACES.get(resource.kind, ("project", PROJECT))
        place = str(resource.at(attribute))
        on = None if target == PROJECT else plan.find(target, place)
        yield Grant(
            resource.address,
            str(resource.at("member")),
            str(resource.at("role")),
            target,
            name_of(on) if on else place,
            resource.at("condition.expression"),
        )


def name_of(resource: Resource) -> str:
    """The name by which Google knows it, without the project."""
    return str(next(resource.at(name) for name in NAMES if resource.at(name)))
