"""`make bench-reports`: many clients at once ask the standard reports by HTTP, over marts of ten million transactions.

    python -m benchmarks.reports --rows 200000 --requests 200      a quick look

Times are measured, never asserted on; the exit code is 1 where a request fails. What is measured is our function, the
client library and the local warehouse on this machine. BigQuery's own latency is not shown by it.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path
from typing import Annotated

import typer

from benchmarks.report_data import build_all, load_sales
from benchmarks.report_load import FIRST_DAY, Timed, ask_base, ask_reports, summary
from cli.output import errors, fail, print_json, print_table
from local.resources import create_all
from local.stack import LocalCloud, Options
from shared.adapters.postgres import connect
from shared.adapters.warehouse import BigQueryWarehouse
from shared.settings import load_settings

DAYS = 730
SERVERS = ("STORAGE_EMULATOR_HOST", "PUBSUB_EMULATOR_HOST", "BIGQUERY_EMULATOR_HOST", "DATABASE_URL")
BASE_REQUESTS = 50


def bench(
    rows: Annotated[int, typer.Option(help="Transactions in the warehouse.", min=1000)] = 10_000_000,
    clients: Annotated[int, typer.Option(help="Clients at once.", min=1)] = 50,
    requests: Annotated[int, typer.Option(help="Requests, spread over all reports.", min=1)] = 1_000,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document instead of tables.")] = False,
) -> None:
    """Measure the reports at many clients at once, and the same question of the base table."""
    if given := [name for name in SERVERS if os.environ.get(name)]:
        fail(f"unset {', '.join(given)}: the benchmark measures servers of its own")
    home = Path(tempfile.mkdtemp(prefix="sluice-bench-", dir="/var/tmp"))
    home.chmod(0o755)  # the database server may run as another user
    cloud = LocalCloud(home, Options(duplicate_rate=0))
    try:
        reports, base = _measure(cloud, home, rows, clients, requests)
    finally:
        cloud.stop()
        shutil.rmtree(home, ignore_errors=True)
    _show(reports, base, as_json)
    if any(one.failed for one in reports + base):
        raise typer.Exit(1)


def _measure(cloud: LocalCloud, home: Path, rows: int, clients: int, requests: int) -> tuple[list[Timed], list[Timed]]:
    endpoints = cloud.start()
    os.environ.update(endpoints.environment())
    create_all(endpoints)
    settings = load_settings()
    warehouse = BigQueryWarehouse(settings, "bench")
    _progress(f"loading {rows:,} transactions over {DAYS} days")
    load_sales(settings, home, rows, FIRST_DAY, DAYS)
    _progress("building the marts")
    session = connect(settings, "bench")
    try:
        build_all(settings, session, warehouse, FIRST_DAY, DAYS)
    finally:
        session.close()
    _progress(f"{requests:,} requests by {clients} clients")
    reports = ask_reports(endpoints.functions, clients, requests, DAYS)
    _progress(f"{BASE_REQUESTS} requests of the base table by {clients} clients")
    return reports, ask_base(warehouse, clients, BASE_REQUESTS, DAYS)


def _show(reports: list[Timed], base: list[Timed], as_json: bool) -> None:
    names = sorted({one.name for one in reports})
    told = {name: summary([one for one in reports if one.name == name]) for name in names}
    overall, on_base = summary(reports), summary(base)
    same = [one for one in reports if one.name == "revenue_by_day"]
    ratio = round(on_base["p95"] / summary(same)["p95"], 1) if same and base else None
    if as_json:
        print_json({"reports": told, "overall": overall, "base": on_base, "ratio_of_p95": ratio})
        return
    lines = [[name, *one.values()] for name, one in [*told.items(), ("all reports", overall), ("base table", on_base)]]
    print_table("Reports: milliseconds", ["report", *overall], lines)
    print_table("Beside the base table", ["what", "value"], [["p95 of the base / of revenue_by_day", ratio]])
    errors.print("BigQuery's own latency is not shown by this: the warehouse is the local stand-in.", highlight=False)


def _progress(told: str) -> None:
    errors.print(told, highlight=False)


if __name__ == "__main__":
    typer.run(bench)
