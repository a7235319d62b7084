"""Quality, alerts and reconcile on the whole pipeline, with a receiver of alerts that is a real HTTP server."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from google.cloud import storage  # type: ignore[attr-defined]  # mypy sees one part
from typer.testing import CliRunner

from cli.cloud import run_job
from cli.main import app
from functions.reconcile import main as reconcile
from local.stack import BUCKETS, PROJECT, Options
from shared.adapters.memory import MemoryPublisher
from shared.adapters.pubsub import CloudPublisher
from shared.adapters.storage import CloudStorage
from shared.messages import Alert
from shared.settings import load_settings
from tests.contract.pubsub.endpoint import Endpoint
from tests.integration.pipeline.harness import Pipeline, pipeline, row, wait_until

SUBJECT = "transactions completeness.user_id"


@pytest.fixture(scope="module")
def receiver() -> Iterator[Endpoint]:
    endpoint = Endpoint()
    yield endpoint
    endpoint.close()


@pytest.fixture(scope="module")
def sampled(receiver: Endpoint, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pipeline]:
    """Rows with the faults of the real sample, through to the mart; messages come twice at times."""
    folder = tmp_path_factory.mktemp("sample")
    faulty(folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ALERT_WEBHOOK_URL", receiver.url)
        with pipeline(Options(duplicate_rate=0.3)) as started:
            started.drop_folder(folder, order=("users", "products", "transactions"))
            started.feed()
            yield started


def faulty(folder: Path) -> None:
    """As in the sample, 23 % of the rows lack their user and 2 % contradict another."""
    rows = [row(f"q-{n}", user_id=None if n % 100 < 23 else "u1") for n in range(980)]
    rows += [row(f"q-{n}", amount="6.00") for n in range(20)]
    (folder / "transactions.ndjson").write_bytes(b"\n".join(rows))
    (folder / "users.csv").write_text("user_id,email,country\nu1,one@example.org,GB\n")
    (folder / "products.ndjson").write_text('{"product_id": "p1", "price": "5.00", "category": "garden"}\n')


def posts(receiver: Endpoint) -> list[dict[str, Any]]:
    return [push.body for push in receiver.pushes if push.body["subject"] == SUBJECT]


def told(*words: str) -> tuple[int, Any]:
    result = CliRunner().invoke(app, [*words, "--json"])
    return result.exit_code, json.loads(result.stdout)


def test_a_field_that_rows_lack_is_one_alert_and_one_post_however_often_it_is_found_and_delivered(
    sampled: Pipeline, receiver: Endpoint
) -> None:
    for _ in range(3):
        run_job(sampled.scheduler, "check_quality")
    wait_until(lambda: sampled.one("SELECT count(*) FROM pipeline.alert WHERE delivered_at IS NULL") == 0, "delivered")
    (fields,) = sampled.sql(
        "SELECT alert_id, alert_key, kind, severity, subject, told FROM pipeline.alert WHERE subject = $1", SUBJECT
    )
    names = ("alert_id", "key", "kind", "severity", "subject", "told")
    again = Alert(**dict(zip(names, fields, strict=True)), runbook="-", raised_at=datetime.now(UTC))
    CloudPublisher(PROJECT).publish("alerts", [again, again])
    run_job(sampled.scheduler, "check_quality")
    settle(sampled)

    (post,) = posts(receiver)
    assert post["severity"] == "warning"
    assert post["text"].startswith(f"[warning] {SUBJECT}: 77")
    assert post["runbook"].endswith("runbook.md#quality-breach")
    assert len({push.headers["Idempotency-Key"] for push in receiver.pushes}) == len(receiver.pushes)


def settle(sampled: Pipeline) -> None:
    """Until no alert is on its way."""

    def quiet() -> bool:
        with sampled.control() as control:
            stats = control.stats()[f"projects/{PROJECT}/subscriptions/notify-alerts"]
        return stats.undelivered + stats.outstanding == 0

    wait_until(quiet, "no alert is on its way")


def test_the_mart_and_the_command_line_tell_the_same_scores_and_breaches(sampled: Pipeline) -> None:
    code, shown = told("quality")
    assert code == 1  # contradicting duplicates are more than 1 % of the sample: critical
    broken = {(one["dataset"], one["rule"], one["severity"]) for one in shown["breaches"]}
    assert ("transactions", "completeness.user_id", "warning") in broken
    assert ("transactions", "financial_errors", "critical") in broken
    rows = sampled.warehouse.run(
        "SELECT DISTINCT dataset, day, score FROM marts.quality_metrics WHERE day >= DATE '2000-01-01'", {}
    )
    mart = {(row["dataset"], str(row["day"])): float(row["score"]) for row in rows}
    assert mart == {(one["dataset"], one["day"]): float(one["score"]) for one in shown["scores"]}
    code, only = told("quality", "--dataset", "users")
    assert {one["dataset"] for one in only["scores"]} == {"users"}
    assert code == 0


def test_alerts_are_listed_with_their_state_and_link(sampled: Pipeline) -> None:
    assert sampled.scheduler
    code, listed = told("alerts")
    assert code == 0
    (found,) = [alert for alert in listed if alert["subject"] == SUBJECT]
    assert (found["state"], found["severity"]) == ("delivered", "warning")
    assert found["runbook"].endswith("#quality-breach")
    shown = CliRunner().invoke(app, ["quality"], env={"COLUMNS": "200"})
    assert "completeness" in shown.output


@dataclass
class Reconciling:
    """reconcile as the function runs it, with a grace period of the test's choice; which alerts it made."""

    running: Pipeline
    seen: int = 0
    """The newest alert that a call has told of; the scheduler may raise one in between."""

    def __call__(self, grace: int = 1800) -> list[tuple[str, str]]:
        settings = replace(load_settings(), reconcile_grace_seconds=grace)

        def ran() -> bool:
            done = reconcile.run(
                now=datetime.now(UTC), session=self.running.run.session, store=CloudStorage(PROJECT),
                warehouse=self.running.warehouse, publisher=MemoryPublisher(), settings=settings,
            )  # fmt: skip
            return done.outcome != "busy"

        wait_until(ran, "the scheduler's own run is over")
        new = self.running.sql(
            """SELECT subject, told, alert_id FROM pipeline.alert
               WHERE kind = 'reconcile_mismatch' AND alert_id > $1 ORDER BY 1""",
            self.seen,
        )
        self.seen = max([self.seen, *(alert_id for _, _, alert_id in new)])
        return [(subject, told) for subject, told, _ in new]

    def verdicts(self, rule: str) -> set[bool]:
        sql = "SELECT passed FROM pipeline.quality_result WHERE dataset = 'reconcile' AND rule = $1"
        return {row[0] for row in self.running.sql(sql, rule)}


