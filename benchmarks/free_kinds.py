"""The kinds of resources that cost nothing by themselves, each with the reason."""

from __future__ import annotations

_RIGHT = "a right, a role or an account"
_NETWORK = "what passes through it is priced, with the gateway or as logs"
_WITHIN = "priced with what it belongs to"
_MONITORING = "metrics of Google and those made of logs below the free amount; alerts are priced"

FREE = {
    "google_artifact_registry_repository_iam_member": _RIGHT,
    "google_bigquery_dataset": _WITHIN,
    "google_bigquery_dataset_iam_member": _RIGHT,
    "google_billing_budget": "a limit that alerts",
    "google_cloud_run_service_iam_member": _RIGHT,
    "google_cloud_run_v2_job_iam_member": _RIGHT,
    "google_compute_firewall": _NETWORK,
    "google_compute_global_address": "a private range",
    "google_compute_network": _NETWORK,
    "google_compute_router": _NETWORK,
    "google_dns_record_set": _WITHIN,
    "google_kms_crypto_key_iam_member": _RIGHT,
    "google_kms_key_ring": _WITHIN,
    "google_logging_metric": _MONITORING,
    "google_monitoring_custom_service": _MONITORING,
    "google_monitoring_dashboard": _MONITORING,
    "google_monitoring_notification_channel": _MONITORING,
    "google_monitoring_slo": _MONITORING,
    "google_project_iam_custom_role": _RIGHT,
    "google_project_iam_member": _RIGHT,
    "google_project_service": "switching an API on",
    "google_pubsub_subscription_iam_member": _RIGHT,
    "google_pubsub_topic": "what is published is priced with its subscriptions",
    "google_pubsub_topic_iam_member": _RIGHT,
    "google_secret_manager_secret_iam_member": _RIGHT,
    "google_service_account": _RIGHT,
    "google_service_account_iam_member": _RIGHT,
    "google_service_networking_connection": _NETWORK,
    "google_sql_database": _WITHIN,
    "google_sql_user": _WITHIN,
    "google_storage_bucket_iam_member": _RIGHT,
    "google_storage_bucket_object": "bundles of some hundred KB",
    "google_storage_notification": "messages are priced with their subscriptions",
    "terraform_data": "only in Terraform's state",
}
