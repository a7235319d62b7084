"""One measured run of the pipeline: transactions dropped, committed in Postgres, fed to the warehouse and the mart.

Users, products and rates are loaded before the clock starts, so that what is measured is the transactions alone. The
run is checked before its times are believed: by `sluice verify`, and against the generator's own books.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from google.cloud import storage
from rich.console import Console

from benchmarks.memory import Peaks, largest_of_tree, parent_of
from cli.cloud import run_job
from cli.demo_run import DemoRun
from cli.landing import drop
from local.generate import Truth
from local.stack import BUCKETS, PROJECT
from shared.adapters.postgres import Session
from shared.adapters.queries import Value, query, rows_of
from shared.adapters.reconciliation import postgres_totals, verify
from shared.adapters.warehouse import BigQueryWarehouse
from shared.settings import load_settings

QUERIES = Path(__file__).resolve().parent / "queries"
REFERENCE = {"users": "users.csv", "products": "products.ndjson", "fx_rates": "fx_rates.csv"}
WORKER = "functions_worker_"


@dataclass(frozen=True)
class Measured:
    """What one run gave."""

    rows: int
    seconds_to_postgres: float
    seconds_to_mart: float
    warehouse_mb_per_minute: float
    stages: dict[str, float]
    peaks: dict[str, float]
    wrong: list[str] = field(default_factory=list)

    @property
    def rows_per_second(self) -> float:
        """Rows received a second, from the drop to the last commit."""
        return self.rows / self.seconds_to_postgres

    @property
    def peak_worker(self) -> float:
        """The largest function worker, in MB."""
        return max((size for name, size in self.peaks.items() if name.startswith(WORKER)), default=0.0)


def measure(home: Path, data: Path, truth: Truth, console: Console) -> Measured:
    """Run the data set through a fresh local cloud in `home`."""
    with DemoRun(home, console) as run:
        bucket = BUCKETS["LANDING_BUCKET"]
        run.wait_for([drop(PROJECT, bucket, data / name, source).file_id for source, name in REFERENCE.items()])
        server = parent_of(run.session.row("SELECT pg_backend_pid()")[0])
        with Peaks(run.cloud.rss_mb, largest_of_tree("postgres", server)) as peaks:
            started = datetime.now(UTC)
            dropped = drop(PROJECT, bucket, data / "transactions.ndjson", "transactions")
            run.wait_for([dropped.file_id])
            run.feed(run.cloud.endpoints.scheduler if run.cloud.endpoints else "", run_job)
        file = _one(run.session, "measure_file", file_id=dropped.file_id)
        feeds = _one(run.session, "measure_feeds")
        to_warehouse = float(feeds["to_warehouse"])
        return Measured(
            rows=truth.transactions.received,
            seconds_to_postgres=_between(started, file["committed_at"]),
            seconds_to_mart=_between(started, feeds["built_at"]),
            warehouse_mb_per_minute=_feed_bytes() / 1e6 / to_warehouse * 60,
            stages=_stages(started, file, feeds),
            peaks=peaks.mb,
            wrong=_wrong(run.session, truth),
        )


def _one(session: Session, name: str, **params: Value) -> dict[str, Any]:
    """The one row of a query of this folder, by the names that its third comment line gives."""
    statement = query(name, QUERIES)
    line = (QUERIES / f"{name}.sql").read_text(encoding="utf-8").splitlines()[2]
    names = [part.split()[0] for part in line.partition(":")[2].split(",")]
    return dict(zip(names, session.row(statement.sql, *statement.values(params)), strict=True))


def _stages(started: datetime, file: dict[str, Any], feeds: dict[str, Any]) -> dict[str, float]:
    """Seconds by stage. Cutting overlaps with validating and loading; the rest follow one another."""
    return {
        "upload": _between(started, file["landed_at"]),
        "notice": _between(file["landed_at"], file["registered_at"]),
        "cut": _between(file["registered_at"], file["cut_at"]),
        "validate and load": _between(file["first_chunk_at"], file["committed_at"]),
        "one chunk (median)": float(file["median_chunk"]),
        "until the export": max(0.0, _between(file["committed_at"], feeds["first_at"])),
        "export": float(feeds["export"]),
        "load warehouse": float(feeds["load"]),
        "build marts": float(feeds["build"]),
    }


def _between(earlier: datetime, later: datetime) -> float:
    return (later - earlier).total_seconds()


def _feed_bytes() -> int:
    blobs = storage.Client(project=PROJECT).list_blobs(BUCKETS["LAKE_BUCKET"], prefix="feed/")
    return sum(int(blob.size or 0) for blob in blobs)


def _wrong(session: Session, truth: Truth) -> list[str]:
    """What does not balance; empty where every row is accounted for, to the cent."""
    findings = [f"{f.kind} {f.where}: {f.told}" for f in verify(session, BigQueryWarehouse(load_settings()))]
    counts = next((row for row in rows_of(session, "sum_outcomes") if row[0] == "transactions"), None)
    if counts is None:
        return [*findings, "no transactions are in the ledger"]
    _, received, inserted, updated, unchanged, superseded, quarantined, *_ = counts
    found = (received, inserted, updated + superseded, unchanged, quarantined)
    books = truth.transactions
    expected = (books.received, books.inserted, books.updated_or_superseded, books.unchanged, books.quarantined)
    if tuple(map(int, found)) != expected:
        findings.append(f"outcomes of transactions are {tuple(map(int, found))}, the generator wrote {expected}")
    amounts: dict[str, Decimal] = {}
    for (_, currency), (_, amount) in postgres_totals(session).items():
        amounts[currency] = amounts.get(currency, Decimal(0)) + amount
    if amounts != dict(truth.amount):
        findings.append("the amounts in Postgres differ from what the generator wrote")
    return findings