@pytest.fixture(scope="module")
def reconciling(sampled: Pipeline) -> Reconciling:
    return Reconciling(sampled)


@contextmanager
def paused(running: Pipeline, name: str) -> Iterator[None]:
    """A subscription that delivers nothing."""
    subscription = f"projects/{PROJECT}/subscriptions/{name}"
    with running.control() as control:
        control.pause(subscription)
        try:
            yield
        finally:
            control.resume(subscription)


def only(running: Pipeline, name: str, day: str, count: int = 3) -> str:
    """Load a file of its own day, and feed it; its chunk id."""
    rows = b"\n".join(row(f"{name}-{n}", timestamp=f"{day}T10:00:00Z") for n in range(count))
    identity = running.load(f"transactions/{name}.ndjson", rows)
    running.feed()
    return str(running.one("SELECT chunk_id FROM pipeline.chunk WHERE file_id = $1", identity))


def test_a_healthy_pipeline_is_reconciled_without_an_alert(reconciling: Reconciling) -> None:
    assert reconciling() == []
    assert reconciling(grace=0) == []
    for rule in ("files_equal", "ledger_equal", "warehouse_equal", "marts_equal"):
        assert reconciling.verdicts(rule) == {True}, rule


@pytest.mark.parametrize("stage", ["receive_upload-uploads", "validate-chunks", "load_postgres-validated"])
def test_in_the_middle_of_a_load_nothing_is_off_until_it_takes_too_long(reconciling: Reconciling, stage: str) -> None:
    running, name = reconciling.running, stage.partition("-")[0]
    with paused(running, stage):
        identity = running.put(f"transactions/{name}.ndjson", row(f"late-{name}"))
        if stage != "receive_upload-uploads":
            chunk = "SELECT count(*) FROM pipeline.chunk WHERE file_id = $1"
            wait_until(lambda: running.one(chunk, identity) == 1, "the chunk is registered")
        assert reconciling() == []
        ((subject, told),) = reconciling(grace=0)
        if stage == "receive_upload-uploads":
            assert subject.startswith(f"object gs://sluice-landing/transactions/{name}.ndjson#")
        else:
            assert subject == f"chunk {identity}-000000"
            assert told.startswith("1 rows have no outcome since")
    running.run.wait_for([identity])
    assert reconciling() == []
    running.feed()
    assert reconciling(grace=0) == []


