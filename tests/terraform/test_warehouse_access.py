"""What bigquery_access.tf lets a function do in a dataset is what its SQL does there."""

from __future__ import annotations

import re

from local.table import ROOT, read_table
from tests.terraform.access import granted
from tests.terraform.tables import FOLDER

TABLE = re.compile(r"\b(sales|marts|staging)\.[a-z_{$]")
WRITES = re.compile(
    r"(?:INSERT INTO|MERGE|MERGE INTO|DELETE FROM|UPDATE|CREATE TABLE|DROP TABLE)\s+`?(sales|marts|staging)\."
)


def datasets(pattern: re.Pattern[str], *globs: str) -> set[str]:
    """The datasets that files of SQL name in this way."""
    texts = [path.read_text(encoding="utf-8") for glob in globs for path in sorted(FOLDER.glob(glob))]
    assert texts, globs
    return {match[1] for text in texts for match in pattern.finditer(text)}


def test_every_function_with_a_role_in_the_warehouse_has_its_datasets_named_and_no_other_has() -> None:
    roles = {"warehouse_reader", "warehouse_writer"}
    assert set(granted()) == {function.name for function in read_table().functions if roles & set(function.roles)}


def test_reports_read_marts_alone_and_so_does_the_function() -> None:
    assert datasets(TABLE, "reports/*.sql") == {"marts"} == set(granted()["report"])
    assert set(granted()["report"].values()) == {"reads"}


def test_what_the_sql_of_a_stage_writes_its_function_may_write() -> None:
    written = {
        "load_warehouse": datasets(WRITES, "sales/*/merge.sql", "sales/*/replace.sql", "sales/*/delete_stale.sql")
        | {"staging"},
        "build_marts": datasets(WRITES, "marts/*/replace.sql", "sales/close_lines/*.sql") | {"staging"},
        "check_quality": datasets(WRITES, "marts/quality_metrics/replace.sql") | {"staging"},
    }
    may_write = {
        name: {dataset for dataset, use in uses.items() if use == "writes"} for name, uses in granted().items()
    }
    assert {name: found for name, found in may_write.items() if found} == written


def test_the_page_on_security_says_what_functions_are_granted() -> None:
    page = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
    body = page.split("## Who may do what in BigQuery", 1)[1].split("\n## ", 1)[0]
    rows = re.findall(r"^\| `(\w+)` \|(.*?)\|(.*?)\|(.*?)\|$", body, re.MULTILINE)
    told = {
        name: {
            dataset: cell.strip()
            for dataset, cell in zip(("sales", "marts", "staging"), cells, strict=True)
            if cell.strip()
        }
        for name, *cells in rows
    }
    assert told == granted()
