"""Every mart and view gives the rows that its cases expect, every column of them, to the cent."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.sql.building import Marts
from tests.sql.cases import PATHS, TABLES, metadata_of, read_case, schema_of

BUILT = [table for table in TABLES if "build" in metadata_of(table)]
VIEWS = [table for table in TABLES if metadata_of(table).get("kind") == "view"]


def named(path: Path) -> str:
    return "/".join(path.parts[-3:-1])


@pytest.mark.parametrize("path", [p for p in PATHS if f"marts.{p.parts[-3]}" in BUILT], ids=named)
def test_a_mart_holds_what_the_case_expects(path: Path, marts: Marts) -> None:
    case = read_case(path)
    for table, rows in case.inputs.items():
        marts.put(table, rows)
    assert marts.build(case.table, case.params) == case.checks
    assert marts.rows(case.table) == case.expected


@pytest.mark.parametrize("path", [p for p in PATHS if f"marts.{p.parts[-3]}" in VIEWS], ids=named)
def test_a_view_gives_what_the_case_expects(path: Path, marts: Marts) -> None:
    case = read_case(path)
    for table, rows in case.inputs.items():
        marts.put(table, rows)
    assert marts.rows(case.table) == case.expected


@pytest.mark.parametrize("view", VIEWS)
def test_a_view_has_the_columns_that_its_schema_declares(view: str, marts: Marts) -> None:
    declared = [(field["name"], field["type"], field["description"]) for field in schema_of(view)]
    names = {"INTEGER": "INT64", "BOOLEAN": "BOOL"}
    found = marts.client.get_table(view).schema
    assert [(f.name, names.get(f.field_type, f.field_type), f.description) for f in found] == declared


def test_every_mart_has_five_cases_and_every_view_one() -> None:
    cases = [f"marts.{path.parts[-3]}" for path in PATHS]
    assert {mart: cases.count(mart) >= 5 for mart in BUILT} == dict.fromkeys(BUILT, True)
    assert set(cases) == {*BUILT, *VIEWS}


@pytest.mark.parametrize("mart", BUILT)
def test_a_mart_has_the_cases_that_every_mart_must_have(mart: str) -> None:
    names = {path.parts[-2] for path in PATHS if f"marts.{path.parts[-3]}" == mart}
    assert {"plain", "late_row", "refund", "missing_rate", "empty_period", "failing_check"} <= names
