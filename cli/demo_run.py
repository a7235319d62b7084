"""One run of the pipeline on a local cloud: start, drop, wait, feed, check, measure, stop."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from types import TracebackType
from typing import Any

from google.cloud import storage
from rich.console import Console

from cli.landing import Dropped, drop, follow
from local.pubsub.control import PubSubControl
from local.resources import create_all
from local.stack import BUCKETS, PRODUCT_DATA, PROJECT, LocalCloud, Options
from local.table import ROOT
from shared.adapters.postgres import Session, connect
from shared.adapters.queries import rows_of
from shared.adapters.reconciliation import FACT, MART, postgres_totals, verify, warehouse_totals
from shared.adapters.warehouse import BigQueryWarehouse
from shared.adapters.warehouse_sql import warehouse_sql
from shared.domain.balance import DayTotals
from shared.settings import load_settings

RunJob = Callable[[str, str], dict[str, object]]
OUTCOMES = ("received", "inserted", "updated", "unchanged", "superseded", "quarantined", "held")
SAMPLE_SECONDS = 0.25
LOOK_SECONDS = 0.5
"""Between two looks at whether the servers live; progress is asked for more often."""
WAIT_SECONDS = 3600.0
SHIPPED_RATES = ROOT / "local" / "fx_rates.csv"


class DemoFailed(Exception):
    """The run cannot go on; the message says why."""


class DemoRun:
    """A local cloud for the length of a `with`, with its memory sampled."""

    def __init__(self, home: Path, console: Console, options: Options | None = None) -> None:
        self._console = console
        self.cloud = LocalCloud(home, options)
        self._peaks: dict[str, float] = {}
        self._ended = threading.Event()
        self._sampler = threading.Thread(target=self._sample, daemon=True)
        self._session: Session | None = None
        self._next_look = 0.0
        self._environment = dict(os.environ)

    def __enter__(self) -> DemoRun:
        with self._console.status("starting the local cloud"):
            endpoints = self.cloud.start()
            os.environ.update(endpoints.environment())
            try:
                create_all(endpoints)
            except BaseException:
                self._stop()
                raise
        self._settings = load_settings()
        self._session = connect(self._settings, application_name="sluice-demo")
        self._warehouse = BigQueryWarehouse(self._settings)
        self._sampler.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._ended.set()
        self._sampler.join()
        self._stop()

    def _stop(self) -> None:
        if self._session is not None:
            self._session.close()
        self.cloud.stop()
        os.environ.clear()
        os.environ.update(self._environment)

    @property
    def session(self) -> Session:
        """The session of the run, inside the `with`."""
        assert self._session is not None
        return self._session

    def whole(self, folder: Path, run_job: RunJob) -> dict[str, Any]:
        """Everything in the folder through to the mart; the summary as `sluice demo --json` writes it."""
        self._serve_products(folder)
        started = time.monotonic()
        dropped = self.drop_folder(folder)
        scheduler = self.cloud.endpoints.scheduler if self.cloud.endpoints else ""
        if (folder / "products.ndjson").exists():
            run_job(scheduler, "extract_products")
        self.wait_for([d.file_id for d in dropped])
        to_postgres = self._transactions_committed(started)
        self._wait_for_all()
        self.feed(scheduler, run_job)
        to_mart = time.monotonic() - started
        with self._console.status("building the marts of the hour and of the night"):
            run_job(scheduler, "build_marts")
        return self._summary(to_postgres, to_mart)

    def drop_folder(self, folder: Path) -> list[Dropped]:
        """Drop every file of the folder that is named after a source; without rates the shipped table is used."""
        rates = sorted(folder.glob("fx_rates*")) or [SHIPPED_RATES]
        files = [("users", path) for path in sorted(folder.glob("users*"))]
        files += [("fx_rates", path) for path in rates]
        files += [("transactions", path) for path in sorted(folder.glob("transactions*"))]
        return [drop(PROJECT, BUCKETS["LANDING_BUCKET"], path, source) for source, path in files]

    def wait_for(self, files: list[str]) -> None:
        """Until these files are through to Postgres."""
        with self._console.status("loading into Postgres") as status:
            for now in follow(self.session, files, WAIT_SECONDS, self._alive):
                status.update(f"loading into Postgres: {now.settled:,} of {now.received:,} rows")

    def feed(self, scheduler: str, run_job: RunJob) -> None:
        """Until the warehouse and the mart have everything."""
        with self._console.status("feeding the warehouse") as status:
            deadline = time.monotonic() + WAIT_SECONDS
            while True:
                answer = run_job(scheduler, "enrich")
                while (open_feeds := rows_of(self.session, "count_open_feeds")[0][0]) and time.monotonic() < deadline:
                    status.update(f"feeding the warehouse: {open_feeds} feeds under way")
                    self._alive()
                    time.sleep(0.05)
                if open_feeds:
                    raise TimeoutError(f"{open_feeds} feeds did not reach the mart in {WAIT_SECONDS:.0f} s")
                if '"idle"' in str(answer.get("answer")):
                    return

    def _wait_for_all(self) -> None:
        """Until every file that landed meanwhile (the catalogue) is through too."""
        self.wait_for([row[0] for row in rows_of(self.session, "list_file_ids")])

    def _serve_products(self, folder: Path) -> None:
        products = folder / "products.ndjson"
        if products.exists():
            blob = storage.Client(project=PROJECT).bucket(BUCKETS["LAKE_BUCKET"]).blob(PRODUCT_DATA)
            blob.upload_from_filename(str(products))

    def _alive(self) -> None:
        """Start again what ended; a message that was given up will never get through, so do not wait for it."""
        if time.monotonic() < self._next_look:
            return
        self._next_look = time.monotonic() + LOOK_SECONDS
        ended = self.cloud.revive()
        if ended:
            self._console.print(f"{', '.join(ended)} had ended and was started again")
        with PubSubControl(os.environ["PUBSUB_EMULATOR_HOST"]) as control:
            dead = [name.rpartition("/")[2] for name, stats in control.stats().items() if stats.dead_lettered]
        if dead:
            raise DemoFailed(f"messages of {', '.join(dead)} were given up; see {self.cloud.home}/logs/functions.log")

    def _transactions_committed(self, started: float) -> float:
        """Seconds from the first drop to the commit of the last chunk of transactions, by the database's clock."""
        loaded_at, now = rows_of(self.session, "last_transaction_load")[0]
        if not isinstance(loaded_at, datetime):
            return 0.0
        since_commit: float = (now - loaded_at).total_seconds()
        return time.monotonic() - started - since_commit

    def _summary(self, to_postgres: float, to_mart: float) -> dict[str, Any]:
        findings = verify(self.session, self._warehouse)
        sources = self._sources()
        postgres = postgres_totals(self.session)
        mart = self._warehouse.run(warehouse_sql(MART, "overall"), {})[0]
        received = sources.get("transactions", {}).get("received", 0)
        return {
            "balanced": not findings,
            "sources": sources,
            "postgres": _money(postgres),
            "warehouse": _money(warehouse_totals(self._warehouse, FACT)),
            "marts": {
                "daily_sales_summary": {
                    "days": mart["days"],
                    "net_revenue_base": f"{mart['net_revenue_base'] or 0:.2f}",
                }
            },
            "seconds": {"to_postgres": round(to_postgres, 2), "to_mart": round(to_mart, 2)},
            "rows_per_second_to_postgres": round(received / to_postgres) if to_postgres > 0 else 0,
            "peak_rss_mb": self._peaks,
            "findings": [vars(finding) for finding in findings],
        }

    def _sources(self) -> dict[str, dict[str, Any]]:
        sources: dict[str, dict[str, Any]] = {}
        for source, *counts in rows_of(self.session, "sum_outcomes"):
            sources[source] = {**dict(zip(OUTCOMES, map(int, counts), strict=False)), "quarantine_reasons": {}}
        for source, reason, rows in rows_of(self.session, "sum_quarantine"):
            sources[source]["quarantine_reasons"][reason] = int(rows)
        return sources

    def _sample(self) -> None:
        while not self._ended.wait(SAMPLE_SECONDS):
            for name, size in self.cloud.rss_mb().items():
                self._peaks[name] = max(size, self._peaks.get(name, 0.0))


def _money(totals: DayTotals) -> dict[str, Any]:
    amounts: dict[str, Decimal] = {}
    for (_, currency), (_, amount) in totals.items():
        amounts[currency] = amounts.get(currency, Decimal(0)) + amount
    return {
        "transactions": sum(rows for rows, _ in totals.values()),
        "amount": {currency: f"{amount:.2f}" for currency, amount in sorted(amounts.items())},
    }