@pytest.mark.parametrize("stage", ["load_warehouse-enriched", "build_marts-warehouse_loaded"])
def test_in_the_middle_of_a_feed_nothing_is_off_until_it_takes_too_long(reconciling: Reconciling, stage: str) -> None:
    running = reconciling.running
    running.load(f"transactions/{stage}.ndjson", row(stage))
    assert reconciling() == []  # in no feed yet
    ((subject, told),) = reconciling(grace=0)
    assert subject.startswith("chunk ")
    assert "are in no feed" in told
    with paused(running, stage):
        run_job(running.scheduler, "enrich")
        reached = "loaded" if stage.startswith("build") else "published"
        state = "SELECT state FROM pipeline.feed_batch ORDER BY feed_id DESC LIMIT 1"
        wait_until(lambda: running.one(state) == reached, "the feed waits")
        assert reconciling() == []
        ((subject, told),) = reconciling(grace=0)
        assert subject.startswith("feed ")
        assert told.startswith(f"is {reached} since")
    running.feed()
    assert reconciling(grace=0) == []


def test_a_row_deleted_in_the_warehouse_is_one_alert_that_names_its_chunk(reconciling: Reconciling) -> None:
    chunk = only(reconciling.running, "deleted", "2026-02-03")
    reconciling.running.warehouse.run(
        "DELETE FROM sales.transactions WHERE sale_date = DATE '2026-02-03' AND transaction_id = 'deleted-1'", {}
    )
    told = "2026-02-03: Postgres has 3 rows, 15.0000; sales.transactions has 2 rows, 10"
    assert reconciling() == [(f"chunk {chunk}", told)]
    assert reconciling() == []
    assert reconciling.verdicts("warehouse_equal") == {True, False}


def test_an_amount_changed_by_a_cent_is_one_alert_that_names_its_chunk(reconciling: Reconciling) -> None:
    chunk = only(reconciling.running, "cent", "2026-02-04")
    reconciling.running.warehouse.run(
        """UPDATE sales.transactions SET amount = amount + NUMERIC '0.01'
           WHERE sale_date = DATE '2026-02-04' AND transaction_id = 'cent-1'""",
        {},
    )
    ((subject, told),) = reconciling()
    assert subject == f"chunk {chunk}"
    assert "has 3 rows, 15.01" in told


def test_a_mart_that_differs_alone_is_one_alert_that_names_its_day(reconciling: Reconciling) -> None:
    only(reconciling.running, "mart", "2026-02-05")
    reconciling.running.warehouse.run(
        "UPDATE marts.daily_sales_summary SET amount = 1 WHERE sale_date = DATE '2026-02-05'", {}
    )
    ((subject, told),) = reconciling()
    assert subject == "marts.daily_sales_summary"
    assert told.startswith("2026-02-05: Postgres has 3 rows, 15.0000; marts.daily_sales_summary has 3 rows, 1")


def test_a_ledger_row_that_was_deleted_is_one_alert_that_names_its_chunk(reconciling: Reconciling) -> None:
    chunk = only(reconciling.running, "ledger", "2026-02-06")
    reconciling.running.sql("DELETE FROM pipeline.chunk WHERE chunk_id = $1", chunk)
    ((subject, told),) = reconciling()
    assert subject == f"chunk {chunk}"
    assert told.startswith("is not in the ledger; file transactions/ledger.ndjson#")
    assert reconciling.verdicts("ledger_equal") == {False}


def test_an_object_whose_notification_was_lost_is_one_alert_that_names_it(reconciling: Reconciling) -> None:
    bucket = storage.Client(project=PROJECT).bucket(BUCKETS["LANDING_BUCKET"])
    for notification in bucket.list_notifications():
        notification.delete()
    blob = bucket.blob("transactions/lost.ndjson")
    blob.upload_from_string(row("lost"))
    assert reconciling() == []  # its notification may still come
    ((subject, told),) = reconciling(grace=0)
    assert subject == f"object gs://sluice-landing/transactions/lost.ndjson#{blob.generation}"
    assert "its notification was lost" in told
