"""check_quality, reconcile and notify through functions-framework, as they are deployed."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from structlog.testing import capture_logs

from shared.messages import Alert
from shared.telemetry import logger
from tests.contract.pubsub.endpoint import Endpoint
from tests.functions.harness import Cloud, push, unique


@pytest.fixture
def receiver(monkeypatch: pytest.MonkeyPatch) -> Iterator[Endpoint]:
    endpoint = Endpoint()
    monkeypatch.setenv("ALERT_WEBHOOK_URL", endpoint.url)
    yield endpoint
    endpoint.close()


def alert() -> Alert:
    return Alert(
        alert_id=0, key=unique("key"), kind="quality_breach", severity="warning", subject="users validity",
        told="94 % passed", runbook="docs/runbook.md#quality-breach", raised_at=datetime(2026, 3, 1, tzinfo=UTC),
    )  # fmt: skip


def test_without_a_webhook_an_alert_is_logged_and_acknowledged(cloud: Cloud) -> None:
    logger()  # configured before it is captured, not while
    with capture_logs() as logged:
        assert cloud.deliver("notify", push(alert(), "notify-alerts")) == (200, "logged")
    (line,) = [line for line in logged if line["event"] == "alert"]
    told = (line["kind"], line["alert_severity"], line["subject"], line["told"])
    assert told == ("quality_breach", "warning", "users validity", "94 % passed")


def test_with_a_webhook_it_is_posted_and_acknowledged_or_tried_again(cloud: Cloud, receiver: Endpoint) -> None:
    message = push(alert(), "notify-alerts")
    receiver.answer = lambda earlier: 500 if earlier == 0 else 200
    assert cloud.deliver("notify", message) == (503, "retry")
    assert cloud.deliver("notify", message) == (200, "delivered")
    receiver.answer = lambda _: 404
    assert cloud.deliver("notify", push(alert(), "notify-alerts")) == (200, "refused")


def test_a_message_that_is_no_alert_is_refused_and_acknowledged(cloud: Cloud) -> None:
    assert cloud.deliver("notify", push(b"{}", "notify-alerts")) == (200, "refused")


@pytest.mark.parametrize(
    ("function", "outcomes"), [("check_quality", {"measured"}), ("reconcile", {"reconciled", "mismatch"})]
)
def test_a_scheduled_call_measures_and_answers(cloud: Cloud, function: str, outcomes: set[str]) -> None:
    answer = cloud.post(function, {})
    assert answer.status_code == 200
    assert answer.get_json()["outcome"] in outcomes
