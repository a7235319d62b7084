"""A state as an apply would leave it, made from a first plan: in a plan against it every reference has a value.

A first plan does not know the ids of what it makes, so it cannot tell which topic a subscription reads. Here each
resource is given an id of its own and each function a URL of its own; terraform then works out the rest.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

GOOGLE = 'provider["registry.terraform.io/hashicorp/google"]'
STATE_VERSION = 4


def state_of(plan: dict[str, Any]) -> str:
    """The state file for the JSON of a first plan."""
    instances = [_instance(module, found) for module, found in _planned(plan["planned_values"]["root_module"])]
    return json.dumps({"version": STATE_VERSION, "serial": 1, "lineage": "settled", "resources": instances})


def _planned(module: dict[str, Any], address: str | None = None) -> Iterator[tuple[str | None, dict[str, Any]]]:
    for found in module.get("resources", ()):
        if found["mode"] == "managed" and found["type"].startswith("google_"):
            yield address, found
    for child in module.get("child_modules", ()):
        yield from _planned(child, child["address"])


def _instance(module: str | None, found: dict[str, Any]) -> dict[str, Any]:
    attributes = {"id": f"{found['type']}/{found['address']}", **found["values"]}
    if found["type"] == "google_cloudfunctions2_function":
        for service in attributes["service_config"]:
            service["uri"] = url_of(attributes["name"])
    instance = {"schema_version": found["schema_version"], "attributes": attributes}
    if "index" in found:
        instance["index_key"] = found["index"]
    named = {"mode": "managed", "type": found["type"], "name": found["name"], "provider": GOOGLE}
    return {**({"module": module} if module else {}), **named, "instances": [instance]}


def url_of(function: str) -> str:
    """The URL that a function of this name has in such a state."""
    return f"https://{function}-0123456789-ew.a.run.app"
