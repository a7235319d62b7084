"""functions/functions.yaml as the local cloud reads it: the same table that Terraform deploys."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

try:  # every server reads the table at its start, which takes the other one 50 ms
    from yaml import CSafeLoader as Loader
except ImportError:  # PyYAML was built without libyaml
    from yaml import SafeLoader as Loader  # type: ignore[assignment]

ROOT = Path(__file__).resolve().parent.parent
TABLE = ROOT / "functions" / "functions.yaml"
NAME = re.compile("^[a-z][a-z_]{1,21}[a-z]$")
"""An account has 6 to 30 letters, of which `fn-` and `invoke-` are some; terraform/modules/table says the same."""


class BadTable(ValueError):
    """A row of the table cannot mean anything."""


@dataclass(frozen=True)
class Function:
    """One row of the table."""

    name: str
    entry_point: str
    topics: tuple[str, ...]
    schedules: tuple[str, ...]
    http: bool
    development_only: bool
    roles: tuple[str, ...]
    publishes: tuple[str, ...] = ()

    @property
    def source(self) -> Path:
        """The function's page."""
        return ROOT / "functions" / self.name / "main.py"


@dataclass(frozen=True)
class Wiring:
    """All topics and functions."""

    topics: tuple[str, ...]
    functions: tuple[Function, ...]


def read_table(path: Path = TABLE) -> Wiring:
    """Read the table. Raises BadTable where a row cannot mean anything, with its line and what to do.

    What only a deployment needs (roles, sizes, secrets) is checked by terraform/modules/table, by the same lines.
    """
    text = path.read_text(encoding="utf-8")
    lines = _lines(text)
    table: dict[str, Any] = yaml.load(text, Loader=Loader)
    topics = tuple(table["topics"])
    functions = tuple(
        _function(name, row, topics, f"{path.name}:{lines[name]}: {name}") for name, row in table["functions"].items()
    )
    entries: dict[str, str] = {}
    for function in functions:
        if (first := entries.setdefault(function.entry_point, function.name)) != function.name:
            place = f"{path.name}:{lines[function.name]}: {function.name}"
            raise BadTable(
                f"{place}: entry point {function.entry_point} is that of {first} too: give it one of its own"
            )
    for topic in topics:
        if not any(topic in function.topics for function in functions):
            raise BadTable(
                f"{path.name}:{lines['topics']}: no function takes topic {topic}: its messages would be lost"
            )
    return Wiring(topics, functions)


def _lines(text: str) -> dict[str, int]:
    """The line of `topics` and of each function. YAML itself keeps the last of two rows of one name without a word."""
    document = yaml.compose(text, Loader=Loader)
    found: dict[str, int] = {}
    for key, value in document.value if document else ():
        rows = [key] if key.value == "topics" else [name for name, _ in value.value]
        for row in rows:
            line = row.start_mark.line + 1
            if row.value in found:
                raise BadTable(f"functions.yaml:{line}: {row.value} is in line {found[row.value]} too: take one out")
            found[row.value] = line
    return found


def _function(name: str, row: dict[str, Any], topics: tuple[str, ...], place: str) -> Function:
    if not NAME.match(name):
        raise BadTable(f"{place}: the name must be 3 to 23 small letters and _, as accounts are named after it")
    triggers: list[dict[str, Any]] = row["triggers"]
    for trigger in triggers:
        if len(trigger) != 1 or not set(trigger) <= {"topic", "schedule", "http"}:
            raise BadTable(f"{place}: a trigger is one of topic, schedule or http, not {', '.join(trigger)}")
        if "topic" in trigger and trigger["topic"] not in topics:
            raise BadTable(
                f"{place}: topic {trigger['topic']} is not listed under topics: add it there or mend the name"
            )
    function = Function(
        name=name,
        entry_point=row["entry_point"],
        topics=tuple(t["topic"] for t in triggers if "topic" in t),
        schedules=tuple(t["schedule"] for t in triggers if "schedule" in t),
        http=any("http" in t for t in triggers),
        development_only=row.get("environments") == ["dev"],
        roles=tuple(row["roles"]),
        publishes=tuple(row.get("publishes", ())),
    )
    if not function.source.exists():
        raise BadTable(f"{place}: functions/{name}/main.py is missing: add it, or take the row out")
    return function
