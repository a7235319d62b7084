"""A pipeline on a local cloud of its own, and the questions that the tests ask it."""

from __future__ import annotations

import json
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any
from unittest.mock import patch

import httpx
from google.cloud import storage
from rich.console import Console
from typer.testing import CliRunner

from cli import demo_run
from cli.cloud import run_job
from cli.demo_run import DemoRun
from cli.jobs import LocalJobs
from cli.main import app
from local.generate import Truth, generate
from local.pubsub.control import PubSubControl
from local.stack import BUCKETS, PRODUCT_DATA, PROJECT, Options
from shared.adapters import deadletters
from shared.adapters import pubsub as pubsub_adapter
from shared.adapters import storage as storage_adapter
from shared.adapters.deadletters import DeadLetters
from shared.adapters.reconciliation import verify
from shared.adapters.tls import certificates
from shared.adapters.warehouse import BigQueryWarehouse
from shared.domain.balance import Finding
from shared.domain.identity import file_id
from shared.settings import load_settings

START = date(2026, 3, 1)
DAYS = 10
NEVER = 3600.0
"""Seconds after which the memory of the servers is looked at: no test of a pipeline asks for it."""
LOOK_SECONDS = 1.5
"""How long a command waits for a dead letter: those that there are come at once."""
BUSINESS = """
    SELECT t.transaction_id, t.occurred_at, t.last_event_at, u.user_id, p.product_id, t.amount, t.currency,
           t.payment_method, t.status, t.extra
    FROM commerce.transactions t
    JOIN commerce.products p USING (product_key)
    LEFT JOIN commerce.users u USING (user_key)
    ORDER BY 1
"""
FACT = """
    SELECT transaction_id, sale_date, occurred_at, last_event_at, country, age_group, customer_tier, product_id,
           product_name, category, supplier_id, list_price, currency, payment_method, status, amount, rate, amount_base,
           gross, refunds, net, gross_base, refunds_base, net_base, is_guest, is_late, flags, quality_score
    FROM sales.transactions WHERE sale_date >= DATE '2000-01-01' ORDER BY transaction_id
"""
MART = """
    SELECT * FROM marts.daily_sales_summary WHERE sale_date >= DATE '2000-01-01'
    ORDER BY sale_date, category, country, payment_method, currency
"""


class Pipeline:
    """A running pipeline."""

    def __init__(self, run: DemoRun) -> None:
        self.run = run
        self.scheduler = run.cloud.endpoints.scheduler if run.cloud.endpoints else ""
        self.warehouse = BigQueryWarehouse(load_settings())

    def put(self, name: str, data: bytes) -> str:
        """Put an object into the landing bucket; its file id."""
        blob = storage.Client(project=PROJECT).bucket(BUCKETS["LANDING_BUCKET"]).blob(name)
        blob.upload_from_string(data)
        return file_id(BUCKETS["LANDING_BUCKET"], name, int(blob.generation))

    def load(self, name: str, data: bytes) -> str:
        """Put an object and wait until it is through to Postgres."""
        identity = self.put(name, data)
        self.run.wait_for([identity])
        return identity

    def drop_folder(self, folder: Path, *, order: tuple[str, ...] = ("users", "fx_rates", "transactions")) -> None:
        """Drop a generated folder, each source through before the next; the catalogue comes by its API."""
        for source in order:
            if source == "products":
                self.serve_products(folder / "products.ndjson")
                self.extract()
                continue
            self.run.wait_for(
                [self.put(f"{source}/{p.name}", p.read_bytes()) for p in sorted(folder.glob(f"{source}*"))]
            )

    def serve_products(self, path: Path) -> None:
        """Let the product API serve this catalogue."""
        lake = storage.Client(project=PROJECT).bucket(BUCKETS["LAKE_BUCKET"])
        lake.blob(PRODUCT_DATA).upload_from_filename(str(path))

    def extract(self) -> None:
        """Extract the catalogue and wait until it is through to Postgres."""
        run_job(self.scheduler, "extract_products")
        self.run.wait_for(self.file_ids())

    def feed(self) -> None:
        """Everything on to the mart."""
        self.run.feed(self.scheduler, run_job)

    def file_ids(self) -> list[str]:
        return [row[0] for row in self.sql("SELECT file_id FROM pipeline.file")]

    def sql(self, text: str, *params: Any) -> list[tuple[Any, ...]]:
        return self.run.session.rows(text, *params)

    def one(self, text: str, *params: Any) -> Any:
        return self.sql(text, *params)[0][0]

    def sluice(self, *words: str, exit_code: int = 0) -> Any:
        """What a command prints as JSON."""
        done = CliRunner().invoke(app, [*words, "--json"])
        assert done.exit_code == exit_code, (words, done.output, done.exception)
        return json.loads(done.stdout) if done.stdout else None

    def quiet(self) -> None:
        """Wait until no message is under way to a function."""
        with self.control() as control:

            def through() -> bool:
                named = ((name.rpartition("/")[2], stats) for name, stats in control.stats().items())
                return all(s.quiet for n, s in named if not n.endswith("-dead") and not n.startswith("listening-"))

            wait_until(through, "no message is under way")

    def findings(self) -> list[Finding]:
        return verify(self.run.session, self.warehouse)

    def counts(self, identity: str) -> dict[str, int]:
        """What became of the rows of a file."""
        names = ("received", "inserted", "updated", "unchanged", "superseded", "quarantined", "held")
        sums = ", ".join(f"coalesce(sum({name}), 0)::int" for name in names)
        (row,) = self.sql(f"SELECT {sums} FROM pipeline.chunk WHERE file_id = $1", identity)
        return {name: count for name, count in zip(names, row, strict=True) if count}

    def reasons(self, identity: str) -> dict[str, int]:
        """The quarantine of a file by reason."""
        text = """SELECT reason, count(*)::int FROM pipeline.quarantined_row q JOIN pipeline.chunk c USING (chunk_key)
                  WHERE c.file_id = $1 GROUP BY reason"""
        return dict(self.sql(text, identity))

    def business(self, leave_out: frozenset[str] = frozenset()) -> list[tuple[Any, ...]]:
        """The facts by natural key."""
        return [row for row in self.sql(BUSINESS) if row[0] not in leave_out]

    def conflicting_ids(self) -> frozenset[str]:
        """Ids with two contents for the same moment: which of the two stands depends on the order."""
        return frozenset(
            row[0]
            for row in self.sql("SELECT row_id FROM pipeline.quarantined_row WHERE reason = 'conflicting_duplicate'")
        )

    def tables(self, leave_out: frozenset[str] = frozenset()) -> tuple[list[Any], list[Any]]:
        """The fact and the mart of the warehouse, without surrogates and lineage."""
        fact = [tuple(row.values()) for row in self.warehouse.run(FACT, {})]
        mart = [tuple(row.values()) for row in self.warehouse.run(MART, {})]
        return [row for row in fact if row[0] not in leave_out], mart

    def redeploy(self, **settings: str) -> None:
        """Start the functions again with other settings, as a deployment does."""
        server = self.run.cloud.servers["functions"]
        server.env.update(settings)
        server.stop()
        self.run.cloud.restart("functions")

    def control(self) -> PubSubControl:
        assert self.run.cloud.endpoints
        return PubSubControl(self.run.cloud.endpoints.pubsub)


