"""Quality and alerts on the whole pipeline, with a receiver of alerts that is a real HTTP server."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from cli.cloud import run_job
from cli.main import app
from local.stack import PROJECT, Options
from local.table import ROOT
from shared.adapters.pubsub import CloudPublisher
from shared.messages import Alert
from tests.contract.pubsub.endpoint import Endpoint
from tests.integration.pipeline.harness import Pipeline, pipeline, row, wait_until

REAL_SAMPLE = ROOT.parent / "shared" / "tools" / "online_retail.py"
SUBJECT = "transactions completeness.user_id"


@pytest.fixture(scope="module")
def receiver() -> Iterator[Endpoint]:
    endpoint = Endpoint()
    yield endpoint
    endpoint.close()


@pytest.fixture(scope="module")
def sampled(receiver: Endpoint, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pipeline]:
    """The real sample, or rows with the same faults, through to the mart; messages come twice at times."""
    folder = tmp_path_factory.mktemp("sample")
    if REAL_SAMPLE.exists():
        subprocess.run([sys.executable, str(REAL_SAMPLE), str(folder)], check=True)
    else:
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


@pytest.mark.skipif(
    not REAL_SAMPLE.exists(), reason="the real sample lies beside the project only where it is developed"
)
def test_the_real_sample_raises_the_completeness_warning_for_user_id_exactly_once(
    sampled: Pipeline, receiver: Endpoint
) -> None:
    run_job(sampled.scheduler, "check_quality")
    settle(sampled)
    (post,) = posts(receiver)
    assert "of 9,999 rows have user_id; the rule asks for more than 95 %" in post["text"]


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
