"""`make test-bundles`: install every bundle, measure its import, run the pipeline on them, and tell the figures."""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from deploy.bundles.bundle import Bundle
from deploy.bundles.files import PACKAGE, ROOT, all_bundles, read_tree, write_bundles
from deploy.trial.environments import Import, Installed, import_main, install, write_installed
from deploy.trial.run import lacking, whole_run
from local.table import read_table

HOME = ROOT / "build" / "trial"
DOCS = ROOT / "docs" / "bundles.md"
BEGIN, END = "<!-- made by make test-bundles: begin -->", "<!-- made by make test-bundles: end -->"
MOST_SECONDS = 2.0
WIDTH = 170
HEAD = ["function", "zip KiB", "requirements", "import s", "MB loaded", "MB after", "answers"]
Rows = list[list[str]]


def main() -> None:
    """Run the trial; exit 1 where a bundle fails it."""
    parser = argparse.ArgumentParser(prog="python -m deploy.trial", description=__doc__)
    parser.add_argument("--write-docs", action="store_true", help="put the table into docs/bundles.md")
    options = parser.parse_args()
    console, table = Console(width=WIDTH), list(read_table().functions)
    bundles = all_bundles(read_tree())
    write_bundles(bundles)
    console.print(f"installing {len(bundles)} bundles in {HOME}")
    installed = install(PACKAGE, {f.name: f.entry_point for f in table}, HOME)
    console.print("measuring their imports")
    imports = {one.function: import_main(Path(one.folder), Path(one.python)) for one in installed}
    problems = [told for one in installed for told in _problems(one, imports[one.function])]
    console.print("running the pipeline on them")
    with tempfile.TemporaryDirectory(prefix="sluice-trial-") as home:
        Path(home).chmod(0o755)  # the database server may run as another user
        write_installed(installed, HOME / "installed.json")
        scheduled = [f.name for f in table if f.schedules]
        balanced, calls = whole_run(Path(home), HOME / "installed.json", scheduled, console)
    problems += lacking(table, calls) + ([] if balanced else ["the run is not balanced"])
    rows = [_row(made, imports[made.function], calls[made.function]) for made in bundles]
    _show(rows, console)
    if problems:
        sys.exit("\n".join(["the bundles fail:", *problems]))
    if options.write_docs:
        write_docs(rows)


def _problems(one: Installed, seen: Import) -> list[str]:
    """What is wrong with how a bundle is imported."""
    told = []
    if not seen.shared.is_relative_to(one.folder):
        told.append(f"{one.function}: shared is imported from {seen.shared}, not from the bundle")
    if strays := [p for p in seen.path if Path(p).is_relative_to(ROOT) and not Path(p).is_relative_to(HOME)]:
        told.append(f"{one.function}: the checkout is on its path: {', '.join(strays)}")
    if seen.seconds > MOST_SECONDS:
        told.append(f"{one.function}: its import takes {seen.seconds:.2f} s; at most {MOST_SECONDS} s")
    return told


def _row(made: Bundle, seen: Import, calls: dict[str, Any]) -> list[str]:
    names = " ".join(pin.partition("==")[0] for pin in made.requirements)
    answers = ", ".join(f"{trigger} ({count})" for trigger, count in sorted(calls["answers"].items()))
    return [
        made.function, f"{len(made.archive) / 1024:.0f}", names, f"{seen.seconds:.2f}", f"{calls['loaded_mb']:.0f}",
        f"{calls['used_mb']:.0f}", answers,
    ]  # fmt: skip


def _show(rows: Rows, console: Console) -> None:
    table = Table(*HEAD, title="every function from its zip, in a clean environment")
    for row in rows:
        table.add_row(*row)
    console.print(table)


def write_docs(rows: Rows, path: Path = DOCS) -> None:
    """Put the table between the markers of the page."""
    lines = [HEAD, ["---"] * len(HEAD), *rows]
    before, _, rest = path.read_text(encoding="utf-8").partition(BEGIN)
    _, _, after = rest.partition(END)
    table = "\n".join(f"| {' | '.join(line)} |" for line in lines)
    path.write_text(f"{before}{BEGIN}\n{table}\n{END}{after}", encoding="utf-8")


if __name__ == "__main__":
    main()
