"""What the platform costs a month: what Terraform plans, priced by shared/prices.yaml and benchmarks/usage.yaml.

    python -m benchmarks.platform_cost [--write-docs]      after `make plan`; the table of docs/cost.md

List prices, no free tier taken off, so a bill is at most what is told here for that usage. Every kind of resource has a
price here or is named as free; a kind that is neither is an error, so that the estimate cannot forget one.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path

import yaml

from benchmarks.free_kinds import FREE
from benchmarks.platform_prices import PRICED, Usage
from deploy.planned import Plan, Resource, read

ROOT = Path(__file__).resolve().parents[1]
PLANS = ROOT / "build" / "plan"
PAGE = ROOT / "docs" / "cost.md"
MARKS = ("<!-- platform cost: begin -->\n", "<!-- platform cost: end -->\n")
ENVIRONMENTS = ("dev", "staging", "prod")


def read_usage(environment: str) -> Usage:
    """The usage of an environment, with the schedules of functions.yaml and the price list."""
    told = yaml.safe_load((ROOT / "benchmarks" / "usage.yaml").read_text(encoding="utf-8"))
    table = yaml.safe_load((ROOT / "functions" / "functions.yaml").read_text(encoding="utf-8"))["functions"]
    schedules = {
        name: [trigger["schedule"] for trigger in row["triggers"] if "schedule" in trigger]
        for name, row in table.items()
    }
    return Usage(
        day=told["environments"][environment],
        functions=told["functions"],
        message_bytes=told["message_bytes"],
        log_bytes_a_call=told["log_bytes_a_call"],
        schedules=schedules,
        prices=yaml.safe_load((ROOT / "shared" / "prices.yaml").read_text(encoding="utf-8")),
    )


def estimate(planned: Sequence[Resource], usage: Usage) -> dict[str, Decimal]:
    """USD a month by heading of the table. Raises KeyError that names a kind that has no price and is not free."""
    found = dict.fromkeys(HEADINGS, Decimal(0))
    for one in planned:
        if one.kind in FREE:
            continue
        if one.kind not in PRICED:
            raise KeyError(
                f"{one.kind}: give it a price in benchmarks/platform_prices.py, or a reason in benchmarks/free_kinds.py"
            )
        heading, price = PRICED[one.kind]
        found[heading] += price(one.values, usage)
    return found


HEADINGS = tuple(dict.fromkeys(heading for heading, _ in PRICED.values()))


def table(plans: Sequence[Plan]) -> list[str]:
    """The lines of the table in docs/cost.md: a row for each heading, a column for each environment."""
    costs = {plan.environment: estimate(plan.resources, read_usage(plan.environment)) for plan in plans}
    lines = [f"| USD a month | {' | '.join(costs)} |", f"|---|{'---|' * len(costs)}"]
    lines += [f"| {head} | {' | '.join(f'{cost[head]:,.2f}' for cost in costs.values())} |" for head in HEADINGS]
    return [*lines, f"| **together** | {' | '.join(f'{sum(cost.values()):,.2f}' for cost in costs.values())} |"]


def main() -> None:
    """Print the table, or write it into the page."""
    plans = [read(json.loads((PLANS / f"{name}.json").read_text(encoding="utf-8")), name) for name in ENVIRONMENTS]
    lines = "\n".join(table(plans)) + "\n"
    if "--write-docs" not in sys.argv:
        print(lines, end="")  # noqa: T201  # the program's output
        return
    before, rest = PAGE.read_text(encoding="utf-8").split(MARKS[0])
    PAGE.write_text(before + MARKS[0] + lines + MARKS[1] + rest.split(MARKS[1])[1], encoding="utf-8")


if __name__ == "__main__":
    main()
