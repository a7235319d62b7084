"""`make bench`: the pipeline at two sizes beside dlt, in one run on one machine; a table and build/bench.json.

python -m benchmarks.run --rows 20000 --skip-peer      a quick look

Times are measured, never asserted on. The exit code is 1 when a run does not balance.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer

from benchmarks.peer import PYTHON, PeerFailed, PeerRun, Way, measure_peer
from benchmarks.pipeline import Measured, measure
from benchmarks.report import as_json, show
from cli.demo_run import DemoFailed
from cli.output import console, fail
from local.generate import Truth, generate
from local.process import StartFailed
from local.table import ROOT
from shared.errors import PipelineError

SIZES = (100_000, 1_000_000)
REPEATS = 3
ONCE_FROM = 500_000
DIRT = 0.02
DAYS = 30
SERVERS = ("STORAGE_EMULATOR_HOST", "PUBSUB_EMULATOR_HOST", "BIGQUERY_EMULATOR_HOST", "DATABASE_URL")


def bench(
    rows: Annotated[
        list[int] | None, typer.Option(help="Transactions; may be given several times. Default: 100000 and 1000000.")
    ] = None,
    repeat: Annotated[
        int | None, typer.Option(help="Runs, of which the median counts. Default: 3, and 1 from 500000 rows.", min=1)
    ] = None,
    skip_peer: Annotated[bool, typer.Option("--skip-peer", help="Leave dlt out.")] = False,
    json_file: Annotated[Path, typer.Option("--json", help="Where the numbers go.")] = ROOT / "build" / "bench.json",
) -> None:
    """Measure the pipeline, and dlt with the smallest data set in between."""
    if given := [name for name in SERVERS if os.environ.get(name)]:
        fail(f"unset {', '.join(given)}: the benchmark measures servers of its own")
    if not skip_peer and not PYTHON.exists():
        fail(f"{PYTHON} is missing: run `make bench`, which creates it, or leave dlt out with --skip-peer")
    sizes = sorted(set(rows or SIZES))
    work = Path(tempfile.mkdtemp(prefix="sluice-bench-", dir="/var/tmp"))
    work.chmod(0o755)  # the database server may run as another user
    ours: dict[int, list[Measured]] = {}
    peers: dict[Way, list[PeerRun]] = {}
    try:
        for size in sizes:
            truth = _data(work / str(size), size)
            for turn in range(repeat or (1 if size >= ONCE_FROM else REPEATS)):
                ours.setdefault(size, []).append(_ours(work, size, turn, truth))
                if not skip_peer and size == sizes[0]:
                    _peer(work, size, turn, peers)
    except (DemoFailed, StartFailed, PeerFailed, PipelineError, TimeoutError) as exc:
        fail(str(exc), 1)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    json_file.parent.mkdir(parents=True, exist_ok=True)
    json_file.write_text(json.dumps(as_json(ours, peers), indent=2) + "\n", encoding="utf-8")
    show(ours, peers)
    if wrong := [finding for runs in ours.values() for run in runs for finding in run.wrong]:
        for finding in wrong:
            console.print(f"[red]not balanced[/red] {finding}")
        raise typer.Exit(1)


def _data(folder: Path, rows: int) -> Truth:
    with console.status(f"generating {rows:,} transactions"):
        start = (datetime.now(UTC) - timedelta(days=DAYS)).date()
        users, products = max(50, rows // 20), max(20, rows // 100)
        return generate(
            folder, transactions=rows, users=users, products=products, dirt=DIRT, seed=1, days=DAYS, start=start
        )


def _ours(work: Path, size: int, turn: int, truth: Truth) -> Measured:
    home = _home(work, f"ours-{size}-{turn}")
    run = measure(home, work / str(size), truth, console)
    shutil.rmtree(home, ignore_errors=True)
    console.print(f"pipeline, {size:,} rows: {run.rows_per_second:,.0f} rows/s to Postgres")
    return run


def _peer(work: Path, size: int, turn: int, peers: dict[Way, list[PeerRun]]) -> None:
    ways: tuple[Way, ...] = ("default", "tuned")
    for way in ways:
        home = _home(work, f"dlt-{way}-{size}-{turn}")
        with console.status(f"dlt, {way} settings"):
            run = measure_peer(home, work / str(size), size, way)
        shutil.rmtree(home, ignore_errors=True)
        console.print(f"dlt, {way} settings, {size:,} rows: {run.rows_per_second:,.0f} rows/s to Postgres")
        peers.setdefault(way, []).append(run)


def _home(work: Path, name: str) -> Path:
    home = work / name
    home.mkdir()
    return home


if __name__ == "__main__":
    typer.run(bench)
