"""The kinds of resources that cost nothing by themselves, each with the reason."""

from __future__ import annotations

_RIGHT = "a right, a policy or an identity"
_IN_MODEL = "counted by what it holds, in the model of the warehouse"

FREE = {
    "google_project_service": "switching an API on",
    "terraform_data": "only in Terraform's state",
    "google_service_account": _RIGHT,
    "google_bigquery_dataset": _IN_MODEL,
}
