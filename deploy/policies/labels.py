"""Everything that takes labels says which app and environment it is of, and that Terraform made it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from deploy.planned import Plan, Resource

NAMES = ("app", "environment", "managed_by")
MERGED = "effective_labels"
BY_HAND = "user_labels"


def what_takes_labels_is_labelled(plan: Plan) -> Iterator[str]:
    """Every resource whose schema knows labels, with the labels as they will be."""
    for resource in plan.resources:
        for where, labels in _labels(resource):
            missing = [name for name in NAMES if name not in labels]
            if missing:
                yield f"{resource.address}: {where} lacks {', '.join(missing)}; give it local.labels"
            elif labels["environment"] != plan.environment:
                yield f"{resource.address}: {where} says environment {labels['environment']}, not {plan.environment}"


def _labels(resource: Resource) -> Iterator[tuple[str, dict[str, Any]]]:
    """`effective_labels`, into which the provider merges its default ones, and `user_labels`, which it leaves alone."""
    if MERGED in resource.values:
        yield MERGED, resource.at(MERGED) or {}
    for block in (resource.values, *resource.all("settings")):
        if BY_HAND in block:
            yield BY_HAND, block[BY_HAND] or {}
