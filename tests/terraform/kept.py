"""Resources that keep every policy, of which the tests break one value at a time."""

from __future__ import annotations

from typing import Any

from deploy.planned import Resource
from deploy.policies import encryption
from tests.terraform.snippets import resource

PUBSUB = "serviceAccount:service-1@gcp-sa-pubsub.iam.gserviceaccount.com"
TOPIC = resource("google_pubsub_topic", "chunks", name="chunks")
DEAD = resource("google_pubsub_topic", "dead", name="validate-chunks-dead")
OURS = {"app": "sluice", "environment": "prod", "managed_by": "terraform"}
CALLER = "invoke-validate@p.iam.gserviceaccount.com"
OPERATOR = "sluice-operate@p.iam.gserviceaccount.com"


def subscription(**values: Any) -> Resource:
    """A push subscription that keeps every policy, but for `values`."""
    token = {"service_account_email": CALLER, "audience": "https://validate"}
    dead = {"dead_letter_topic": DEAD.at("id"), "max_delivery_attempts": 20}
    kept = {
        "name": "validate-chunks",
        "topic": TOPIC.at("id"),
        "ack_deadline_seconds": 600,
        "message_retention_duration": "604800s",
        "expiration_policy": [{"ttl": ""}],
        "push_config": [{"push_endpoint": "https://validate", "oidc_token": [token]}],
        "retry_policy": [{"minimum_backoff": "10s", "maximum_backoff": "600s"}],
        "dead_letter_policy": [dead],
    }
    return resource("google_pubsub_subscription", "push", **kept | values)


def function(
    name: str = "validate", object_name: str = "validate/validate-0123456789abcdef.zip", **service: Any
) -> Resource:
    """A function of Cloud Functions."""
    kept = {"uri": f"https://{name}", "timeout_seconds": 540, "service_account_email": "fn@p.iam.gserviceaccount.com"}
    source = {"storage_source": [{"bucket": "source", "object": object_name}]}
    build = [{"service_account": "builder", "source": [source]}]
    kind = "google_cloudfunctions2_function"
    return resource(kind, name, name=name, service_config=[kept | service], build_config=build)


def job(**values: Any) -> Resource:
    """A job of Cloud Scheduler that calls `validate`."""
    target = {
        "uri": "https://validate",
        "oidc_token": [{"service_account_email": CALLER, "audience": "https://validate"}],
    }
    kept = {"attempt_deadline": "600s", "http_target": [target], "retry_config": [{"retry_count": 3}]}
    return resource("google_cloud_scheduler_job", "job", **kept | values)


def project_grant(
    role: str, member: str = "serviceAccount:fn@p.iam.gserviceaccount.com", condition: str = ""
) -> Resource:
    conditions = [{"expression": condition}] if condition else []
    return resource("google_project_iam_member", project="p", role=role, member=member, condition=conditions)


def database(**ip: Any) -> Resource:
    kept = {"ipv4_enabled": False, "private_network": "n", "ssl_mode": "ENCRYPTED_ONLY", "authorized_networks": []}
    return resource("google_sql_database_instance", settings=[{"ip_configuration": [kept | ip]}])


def bucket(**values: Any) -> Resource:
    kept = {"public_access_prevention": "enforced", "uniform_bucket_level_access": True}
    return resource("google_storage_bucket", **kept | values)


def dataset(**values: Any) -> Resource:
    kept = {"dataset_id": "staging", "max_time_travel_hours": "48", "default_table_expiration_ms": 86_400_000}
    return resource("google_bigquery_dataset", **kept | values)


def invoker(service: str, account: str) -> Resource:
    """An account that may call a function."""
    kind, member = "google_cloud_run_service_iam_member", f"serviceAccount:{account}"
    return resource(kind, service=service, role="roles/run.invoker", member=member)


INTERNAL = function(ingress_settings="ALLOW_INTERNAL_ONLY")
BUNDLE = resource("google_storage_bucket_object", bucket="source", name="validate/validate-0123456789abcdef.zip")
NETWORK_RULE = {"direction": "INGRESS", "allow": [{"protocol": "tcp"}]}
INVOKER = invoker("validate", CALLER)
SIGNER = resource(
    "google_service_account_iam_member",
    service_account_id="acc",
    role="roles/iam.serviceAccountTokenCreator",
    member=PUBSUB,
)
ACCOUNT = resource("google_service_account", account_id="invoke-validate", name="acc")
MAY_PUBLISH = resource(
    "google_pubsub_topic_iam_member", topic=DEAD.at("id"), role="roles/pubsub.publisher", member=PUBSUB
)
MAY_ACKNOWLEDGE = resource(
    "google_pubsub_subscription_iam_member",
    subscription="google_pubsub_subscription.push",
    role="roles/pubsub.subscriber",
    member=PUBSUB,
)
NOTIFICATION = resource("google_storage_notification", topic=TOPIC.at("id"))
STORAGE_MAY = resource(
    "google_pubsub_topic_iam_member",
    topic=TOPIC.at("id"),
    role="roles/pubsub.publisher",
    member="serviceAccount:service-1@gs-project-accounts.iam.gserviceaccount.com",
)
KEY = resource("google_kms_crypto_key", name="pubsub", rotation_period="7776000s")
LOCKED_TOPIC = resource("google_pubsub_topic", name="chunks", kms_key_name=KEY.at("id"))
MAY_DECRYPT = resource(
    "google_kms_crypto_key_iam_member", crypto_key_id=KEY.at("id"), role=encryption.USE, member=PUBSUB
)
CUSTOM = resource("google_project_iam_custom_role", role_id="lister", permissions=["pubsub.subscriptions.list"])
ALERT = resource(
    "google_monitoring_alert_policy", conditions=[{"filter": 'metric.type="logging.googleapis.com/user/errors"'}]
)
