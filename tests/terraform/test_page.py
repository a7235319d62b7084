"""docs/terraform.md has the tables that are made from code and plans as they are now."""

from __future__ import annotations

from deploy.page import PAGE, filled, policies_table, skips_table
from deploy.planned import Plan
from deploy.policies.capacity import REVISIONS, uses
from deploy.repository import Repository
from tests.terraform.bundles import ROOT
from tests.terraform.mistakes import MISTAKES

TEXT = (ROOT / PAGE).read_text(encoding="utf-8")


def rows(heading: str) -> list[list[str]]:
    body = TEXT.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    lines = [line.strip("| ").split(" | ") for line in body.splitlines() if line.startswith("| ")]
    return [[cell.strip().strip("`") for cell in cells] for cells in lines[1:]]


def test_it_lists_the_policies_as_they_are() -> None:
    assert filled(TEXT, "policies", policies_table()) == TEXT, "run `make plan`, or deploy.page.filled"


def test_it_lists_what_checkov_leaves_out() -> None:
    assert filled(TEXT, "skips", skips_table(ROOT)) == TEXT


def test_it_lists_every_mistake_and_what_catches_it() -> None:
    assert rows("Mistakes on purpose") == [[mistake.what, mistake.stage] for mistake in MISTAKES]


def test_the_connections_of_production_are_those_of_its_plan(plan: Plan, repository: Repository) -> None:
    told = {row[0]: row[-1] for row in rows("Connections to Postgres")}
    used = uses(plan, repository)
    expected = {use.function: f"{use.instances} x {use.concurrency} = {use.connections}" for use in used}
    assert {name: told[name] for name in expected} == expected
    assert told["all, in two revisions"] == str(REVISIONS * sum(use.connections for use in used))
