"""What the repository says an installation must be made of: functions.yaml, the tables of sql/bigquery, the runbook."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml


@dataclass(frozen=True)
class Described:
    """A folder of sql/bigquery: a table, or a view where `view` is its SQL."""

    schema: list[dict[str, Any]]
    metadata: dict[str, Any]
    view: str | None


@dataclass(frozen=True)
class Repository:
    """`functions` are the rows of functions.yaml, `tables` are by `dataset.table`, `anchors` are the runbook's."""

    topics: tuple[str, ...]
    functions: dict[str, dict[str, Any]]
    tables: dict[str, Described]
    anchors: frozenset[str]

    def deployed(self, environment: str) -> dict[str, dict[str, Any]]:
        """The functions of an environment: a row without `environments` is in all of them."""
        rows = self.functions.items()
        return {name: row for name, row in rows if environment in row.get("environments", [environment])}


def read_repository(root: Path) -> Repository:
    """Read the checkout `root`."""
    table: dict[str, Any] = yaml.safe_load((root / "functions" / "functions.yaml").read_text(encoding="utf-8"))
    folders = sorted(path.parent for path in (root / "sql" / "bigquery").glob("*/*/schema.json"))
    tables = {f"{folder.parent.name}.{folder.name}": _described(folder) for folder in folders}
    runbook = (root / "docs" / "runbook.md").read_text(encoding="utf-8")
    anchors = frozenset(anchor(heading) for heading in re.findall(r"^#+ (.+)$", runbook, re.MULTILINE))
    return Repository(tuple(table["topics"]), table["functions"], tables, anchors)


def anchor(heading: str) -> str:
    """How a page is linked to at a heading, as GitHub makes it."""
    return re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")


def _described(folder: Path) -> Described:
    view = folder / "view.sql"
    return Described(
        json.loads((folder / "schema.json").read_text(encoding="utf-8")),
        yaml.safe_load((folder / "metadata.yaml").read_text(encoding="utf-8")),
        view.read_text(encoding="utf-8") if view.exists() else None,
    )
