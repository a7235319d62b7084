"""One line of one function changes: which bundles differ, and what a plan would then change.

python -m tests.terraform.one_line
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path

from deploy.bundles.bundle import Bundle
from deploy.bundles.files import all_bundles, read_tree, write_bundles
from deploy.offline import tools_folder
from deploy.plan import changes
from deploy.planning import first_plan, offline
from tests.terraform.bundles import ROOT

ENVIRONMENT = "dev"
FUNCTION = "notify"


def with_one_line_more(function: str) -> tuple[list[Bundle], list[Bundle]]:
    """The bundles of the checkout, and those after a comment was added to one function's page."""
    tree = read_tree()
    page = f"functions/{function}/main.py"
    return all_bundles(tree), all_bundles(tree | {page: tree[page] + b"# one line\n"})


def planned_after(before: list[Bundle], after: list[Bundle], work: Path) -> dict[str, list[str]]:
    """Address => actions of a plan with the bundles of `after`, where those of `before` were applied."""
    write_bundles(before, work / "package")
    terraform = offline(ROOT, work, work / "package", tools_folder())
    first_plan(terraform, ENVIRONMENT, work)
    terraform.apply(work / f"{ENVIRONMENT}.tfplan", work / f"{ENVIRONMENT}.tfstate")
    write_bundles(after, work / "tree" / "build" / "package")
    second = first_plan(terraform, ENVIRONMENT, work)
    return {address: actions for address, (_, actions) in changes(second).items()}


def main() -> int:
    """Print what changes; 1 where it is anything but the bundle and the function."""
    before, after = with_one_line_more(FUNCTION)
    zips = [new.function for old, new in zip(before, after, strict=True) if old.sha256 != new.sha256]
    with tempfile.TemporaryDirectory() as folder:
        planned = planned_after(before, after, Path(folder))
    sys.stdout.write(f"a line in functions/{FUNCTION}/main.py changes the zips of {zips} and in the plan\n")
    sys.stdout.write(json.dumps(planned, indent=1) + "\n")
    module = f'module.function["{FUNCTION}"].'
    expected = {f"{module}google_storage_bucket_object.bundle", f"{module}google_cloudfunctions2_function.this"}
    return 0 if zips == [FUNCTION] and planned.keys() == expected else 1


if __name__ == "__main__":
    sys.exit(main())