def wait_until(done: Callable[[], bool], what: str, seconds: float = 60) -> None:
    """Look until it is so; fail with what was waited for."""
    deadline = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < deadline, f"waited {seconds:.0f} s in vain until {what}"
        time.sleep(0.02)


def row(identity: str, **changes: object) -> bytes:
    """One good transaction as JSON, with some fields changed."""
    fields: dict[str, object] = {
        "transaction_id": identity, "user_id": "u1", "product_id": "p1", "amount": "5.00", "currency": "GBP",
        "timestamp": "2026-03-02T10:00:00Z", "payment_method": "card", "status": "completed",
    }  # fmt: skip
    return json.dumps({**fields, **changes}).encode()


@contextmanager
def pipeline(options: Options | None = None, *, by_schedule: bool = False) -> Iterator[Pipeline]:
    """A pipeline in a new home, killed and removed at the end.

    Its jobs run when a test runs them: at a full minute they would send a dead letter again, or feed, in the middle of
    a test that looks at just that.
    """
    home = Path(tempfile.mkdtemp(prefix="sluice-test-"))
    home.chmod(0o755)
    options = options or Options()
    unflushed = replace(options, postgres={"fsync": "off", **options.postgres})  # only a machine that fails loses it
    try:
        with (
            patch.object(demo_run, "SAMPLE_SECONDS", NEVER),
            patch.object(DeadLetters, "pull_seconds", LOOK_SECONDS),
            DemoRun(home, Console(quiet=True), unflushed) as run,
        ):
            forget_clients()
            started = Pipeline(run)
            if not by_schedule:
                pause_jobs(started.scheduler)
            yield started
            for name in ("scheduler", "functions", *run.cloud.servers, "postgres"):
                run.cloud.kill(name)  # nothing outlives the test: no checkpoint, no grace
    finally:
        forget_clients()
        shutil.rmtree(home, ignore_errors=True)


def pause_jobs(scheduler: str) -> None:
    """Nothing runs by its schedule from now on; `run_job` and `sluice trigger` run a job all the same."""
    with httpx.Client(base_url=scheduler, verify=certificates()) as client:
        for job in LocalJobs(scheduler).list():
            client.post(f"/v1/jobs/{job.name}:pause").raise_for_status()


def forget_clients() -> None:
    """A command that a test runs in this process must find the cloud of now."""
    for cached in (storage_adapter.client, pubsub_adapter.client, deadletters.subscriber):
        cached.cache_clear()


def sample(folder: Path, transactions: int, dirt: float, seed: int, **more: Any) -> Truth:
    """Generated data with known truth; `more` may name other numbers of users and products."""
    numbers = {"users": transactions // 10, "products": max(20, transactions // 50)}
    return generate(
        folder, transactions=transactions, dirt=dirt, seed=seed, days=DAYS, start=START, **{**numbers, **more}
    )
