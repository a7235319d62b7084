"""docs/warehouse.md says what is there: its examples run and give the columns shown, its checks are the checks."""

from __future__ import annotations

import re

import pytest

from shared.adapters.warehouse_sql import FOLDER
from tests.sql.building import Marts
from tests.sql.cases import TABLES
from tests.test_docs import section, table, text

PAGE = "docs/warehouse.md"
EXAMPLES = re.findall(r"^```sql\n(.*?)^```\n\n\|([^\n]*)\|$", text(PAGE), re.MULTILINE | re.DOTALL)
NAMED = re.compile(r"'(\w+)' AS name,\s+'(\w+)' AS severity")


@pytest.mark.parametrize(("sql", "heads"), EXAMPLES)
def test_an_example_runs_and_gives_the_columns_that_are_shown(sql: str, heads: str, created: Marts) -> None:
    columns = [field.name for field in created.client.query(sql).result().schema]
    assert columns == [head.strip() for head in heads.split("|")]


def test_every_mart_and_view_has_a_section_with_an_example() -> None:
    headings = re.findall(r"^##+ (\w+)$", text(PAGE), re.MULTILINE)
    assert sorted(f"marts.{name}" for name in headings) == [name for name in TABLES if name.startswith("marts.")]
    assert len(EXAMPLES) == len(headings)


def test_checks_and_their_severity_are_those_of_the_sql() -> None:
    found: dict[tuple[str, str], set[str]] = {}
    for path in (FOLDER / "marts").glob("*/checks.sql"):
        for check in NAMED.findall(path.read_text(encoding="utf-8")):
            found.setdefault(check, set()).add(path.parent.name)
    every = {path.parent.name for path in (FOLDER / "marts").glob("*/checks.sql")}
    told: dict[tuple[str, str], set[str]] = {}
    for name, marts, severity, _ in table(section(PAGE, "## How a mart is built")):
        told[name, severity] = every if marts == "all" else set(marts.split(", "))
    assert told == found
