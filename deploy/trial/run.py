"""A whole run of the pipeline in which every function is a bundle, and a request to each that people call."""

from __future__ import annotations

import base64
import json
import os
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
from google.cloud import pubsub_v1  # type: ignore[attr-defined,import-untyped,unused-ignore]
from rich.console import Console

from cli.cloud import run_job
from cli.demo_run import DemoRun
from local.chaos.webhook import Webhook
from local.generate import generate
from local.stack import PROJECT, LocalCloud
from local.table import Function

DAYS = 40
"""So that a whole month has ended in them, or its end at least."""
ROWS = 2_000
OPERATOR = "operator@localhost"


class BundleCloud(LocalCloud):
    """The local cloud with bundles for a functions host."""

    def __init__(self, home: Path, installed: Path) -> None:
        super().__init__(home)
        self._installed = installed

    def _host_program(self) -> tuple[str, ...]:
        return "deploy.trial.host", "--installed", str(self._installed)


def whole_run(home: Path, installed: Path, scheduled: list[str], console: Console) -> tuple[bool, dict[str, Any]]:
    """Files and a message through to the marts, each schedule and each HTTP function once.

    Whether every row balances, and what GET /_calls of the host tells.
    """
    today = datetime.now(UTC).date()
    folder = home / "data"
    start = today - timedelta(days=DAYS)
    generate(folder, transactions=ROWS, users=100, products=50, dirt=0.05, seed=1, days=DAYS, start=start)
    with Webhook() as webhook:
        os.environ["ALERT_WEBHOOK_URL"] = webhook.url  # an alert is delivered, so that notify does its whole work
        run = DemoRun(home, console)
        run.cloud = BundleCloud(home, installed)
        with run:
            return _work(run, folder, scheduled, today, console)


def _work(
    run: DemoRun, folder: Path, scheduled: list[str], today: date, console: Console
) -> tuple[bool, dict[str, Any]]:
    endpoints = run.cloud.endpoints
    assert endpoints is not None
    _publish_sale(today)
    summary = run.whole(folder, run_job)
    for job in scheduled:
        run_job(endpoints.scheduler, job)
    _ask_each(endpoints.functions, today, console)
    calls: dict[str, Any] = httpx.get(f"{endpoints.functions}/_calls", timeout=60).json()
    for finding in summary["findings"]:
        console.print(finding)
    return bool(summary["balanced"]), calls


def lacking(table: list[Function], calls: dict[str, Any]) -> list[str]:
    """The triggers of functions.yaml that no call with a good answer came from."""
    missing = []
    for function in table:
        triggers = [f"{function.name}-{topic}" for topic in function.topics]
        triggers += ["schedule"] * bool(function.schedules) + ["http"] * function.http
        answers = calls[function.name]["answers"]
        missing += [
            f"{function.name}: {t}" for t in triggers if not any(a in answers for a in (f"{t} 200", f"{t} 204"))
        ]
    return missing


def _publish_sale(day: date) -> None:
    sale = {
        "transaction_id": "trial-1", "user_id": "U-1", "product_id": "P-1", "amount": "10.50", "currency": "GBP",
        "timestamp": f"{day}T00:00:00Z", "payment_method": "card", "status": "completed",
    }  # fmt: skip
    client = pubsub_v1.PublisherClient()
    client.publish(client.topic_path(PROJECT, "transactions"), json.dumps(sale).encode()).result(timeout=60)
    client.stop()


def _ask_each(functions: str, today: date, console: Console) -> None:
    """What operators and readers ask for, each with the identity that Cloud Run would have checked."""
    claims = base64.urlsafe_b64encode(json.dumps({"email": OPERATOR, "email_verified": True}).encode()).decode()
    headers = {"Authorization": f"Bearer e30.{claims.rstrip('=')}.x"}
    month = f"{today.replace(day=1) - timedelta(days=1):%Y-%m}"
    asked = [
        ("POST", "close_month/", {"month": month}),
        ("POST", "replay_quarantine/", {"action": "replay", "filters": {"source": "transactions"}}),
        ("GET", f"report/revenue_by_day?from={today - timedelta(days=DAYS)}&to={today}", None),
        ("GET", "product_api/products?page=1", None),
    ]
    with httpx.Client(base_url=functions, headers=headers, timeout=600) as client:
        for method, path, body in asked:
            answer = client.request(method, f"/{path}", json=body, headers={"Idempotency-Key": path})
            console.print(f"{path.partition('?')[0]}: {answer.status_code} {answer.text[:150]}", markup=False)
