"""Writes docs/data-dictionary.md: every table and view of the warehouse, from its schema.json and metadata.yaml.

python -m local.dictionary
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from local.table import ROOT

PAGE = ROOT / "docs" / "data-dictionary.md"
TABLES = ROOT / "sql" / "bigquery"
OPENING = """\
# Data dictionary of the warehouse

Written by `make describe` from `schema.json` and `metadata.yaml` of each folder `sql/bigquery/<dataset>/<table>`; not
by hand. A partitioned table refuses a query without a filter on its partition. What passes through `staging` expires
after a day. Tables of Postgres are in [contracts.md](contracts.md#postgres).
"""


def dictionary() -> str:
    """The whole page."""
    folders = sorted(path.parent for path in TABLES.glob("*/*/metadata.yaml"))
    datasets = sorted({folder.parent.name for folder in folders}, reverse=True)
    parts = [OPENING]
    for dataset in datasets:
        mine = [folder for folder in folders if folder.parent.name == dataset]
        parts.append(f"## {dataset}\n")
        parts += [_section(folder) for folder in sorted(mine, key=lambda folder: (_is_view(folder), folder.name))]
    return "\n".join(parts)


def _is_view(folder: Path) -> bool:
    return (folder / "view.sql").exists()


def _section(folder: Path) -> str:
    metadata: dict[str, Any] = yaml.safe_load((folder / "metadata.yaml").read_text(encoding="utf-8"))
    fields: list[dict[str, Any]] = json.loads((folder / "schema.json").read_text(encoding="utf-8"))
    rows = [f"| {name} | {field['type']} | {field['mode']} | {field['description']} |" for name, field in _flat(fields)]
    return "\n".join(
        [
            f"### {folder.parent.name}.{folder.name}\n",
            f"{metadata['description']}\n",
            *(f"- {name}: {text}" for name, text in _facts(folder, metadata)),
            "",
            "| column | type | mode | meaning |",
            "|---|---|---|---|",
            *rows,
            "",
        ]
    )


def _facts(folder: Path, metadata: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """What the metadata says beside the description, in one order."""
    build: dict[str, Any] = metadata.get("build", {})
    yield "Kind", "view" if _is_view(folder) else "table"
    yield "Grain", str(metadata["grain"])
    yield "Key", _columns(metadata["keys"])
    if "partition" in metadata:
        yield "Partition", _columns([metadata["partition"]])
    if "cluster" in metadata:
        yield "Cluster", _columns(metadata["cluster"])
    if reads := build.get("reads") or metadata.get("reads"):
        yield "Reads", _columns(reads)
    if build:
        yield "Built", f"{_CADENCE[build['cadence']]}, by {build['period']}"
    yield "Fresh within", str(metadata["freshness"])
    yield "Owner", str(metadata["owner"])


_CADENCE = {"load": "after each load", "hourly": "every hour", "nightly": "every night"}


def _columns(names: list[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _flat(fields: list[dict[str, Any]], within: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Each column, and the fields of a record after it as `record.field`."""
    for field in fields:
        name = f"{within}{field['name']}"
        yield f"`{name}`", field
        yield from _flat(field.get("fields", []), f"{name}.")


def main(path: Path = PAGE) -> None:
    """Bring the page up to date."""
    path.write_text(dictionary(), encoding="utf-8")


if __name__ == "__main__":
    main()
