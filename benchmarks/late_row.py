"""`make bench-late`: two years of sales in the marts, then one row that comes 18 months late; what it rebuilds.

python -m benchmarks.late_row --rows 240000      a quick look

Prints which periods of which mart were built for the row, and the bytes that its jobs processed beside the size of the
partitions that it touched. The exit code is 1 when anything but its day and month was built, or the books are off.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from cli.cloud import run_job
from cli.demo_run import DemoRun
from cli.landing import drop
from cli.output import console, print_table
from local.generate import generate
from local.stack import BUCKETS, PROJECT
from shared.adapters.reconciliation import verify
from shared.adapters.warehouse import BigQueryWarehouse
from shared.adapters.warehouse_sql import marts
from shared.domain.marts import Mart
from shared.settings import load_settings

QUERIES = Path(__file__).resolve().parent / "queries"
DAYS = 730
LATE_DAYS = 548
DIRT = 0.02
MOST_TIMES_THE_PARTITIONS = 2.0


def bench(
    rows: Annotated[int, typer.Option(help="Transactions over two years.", min=1000)] = 2_400_000,
) -> None:
    """Load two years, build every mart, then one row from 18 months ago."""
    work = Path(tempfile.mkdtemp(prefix="sluice-late-", dir="/var/tmp"))
    work.chmod(0o755)  # the database server may run as another user
    start = (datetime.now(UTC) - timedelta(days=DAYS)).date()
    day = start + timedelta(days=DAYS - LATE_DAYS)
    try:
        with _told(f"generating {rows:,} transactions over {DAYS} days"):
            generate(
                work / "data", transactions=rows, users=50_000, products=10_000, dirt=DIRT, seed=1, days=DAYS,
                start=start,
            )  # fmt: skip
        home = work / "home"
        home.mkdir(mode=0o755)
        with DemoRun(home, Console(stderr=True)) as run:
            with _told("loading and building every mart"):
                _load(run, work / "data")
            wrong = _late(run, work, day)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    for finding in wrong:
        console.print(f"[red]wrong[/red] {finding}")
    if wrong:
        raise typer.Exit(1)


def _load(run: DemoRun, data: Path) -> None:
    """Each source through before the next, so that no sale is fed twice because its product came later."""
    bucket, scheduler = BUCKETS["LANDING_BUCKET"], os.environ["SCHEDULER_URL"]
    for name in ("users.csv", "products.ndjson", "fx_rates.csv", "transactions.ndjson"):
        run.wait_for([drop(PROJECT, bucket, data / name, name.partition(".")[0]).file_id])
    run.feed(scheduler, run_job)
    run_job(scheduler, "build_marts")


def _late(run: DemoRun, work: Path, day: date) -> list[str]:
    """Drop the row, feed it and build; print what that did, and return what is not as it must be."""
    scheduler = os.environ["SCHEDULER_URL"]
    warehouse = BigQueryWarehouse(load_settings())
    wrong = [f"{finding.where}: {finding.told}" for finding in verify(run.session, warehouse)]
    everything = _built(run, 0)
    last = run.session.row("SELECT max(build_id) FROM pipeline.mart_build")[0]
    print_table("Two years", ["mart", "periods built", "builds"], [(n, len(p), b) for n, (p, b) in everything.items()])
    before = datetime.now(UTC)
    _drop_one(run, work, day)
    with _told("feeding and building one late row"):
        run.feed(scheduler, run_job)
        run.session.rows("UPDATE pipeline.mart_dirty SET urgent = true")  # as if it were the marts' hour
        run_job(scheduler, "build_marts")
    built = _built(run, last)
    expected = {mart.name: [_period(mart, day)] for mart in marts()}
    found = {name: periods for name, (periods, _) in built.items()}
    if found != expected:
        wrong.append(f"built {found}, must be {expected}")
    sizes, jobs = _partitions(warehouse, day), _jobs(warehouse, before)
    touched, processed = sum(size for _, _, size in sizes), sum(size for _, _, size in jobs)
    print_table("Partitions that the row touches", ["table", "partitions", "bytes"], sizes)
    print_table("Jobs of the late row", ["stage and table", "jobs", "bytes processed"], jobs)
    ratio = processed / touched
    console.print(f"{processed:,} bytes processed / {touched:,} bytes of the partitions touched = {ratio:.2f}")
    if ratio > MOST_TIMES_THE_PARTITIONS:
        wrong.append(f"{ratio:.2f} times the partitions touched")
    return wrong


def _drop_one(run: DemoRun, work: Path, day: date) -> None:
    row = {
        "transaction_id": "late-row", "user_id": None, "product_id": "late-product", "amount": "12.34",
        "currency": "GBP", "timestamp": f"{day}T12:00:00Z", "payment_method": "card", "status": "completed",
    }  # fmt: skip
    path = work / "transactions_late.ndjson"
    path.write_text(json.dumps(row) + "\n", encoding="utf-8")
    run.wait_for([drop(PROJECT, BUCKETS["LANDING_BUCKET"], path, "transactions").file_id])


def _built(run: DemoRun, after: int) -> dict[str, tuple[list[date], int]]:
    """Periods and number of builds of each mart since a build."""
    sql = "SELECT mart, periods FROM pipeline.mart_build WHERE build_id > $1 ORDER BY build_id"
    found: dict[str, tuple[list[date], int]] = {}
    for mart, periods in run.session.rows(sql, after):
        known, builds = found.get(mart, ([], 0))
        found[mart] = (sorted({*known, *periods}), builds + 1)
    return found


def _period(mart: Mart, day: date) -> date:
    return day if mart.period == "day" else day.replace(day=1)


def _partitions(warehouse: BigQueryWarehouse, day: date) -> list[tuple[str, int, int]]:
    """What the row touches: its month of the fact (its day for the daily marts), and its period of every mart."""
    month_end = (day.replace(day=28) + timedelta(days=4)).replace(day=1) - timedelta(days=1)
    spans = [("sales.transactions", day.replace(day=1), month_end)]
    spans += [(mart.name, _period(mart, day), _period(mart, day)) for mart in marts()]
    sizes = []
    for table, first, last in spans:
        dataset, _, name = table.partition(".")
        params = {"name": name, "first": f"{first:%Y%m%d}", "last": f"{last:%Y%m%d}"}
        (row,) = warehouse.run(_sql("partitions").replace("${dataset}", dataset), params)
        sizes.append((table, int(row["partitions"]), int(row["size"] or 0)))
    return sizes


def _sql(name: str) -> str:
    return (QUERIES / f"warehouse_{name}.sql").read_text(encoding="utf-8")


def _jobs(warehouse: BigQueryWarehouse, since: datetime) -> list[tuple[str, int, int]]:
    """The jobs of the pipeline since a time, by label; scripts' children are counted in their parents."""
    rows = warehouse.run(_sql("jobs"), {"since": since.isoformat()})
    return [(f"{row['stage']} {row['name']}", row["jobs"], int(row["size"])) for row in rows if row["stage"]]


@contextmanager
def _told(what: str) -> Iterator[None]:
    started = time.monotonic()
    console.print(f"{what} …")
    yield
    console.print(f"{what}: {time.monotonic() - started:.1f} s")


if __name__ == "__main__":
    typer.run(bench)
