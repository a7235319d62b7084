"""The tables and views that the folders of sql/bigquery describe, as each of those who make them says it.

`described` reads the folders by itself; `local_tables` is what the local cloud makes; `planned_tables` is what a plan
of Terraform (`terraform show -json`) makes. All three must be equal.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from google.cloud import bigquery

from local.resources import is_view, table_of
from local.table import ROOT

FOLDER = ROOT / "sql" / "bigquery"


@dataclass(frozen=True)
class Table:
    """What two tables must have in common to be the same; a column is its name, type and mode."""

    description: str
    columns: tuple[tuple[str, str, str], ...]
    partition: str | None = None
    filter_required: bool = False
    cluster: tuple[str, ...] = ()
    view: str | None = None


def described() -> dict[str, Table]:
    """Each table and view `dataset.table` as its folder describes it."""
    return {_name(path): _of_folder(path.parent) for path in sorted(FOLDER.glob("*/*/schema.json"))}


def local_tables() -> dict[str, Table]:
    """The tables, without the views, that local/resources.py makes."""
    folders = [path.parent for path in sorted(FOLDER.glob("*/*/schema.json")) if not is_view(path.parent)]
    return {f"{folder.parent.name}.{folder.name}": _of_client(table_of(folder)) for folder in folders}


def planned_tables(plan: Mapping[str, Any]) -> dict[str, Table]:
    """The tables and views of a plan's JSON."""
    found = plan["planned_values"]["root_module"]["resources"]
    values = [one["values"] for one in found if one["type"] == "google_bigquery_table"]
    return {f"{one['dataset_id']}.{one['table_id']}": _of_plan(one) for one in values}


def planned_staging_hours(plan: Mapping[str, Any]) -> float:
    """How long a table of staging is kept by a plan."""
    found = plan["planned_values"]["root_module"]["resources"]
    (staging,) = [one for one in found if one["address"] == 'google_bigquery_dataset.dataset["staging"]']
    return float(staging["values"]["default_table_expiration_ms"]) / 3_600_000


def _name(path: Path) -> str:
    return f"{path.parent.parent.name}.{path.parent.name}"


def _columns(fields: list[dict[str, Any]], within: str = "") -> tuple[tuple[str, str, str], ...]:
    found: list[tuple[str, str, str]] = []
    for field in fields:
        name = f"{within}{field['name']}"
        found.append((name, field["type"], field["mode"]))
        found += _columns(field.get("fields", []), f"{name}.")
    return tuple(found)


def _of_folder(folder: Path) -> Table:
    metadata = yaml.safe_load((folder / "metadata.yaml").read_text(encoding="utf-8"))
    fields = json.loads((folder / "schema.json").read_text(encoding="utf-8"))
    view = folder / "view.sql"
    return Table(
        metadata["description"],
        _columns(fields),
        metadata.get("partition"),
        "partition" in metadata,
        tuple(metadata.get("cluster", ())),
        view.read_text(encoding="utf-8") if view.exists() else None,
    )


def _of_client(table: bigquery.Table) -> Table:
    fields = [field.to_api_repr() for field in table.schema]
    partitioning = table.time_partitioning
    assert partitioning is None or partitioning.type_ == "DAY", "tables are partitioned by day"
    return Table(
        table.description,
        _columns(fields),
        partitioning.field if partitioning else None,
        bool(table.require_partition_filter),
        tuple(table.clustering_fields or ()),
    )


def _of_plan(values: Mapping[str, Any]) -> Table:
    partitioning = (values.get("time_partitioning") or [None])[0]
    assert partitioning is None or partitioning["type"] == "DAY", "tables are partitioned by day"
    view = (values.get("view") or [None])[0]
    return Table(
        values["description"],
        _columns(json.loads(values["schema"])),
        partitioning["field"] if partitioning else None,
        bool(values.get("require_partition_filter")),
        tuple(values.get("clustering") or ()),
        view["query"] if view else None,
    )
