"""A state as an apply would leave it, made from a first plan: in a plan against it every reference has a value.

A first plan does not know the ids of what it makes, so it cannot tell which topic a subscription reads. Here each
resource is given an id of its own, each account its e-mail and each function its URL; terraform works out the rest.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

PROVIDER = 'provider["registry.terraform.io/hashicorp/google"]'
STATE_VERSION = 4


def state_of(plan: dict[str, Any]) -> str:
    """The state file for the JSON of a first plan."""
    project = plan["variables"]["project"]["value"]
    found = [_entry(module, one, project) for module, one in _planned(plan["planned_values"]["root_module"])]
    return json.dumps({"version": STATE_VERSION, "serial": 1, "lineage": "settled", "resources": found})


def _planned(module: dict[str, Any], address: str | None = None) -> Iterator[tuple[str | None, dict[str, Any]]]:
    for resource in module.get("resources", ()):
        if resource["mode"] == "managed" and resource["type"].startswith("google_"):
            yield address, resource
    for child in module.get("child_modules", ()):
        yield from _planned(child, child["address"])


def _entry(module: str | None, resource: dict[str, Any], project: str) -> dict[str, Any]:
    instance = {"schema_version": resource["schema_version"], "attributes": _settled(resource, project)}
    if "index" in resource:
        instance["index_key"] = resource["index"]
    entry = {"mode": "managed", "type": resource["type"], "name": resource["name"], "provider": PROVIDER}
    return {**({"module": module} if module else {}), **entry, "instances": [instance]}


def _settled(resource: dict[str, Any], project: str) -> dict[str, Any]:
    """The values with those that Google decides and other resources refer to."""
    values = {"id": f"{resource['type']}/{resource['address']}", **resource["values"]}
    if resource["type"] == "google_cloudfunctions2_function":
        for service in values["service_config"]:
            service["uri"] = url_of(values["name"])
    if resource["type"] == "google_service_account":
        email = f"{values['account_id']}@{project}.iam.gserviceaccount.com"
        name = f"projects/{project}/serviceAccounts/{email}"
        values |= {"project": project, "email": email, "member": f"serviceAccount:{email}", "name": name, "id": name}
    return values


def url_of(function: str) -> str:
    """The URL that a function of this name has in such a state."""
    return f"https://{function}-0123456789-ew.a.run.app"
