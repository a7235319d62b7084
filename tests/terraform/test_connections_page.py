"""The connections to Postgres that docs/deployment.md tells are those of functions.yaml and of each environment."""

from __future__ import annotations

import re

import pytest
import yaml

from local.table import ROOT, TABLE

PAGE = (ROOT / "docs" / "deployment.md").read_text(encoding="utf-8").partition("## Connections to Postgres")[2]
ROWS = yaml.safe_load(TABLE.read_text(encoding="utf-8"))["functions"]
CLIENTS = {name: row for name, row in ROWS.items() if "database_client" in row["roles"]}


def _number(name: str, text: str) -> int | None:
    found = re.search(rf"^{name} += (\d+)", text, re.M)
    return int(found[1]) if found else None


def _most() -> int:
    """The default of database_max_connections."""
    text = (ROOT / "terraform" / "variables_database.tf").read_text(encoding="utf-8")
    found = _number("  default", text.partition('variable "database_max_connections"')[2])
    assert found
    return found


def test_every_client_of_the_database_is_in_the_table() -> None:
    told = {
        name: tuple(map(int, numbers))
        for name, *numbers in re.findall(r"^\| `(\w+)` \| (\d+) \| (\d+) \| (\d+) \|", PAGE, re.M)
    }
    assert told == {
        name: (row["max_instances"], row["concurrency"], row["max_instances"] * row["concurrency"])
        for name, row in CLIENTS.items()
    }


@pytest.mark.parametrize("environment", ["dev", "staging", "prod"])
def test_each_environment_tells_its_sum_and_its_bound(environment: str) -> None:
    tfvars = (ROOT / "terraform" / "env" / f"{environment}.tfvars").read_text(encoding="utf-8")
    instances = dict(re.findall(r"^ +(\w+) += (\d+)", tfvars.partition("max_instances = {")[2].partition("}")[0], re.M))
    needed = 2 * sum(
        int(instances.get(name, row["max_instances"])) * row["concurrency"] for name, row in CLIENTS.items()
    )
    most = _number("database_max_connections", tfvars) or _most()
    assert f"| {environment} | {needed} | {most} | {int(0.85 * most)} |" in PAGE
    assert needed <= 0.85 * most
