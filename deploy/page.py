"""The tables of docs/terraform.md that are made from code and plans: policies, what checkov leaves out, connections."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from pathlib import Path

from deploy.planned import Plan
from deploy.policies import OF_THE_PLAN, OF_THE_REPOSITORY
from deploy.policies.capacity import REVISIONS, SHARE, Use, max_connections, uses
from deploy.repository import Repository, read_repository
from deploy.scan import skips

PAGE = Path("docs") / "terraform.md"


def filled(page: str, name: str, table: str) -> str:
    """The page with the table `name`, which stands between two marks, replaced."""
    begin, end = f"<!-- {name} -->\n", f"<!-- end of {name} -->"
    head, _, rest = page.partition(begin)
    return f"{head}{begin}{table}{end}{rest.partition(end)[2]}"


def write_page(root: Path, plans: Mapping[str, Plan]) -> None:
    """Write the page of the checkout `root` anew, from the settled plans of all environments."""
    page = (root / PAGE).read_text(encoding="utf-8")
    page = filled(filled(page, "policies", policies_table()), "skips", skips_table(root))
    page = filled(page, "connections", connections_table(plans, read_repository(root)))
    (root / PAGE).write_text(page, encoding="utf-8")


def policies_table() -> str:
    """Each policy with its first sentence."""
    rows = (
        f"| `{p.__name__}` | {(inspect.getdoc(p) or '').splitlines()[0]} |" for p in (*OF_THE_PLAN, *OF_THE_REPOSITORY)
    )
    return "\n".join(("| policy | in a sentence |", "|---|---|", *rows, ""))


def skips_table(root: Path) -> str:
    """Each suppression of checkov with its place and reason."""
    rows = (f"| {check} | `{where}` | {why} |" for check, where, why in skips(root))
    return "\n".join(("| check | left out in | because |", "|---|---|---|", *rows, ""))


def connections_table(plans: Mapping[str, Plan], repository: Repository) -> str:
    """Instances x concurrency of each function that talks to Postgres, and their sum against max_connections."""
    found = {name: {use.function: use for use in uses(plan, repository)} for name, plan in plans.items()}
    functions = list(dict.fromkeys(function for used in found.values() for function in used))
    rows = [[f"`{function}`", *(_product(found[name].get(function)) for name in plans)] for function in functions]
    sums = {name: REVISIONS * sum(use.connections for use in used.values()) for name, used in found.items()}
    most = {name: max_connections(plan) for name, plan in plans.items()}
    rows.append(["all, in two revisions", *(str(sums[name]) for name in plans)])
    rows.append([f"{SHARE:.0%} of max_connections", *(f"{SHARE * most[name]:.0f} of {most[name]}" for name in plans)])
    lines = (f"| {' | '.join(row)} |" for row in (["function", *plans], ["---"] * (len(plans) + 1), *rows))
    return "\n".join((*lines, ""))


def _product(use: Use | None) -> str:
    return f"{use.instances} x {use.concurrency} = {use.connections}" if use else ""
