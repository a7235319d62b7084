"""What a run found, as a table for the screen, as JSON, and as the tables of docs/reliability.md."""

from __future__ import annotations

import json
from pathlib import Path
from statistics import median
from typing import Any

from rich.console import Console
from rich.table import Table

from local.chaos.cloud import BACKOFF_SCALE, SERVERS
from local.chaos.run import Run
from local.table import ROOT

DOCS = ROOT / "docs" / "reliability.md"
RESULT = ROOT / "build" / "chaos.json"
BEGIN, END = "<!-- made by make chaos: begin -->", "<!-- made by make chaos: end -->"
KINDS = ("kill -9", "kill -9 at a point", "connections", "refuse", "reset", "hang", "silence", "error", "truncate")
TARGETS = ("postgres", "storage", "pubsub", "warehouse", "functions", "product_api", "webhook")
COUNTS = ("received", "inserted", "updated", "unchanged", "superseded", "quarantined", "held", "pending")

Rows = list[list[str]]


def faults_table(run: Run) -> tuple[list[str], Rows]:
    """Faults by kind and server."""
    rows = []
    for kind in KINDS:
        counts = [run.faults[target, kind] for target in TARGETS]
        rows.append([kind, *(f"{count:,}" if count else "" for count in counts), f"{sum(counts):,}"])
    totals = [sum(run.faults[target, kind] for kind in KINDS) for target in TARGETS]
    rows.append(["all", *(f"{count:,}" for count in totals), f"{sum(totals):,}"])
    return ["fault", *TARGETS, "all"], rows


def outcomes_table(run: Run) -> tuple[list[str], Rows]:
    """What became of the rows of each source."""
    found = run.results[-1].found.outcomes
    rows = [[source, *(f"{found[source][name]:,}" for name in COUNTS)] for source in sorted(found)]
    return ["source", *COUNTS], rows


def summary(run: Run) -> Rows:
    """The run in a few lines."""
    recoveries = [result.recovery for result in run.results if result.number]
    at_points = [run.kills[name] for name in run.catalogue]
    kills = [run.faults[server, "kill -9"] for server in SERVERS]
    lost, doubled = run.results[-1].lost, run.results[-1].doubled
    return [
        ["seed", run.seed],
        ["rounds of chaos, minutes", f"{len(recoveries)}, {run.seconds / 60:.1f}"],
        ["faults injected, copies of messages not counted", f"{run.total:,}"],
        ["kill points, fewest deaths at one", f"{len(at_points)}, {min(at_points, default=0)}"],
        ["fewest kills of one server", f"{min(kills)}"],
        ["messages, deliveries", f"{run.tally.messages:,}, {run.tally.deliveries:,}"],
        ["rows received", f"{sum(c['received'] for c in run.results[-1].found.outcomes.values()):,}"],
        ["rows lost, rows doubled", f"{lost}, {doubled}"],
        ["rounds that ended balanced without help", f"{len([r for r in run.results if r.number and not r.wrong])}"],
        ["recovery after the last fault, median and longest", f"{_seconds(recoveries)}"],
        ["longest that a killed server was away", f"{max(run.tally.away, default=0.0):.1f} s"],
        ["Pub/Sub's backoff times", f"{BACKOFF_SCALE}"],
    ]


def _seconds(times: list[float]) -> str:
    return f"{median(times):.1f} s, {max(times):.1f} s" if times else "none"


def show(run: Run, console: Console) -> None:
    """Print everything."""
    for (head, rows), title in ((faults_table(run), "Faults"), (outcomes_table(run), "Rows")):
        table = Table(*head, title=title)
        for row in rows:
            table.add_row(*row)
        console.print(table)
    for name, value in summary(run):
        console.print(f"{name}: {value}")
    if run.tally.by_itself:
        console.print(f"ended without being killed: {', '.join(run.tally.by_itself)}", style="red")


def write_json(run: Run, path: Path = RESULT) -> None:
    """Everything that was counted, for other programs."""
    document: dict[str, Any] = {
        "seed": run.seed,
        "balanced": not run.wrong,
        "wrong": run.wrong,
        "missing": run.missing(),
        "seconds": round(run.seconds, 1),
        "faults": {f"{server}: {kind}": count for (server, kind), count in sorted(run.faults.items())},
        "points": {name: run.kills[name] for name in run.catalogue},
        "rounds": [
            {
                "round": r.number,
                "seconds": round(r.seconds, 1),
                "recovery_seconds": round(r.recovery, 2),
                "lost": r.lost,
                "doubled": r.doubled,
                "wrong": r.wrong,
            }
            for r in run.results
        ],
        "outcomes": {source: dict(counts) for source, counts in run.results[-1].found.outcomes.items()},
        "messages": run.tally.messages,
        "deliveries": run.tally.deliveries,
        "ended_by_itself": run.tally.by_itself,
    }
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")


def write_docs(run: Run, path: Path = DOCS) -> None:
    """Put the tables between the markers of the page."""
    before, _, rest = path.read_text(encoding="utf-8").partition(BEGIN)
    _, _, after = rest.partition(END)
    parts = [
        markdown(["what", "value"], summary(run)),
        markdown(*faults_table(run)),
        markdown(*outcomes_table(run)),
        markdown(["kill point", "deaths"], [[f"`{name}`", str(run.kills[name])] for name in run.catalogue]),
    ]
    path.write_text(before + BEGIN + "\n\n" + "\n".join(parts) + "\n" + END + after, encoding="utf-8")


def markdown(head: list[str], rows: Rows) -> str:
    """A table of a page."""
    lines = [f"| {' | '.join(line)} |" for line in (head, *rows)]
    lines.insert(1, "|" + "---|" * len(head))
    return "".join(f"{line}\n" for line in lines)
