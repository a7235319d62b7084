"""Small plans for the tests of the policies."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from deploy.planned import Plan, Resource


def resource(kind: str, name: str = "it", /, **values: Any) -> Resource:
    """One resource of a plan; its id is its address, as in a settled state."""
    return Resource(f"{kind}.{name}", kind, name, None, {"id": f"{kind}.{name}", **values})


def plan(*resources: Resource, environment: str = "prod") -> Plan:
    """A plan of these."""
    return Plan(environment, resources)


def texts(value: Any) -> Iterator[Any]:
    """Every scalar in a value, at any depth."""
    if isinstance(value, dict):
        for inner in value.values():
            yield from texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from texts(inner)
    else:
        yield value
