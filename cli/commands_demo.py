"""`sluice demo`: the whole pipeline once, on a local cloud of its own, checked to the cent."""

from __future__ import annotations

import json
import shutil
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any

import typer

from cli.cloud import run_job
from cli.demo_run import DemoFailed, DemoRun
from cli.landing import source_of
from cli.output import console, fail, print_table
from local.generate import generate
from local.process import StartFailed
from shared.errors import PipelineError

DAYS = 30
DIRT = 0.05
OUTCOMES = ("received", "inserted", "updated", "unchanged", "superseded", "quarantined", "held")


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(
        epilog="Examples:  sluice demo  |  sluice demo --rows 100000  |  sluice demo --data DIR --json out.json"
    )(demo)


def demo(
    rows: Annotated[int, typer.Option(help="Transactions to generate.", min=1)] = 20_000,
    data: Annotated[
        Path | None,
        typer.Option(help="Folder with transactions*, users* and products.ndjson.", exists=True, file_okay=False),
    ] = None,
    json_file: Annotated[Path | None, typer.Option("--json", help="Write the summary to this file.")] = None,
    home: Annotated[
        Path | None, typer.Option(help="Keep the local cloud in this folder; default: a temporary one.")
    ] = None,
) -> None:
    """Start a local cloud, run files through to the mart, check every row, and stop everything."""
    if data and not any(source_of(path) for path in data.iterdir()):
        fail(f"{data} holds no transactions*, users*, fx_rates* or products* file")
    kept = home or Path(tempfile.mkdtemp(prefix="sluice-demo-"))
    kept.mkdir(parents=True, exist_ok=True)
    kept.chmod(0o755)  # the database server may run as another user
    try:
        folder = data or _sample(kept / "data", rows)
        with DemoRun(kept, console) as run:
            summary = run.whole(folder, run_job)
    except (DemoFailed, StartFailed, PipelineError, TimeoutError) as exc:
        fail(str(exc), 1)
    finally:
        if home is None:
            shutil.rmtree(kept, ignore_errors=True)
    if json_file:
        json_file.write_text(json.dumps(summary, indent=2) + "\n", encoding="utf-8")
    _show(summary)
    if not summary["balanced"]:
        raise typer.Exit(1)


def _sample(folder: Path, rows: int) -> Path:
    start = (datetime.now(UTC) - timedelta(days=DAYS)).date()
    shutil.rmtree(folder, ignore_errors=True)
    users, products = max(50, rows // 20), max(20, rows // 100)
    generate(folder, transactions=rows, users=users, products=products, dirt=DIRT, seed=1, days=DAYS, start=start)
    return folder


def _show(summary: dict[str, Any]) -> None:
    sources = summary["sources"]
    print_table("Rows", ["source", *OUTCOMES], [(s, *(a[o] for o in OUTCOMES)) for s, a in sources.items()])
    reasons = [(s, code, n) for s, a in sources.items() for code, n in a["quarantine_reasons"].items()]
    if reasons:
        print_table("Quarantine", ["source", "reason", "rows"], reasons)
    postgres, warehouse = summary["postgres"], summary["warehouse"]
    print_table(
        "Money", ["currency", "Postgres", "BigQuery"],
        [(c, amount, warehouse["amount"].get(c)) for c, amount in postgres["amount"].items()],
    )  # fmt: skip
    mart = summary["marts"]["daily_sales_summary"]
    seconds = summary["seconds"]
    print_table(
        "Run", ["what", "value"],
        [
            ("rows in Postgres / BigQuery", f"{postgres['transactions']:,} / {warehouse['transactions']:,}"),
            ("days in the mart", mart["days"]),
            ("net revenue in base currency", mart["net_revenue_base"]),
            ("seconds to Postgres / to the mart", f"{seconds['to_postgres']} / {seconds['to_mart']}"),
            ("rows per second to Postgres", summary["rows_per_second_to_postgres"]),
        ],
    )  # fmt: skip
    for finding in summary["findings"]:
        console.print(f"[red]{finding['kind']}[/red] {finding['where']}: {finding['told']}")
    console.print("[green]balanced[/green]" if summary["balanced"] else "[red]not balanced[/red]")
