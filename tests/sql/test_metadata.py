"""Every table and view of the warehouse says whose it is, what a row is, and what it is built from."""

from __future__ import annotations

import json
import re
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.sql.files import FILES, TABLES, SqlFile

ALWAYS = {"description", "owner", "grain", "keys", "freshness"}
OF_A_TABLE = {"partition", "cluster", "build"}
OF_A_VIEW = {"kind", "reads"}
TYPES = {"BOOL", "DATE", "FLOAT64", "INT64", "NUMERIC", "RECORD", "STRING", "TIMESTAMP"}
METADATA: dict[str, dict[str, Any]] = {
    name: yaml.safe_load((folder / "metadata.yaml").read_text(encoding="utf-8")) for name, folder in TABLES.items()
}
MARTS = {name: metadata["build"] for name, metadata in METADATA.items() if "build" in metadata}
READS = {
    **{name: build["reads"] for name, build in MARTS.items()},
    **{name: metadata["reads"] for name, metadata in METADATA.items() if metadata.get("kind") == "view"},
}
BUILDERS = [file for file in FILES if file.builds]
every_table = pytest.mark.parametrize("name", METADATA)


def fields(folder: Path) -> list[dict[str, Any]]:
    read: list[dict[str, Any]] = json.loads((folder / "schema.json").read_text(encoding="utf-8"))
    return read


def columns(name: str) -> list[str]:
    return [field["name"] for field in fields(TABLES[name])]


def is_view(name: str) -> bool:
    return (TABLES[name] / "view.sql").exists()


@every_table
def test_metadata_is_complete_and_says_nothing_else(name: str) -> None:
    metadata = METADATA[name]
    assert set(metadata) >= ALWAYS
    assert set(metadata) <= ALWAYS | (OF_A_VIEW if is_view(name) else OF_A_TABLE)
    assert all(metadata[key] for key in metadata)
    assert metadata["description"].endswith(".")
    assert re.fullmatch(r"\d+ (minutes|hours)", metadata["freshness"])
    assert metadata.get("kind", "table") == ("view" if is_view(name) else "table")


@every_table
def test_keys_partition_and_cluster_are_columns(name: str) -> None:
    metadata, known = METADATA[name], columns(name)
    assert not [column for column in metadata["keys"] if column not in known]
    assert not [column for column in metadata.get("cluster", []) if column not in known]
    assert len(metadata.get("cluster", [])) <= 4, "BigQuery clusters by four columns at most"
    if partition := metadata.get("partition"):
        assert {field["name"]: field["type"] for field in fields(TABLES[name])}[partition] == "DATE"


@every_table
def test_every_column_has_a_type_a_mode_and_a_description(name: str) -> None:
    assert len(columns(name)) == len(set(columns(name)))
    waiting = fields(TABLES[name])
    while waiting:
        field = waiting.pop()
        assert re.fullmatch(r"[a-z][a-z0-9_]*", field["name"])
        assert field["type"] in TYPES, field["name"]
        assert field["mode"] in ("REQUIRED", "NULLABLE", "REPEATED"), field["name"]
        assert field["description"].endswith("."), field["name"]
        assert ("fields" in field) == (field["type"] == "RECORD"), field["name"]
        waiting.extend(field.get("fields", []))


@pytest.mark.parametrize("name", MARTS)
def test_a_mart_says_when_it_is_built_of_what_period_and_from_which_tables(name: str) -> None:
    build = MARTS[name]
    assert set(build) == {"cadence", "period", "reads"}
    assert build["cadence"] in ("load", "hourly", "nightly")
    assert build["period"] in ("day", "month")
    assert METADATA[name]["partition"] in METADATA[name]["keys"]
    assert set(build["reads"]) <= set(METADATA) - {name}


def test_nothing_reads_what_is_built_from_it() -> None:
    order = list(TopologicalSorter(READS).static_order())
    assert set(READS) <= set(order) <= set(METADATA)


@pytest.mark.parametrize("file", BUILDERS, ids=lambda file: file.table)
def test_a_mart_or_view_reads_what_it_says(file: SqlFile) -> None:
    assert file.tables == set(READS[file.table])


@pytest.mark.parametrize("mart", MARTS)
def test_a_mart_is_checked_before_it_is_replaced(mart: str) -> None:
    assert {"query.sql", "checks.sql", "replace.sql"} <= {path.name for path in TABLES[mart].iterdir()}
