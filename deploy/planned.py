"""The resources of a plan or a state, from terraform's JSON, as the policies read them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

UNKNOWN = "(known after apply)"
"""Stands where a first plan does not know a value yet; it is a value, so what must be set is set."""


@dataclass(frozen=True)
class Resource:
    """One instance of a managed resource."""

    address: str
    kind: str
    name: str
    key: str | int | None
    values: dict[str, Any]

    def all(self, path: str) -> list[Any]:
        """Every value at a path such as `push_config.oidc_token.audience`; blocks are lists and all are entered."""
        return [value for value in _at(self.values, path.split(".")) if value is not None]

    def at(self, path: str) -> Any:
        """The first value at a path, or None."""
        return next(iter(self.all(path)), None)


@dataclass(frozen=True)
class Plan:
    """What an environment will be made of."""

    environment: str
    resources: tuple[Resource, ...]

    def of(self, *kinds: str) -> list[Resource]:
        """The resources of some kinds, in the order of their addresses."""
        return [resource for resource in self.resources if resource.kind in kinds]

    def find(self, kind: str, reference: str) -> Resource | None:
        """The resource of a kind that a value refers to: by its id, its name, or a path that ends with its name."""
        for resource in self.of(kind):
            if reference in (resource.at("id"), resource.at("name")) or reference.endswith(f"/{resource.at('name')}"):
                return resource
        return None


def read(document: dict[str, Any], environment: str) -> Plan:
    """Read the JSON of `terraform show` for a plan or a state."""
    unknown = {c["address"]: c["change"].get("after_unknown") for c in document.get("resource_changes", ())}
    top = document.get("planned_values") or document.get("values") or {}
    found = [
        Resource(r["address"], r["type"], r["name"], r.get("index"), _marked(r["values"], unknown.get(r["address"])))
        for r in _resources(top.get("root_module", {}))
        if r["mode"] == "managed"
    ]
    return Plan(environment, tuple(sorted(found, key=lambda resource: resource.address)))


def _resources(module: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield from module.get("resources", ())
    for child in module.get("child_modules", ()):
        yield from _resources(child)


def _marked(value: Any, unknown: Any) -> Any:
    """`value` with UNKNOWN where `unknown`, of the same shape, says true."""
    if unknown is True:
        return UNKNOWN
    if isinstance(unknown, dict):
        known = value or {}
        return {key: _marked(known.get(key), unknown.get(key)) for key in {**known, **unknown}}
    if isinstance(unknown, list) and unknown:
        known = [*(value or ()), *[None] * len(unknown)]
        return [_marked(known[i], inner) for i, inner in enumerate(unknown)]
    return value


def _at(value: Any, steps: list[str]) -> Iterator[Any]:
    if isinstance(value, list):
        for item in value:
            yield from _at(item, steps)
    elif not steps:
        yield value
    elif isinstance(value, dict) and steps[0] in value:
        yield from _at(value[steps[0]], steps[1:])
