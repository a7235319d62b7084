"""Plans of one environment: the first one, in an empty project, and one against a settled state."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from deploy.offline import install
from deploy.planned import Plan, read
from deploy.settled import state_of
from deploy.terraform import Terraform
from deploy.tree import copy_tree


def offline(root: Path, work: Path, package: Path, tools: Path) -> Terraform:
    """A copy of the checkout `root` in `work`, ready to plan by the stand-in. Raises offline.Missing."""
    folder = copy_tree(root, work / "tree", package)
    terraform = Terraform(folder, install(work / "provider", tools, folder))
    terraform.prepare()
    return terraform


def first_plan(terraform: Terraform, environment: str, work: Path) -> dict[str, Any]:
    """The JSON of the plan for an empty project; the plan itself is `<environment>.tfplan` in `work`."""
    out = work / f"{environment}.tfplan"
    terraform.plan(environment, out, work / f"{environment}.tfstate")
    return terraform.show(out)


def settled_plan(terraform: Terraform, environment: str, work: Path, first: dict[str, Any]) -> Plan:
    """The plan in which everything that refers to something has its value; what the policies judge."""
    state, out = work / f"{environment}-settled.tfstate", work / f"{environment}-settled.tfplan"
    state.write_text(state_of(first), encoding="utf-8")
    terraform.plan(environment, out, state)
    return read(terraform.show(out), environment)
