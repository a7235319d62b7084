"""What a plan of Terraform would touch, from `terraform show -json`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

CODE = frozenset({"google_storage_bucket_object", "google_cloudfunctions2_function"})
"""Kinds of resources that change when only the bundle of a function does."""


def changes(plan: Mapping[str, Any]) -> dict[str, tuple[str, list[str]]]:
    """Address => kind and actions, of all that the plan changes; reading and leaving alone are no changes."""
    return {
        change["address"]: (change["type"], change["change"]["actions"])
        for change in plan.get("resource_changes", [])
        if change["change"]["actions"] not in (["no-op"], ["read"])
    }


def beyond_code(plan: Mapping[str, Any]) -> list[str]:
    """Addresses that going back to earlier bundles must not touch: all but bundles, and a function made anew.

    Making a function anew (delete, create) would give it a new identity towards its callers and lose its grants.
    """
    return sorted(
        address
        for address, (kind, actions) in changes(plan).items()
        if kind not in CODE or (kind == "google_cloudfunctions2_function" and actions != ["update"])
    )
