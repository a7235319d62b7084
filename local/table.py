"""functions/functions.yaml as the local cloud reads it: the same table that Terraform deploys."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parent.parent
TABLE = ROOT / "functions" / "functions.yaml"


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
    """Read the table. A trigger that is none of topic, schedule and http is an error that names its function."""
    table: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    topics = tuple(table["topics"])
    return Wiring(topics, tuple(_function(name, row, topics) for name, row in table["functions"].items()))


def _function(name: str, row: dict[str, Any], topics: tuple[str, ...]) -> Function:
    triggers: list[dict[str, Any]] = row["triggers"]
    for trigger in triggers:
        if len(trigger) != 1 or not set(trigger) <= {"topic", "schedule", "http"}:
            raise ValueError(f"functions.yaml: {name}: a trigger is one of topic, schedule or http")
        if "topic" in trigger and trigger["topic"] not in topics:
            raise ValueError(f"functions.yaml: {name}: topic {trigger['topic']} is not listed under topics")
    return Function(
        name=name,
        entry_point=row["entry_point"],
        topics=tuple(t["topic"] for t in triggers if "topic" in t),
        schedules=tuple(t["schedule"] for t in triggers if "schedule" in t),
        http=any("http" in t for t in triggers),
        development_only=row.get("environments") == ["dev"],
        roles=tuple(row["roles"]),
    )
