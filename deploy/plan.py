"""What a plan of Terraform would touch, from `terraform show -json`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

CODE = frozenset({"google_storage_bucket_object", "google_cloudfunctions2_function"})
"""Kinds of resources that change when only the bundle of a function does."""


MESSAGES = frozenset({"google_pubsub_subscription", "google_pubsub_topic"})
"""Kinds of resources that hold messages."""


def changes(plan: Mapping[str, Any]) -> dict[str, tuple[str, list[str]]]:
    """Address => kind and actions, of all that the plan changes; reading and leaving alone are no changes."""
    return {
        change["address"]: (change["type"], change["change"]["actions"])
        for change in plan.get("resource_changes", [])
        if change["change"]["actions"] not in (["no-op"], ["read"])
    }


def undrained(plan: Mapping[str, Any]) -> list[str]:
    """Addresses of what holds messages that the plan would delete, also to make it anew, and `drained` does not name.

    What waits in a subscription goes with it; the ledger would count these rows as pending for ever.
    """
    drained = plan.get("variables", {}).get("drained", {}).get("value", ())
    return sorted(
        one["address"]
        for one in plan.get("resource_changes", [])
        if one["type"] in MESSAGES and "delete" in one["change"]["actions"]
        if one["change"]["before"]["name"] not in drained
    )


def beyond_code(plan: Mapping[str, Any]) -> list[str]:
    """Addresses that going back to earlier bundles must not touch: all but bundles, and a function made anew.

    Making a function anew (delete, create) would give it a new identity towards its callers and lose its grants.
    """
    return sorted(
        address
        for address, (kind, actions) in changes(plan).items()
        if kind not in CODE or (kind == "google_cloudfunctions2_function" and actions != ["update"])
    )
