"""Everything that is kept is encrypted with a key of ours, which rotates, and which its service's agent may use."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from deploy.planned import Plan, Resource
from deploy.policies.grants import grants

KEY = re.compile(r"(^|_)kms_key(_name|_id|_self_link)?$|^encryption_key(_name)?$|^disk_encryption_key$")
BLOCK = re.compile(r"^(default_)?encryption(_configuration)?$|^customer_managed_encryption$")
KEYLESS = {"google_storage_bucket_object": "it is encrypted with the key of its bucket"}
USE = "roles/cloudkms.cryptoKeyEncrypterDecrypter"
LONGEST_ROTATION_DAYS = 90
DAY = 86_400

STORAGE = r"gs-project-accounts|google_storage_project_service_account"
BIGQUERY = r"@bigquery-encryption\.|:x@stub-project\."
"""Offline a data source that tells an agent's e-mail tells what stands behind the |."""

AGENTS = {
    "google_artifact_registry_repository": ("gcp-sa-artifactregistry",),
    "google_bigquery_dataset": (BIGQUERY,),
    "google_bigquery_table": (BIGQUERY,),
    "google_cloud_run_v2_job": ("serverless-robot-prod",),
    "google_cloudfunctions2_function": ("gcf-admin-robot", "serverless-robot-prod", "gcp-sa-artifactregistry", STORAGE),
    "google_pubsub_topic": ("gcp-sa-pubsub",),
    "google_secret_manager_secret": ("gcp-sa-secretmanager",),
    "google_sql_database_instance": ("gcp-sa-cloud-sql",),
    "google_storage_bucket": (STORAGE,),
}
"""Kind => the agents that must be allowed to use its key, as patterns of their e-mails."""


def what_takes_a_key_has_one(plan: Plan) -> Iterator[str]:
    """Every resource that can be encrypted with a key is; the schema, not a list, says which can."""
    for resource in plan.resources:
        if _takes_a_key(resource.values) and not keys_of(resource) and not _holds_nothing(resource):
            yield f"{resource.address}: takes an encryption key and has none"


def keys_rotate(plan: Plan) -> Iterator[str]:
    """A new version at least every 90 days; and a destroyed one can be had back for a while."""
    for key in plan.of("google_kms_crypto_key"):
        if _days(key.at("rotation_period")) not in range(1, LONGEST_ROTATION_DAYS + 1):
            yield f"{key.address}: rotation_period must be set, to {LONGEST_ROTATION_DAYS} days at most"


def agents_may_use_the_keys(plan: Plan) -> Iterator[str]:
    """Without its agent's grant on the key the first apply of a resource fails."""
    users = [(grant.place, grant.member) for grant in grants(plan) if grant.role == USE]
    for resource in plan.of(*AGENTS):
        for reference in keys_of(resource):
            key = plan.find("google_kms_crypto_key", reference)
            if key is None:
                yield f"{resource.address}: its key {reference} is none of this plan"
                continue
            for agent in AGENTS[resource.kind]:
                if not any(place == key.at("name") and re.search(agent, member) for place, member in users):
                    yield f"{resource.address}: no agent {agent} may use its key {key.at('name')}"


def keys_of(resource: Resource) -> list[str]:
    """The keys that a resource names, wherever it names them."""
    return [str(value) for name, value in _pairs(resource.values) if KEY.search(name) and value]


def _takes_a_key(values: dict[str, Any]) -> bool:
    return any(KEY.search(name) or BLOCK.search(name) for name, _ in _pairs(values))


def _holds_nothing(resource: Resource) -> bool:
    return resource.kind in KEYLESS or bool(resource.all("view"))


def _pairs(value: Any) -> Iterator[tuple[str, Any]]:
    """Every attribute and block with its value, at any depth."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield name, inner
            yield from _pairs(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _pairs(inner)


def _days(seconds: str | None) -> int:
    return int(float(seconds.removesuffix("s")) / DAY) if seconds else 0
