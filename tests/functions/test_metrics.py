"""Every metric of shared/metrics.yaml is taken from lines that the functions really write."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from typing import get_args

import pytest
from msgspec.structs import replace

from functions.load_postgres.main import run
from shared import metric_names
from shared.adapters.marts import tell_freshness
from shared.adapters.memory import MemoryStore
from shared.adapters.queries import rows_of
from shared.adapters.warehouse_sql import marts
from shared.messages import Alert
from tests.contract.pubsub.endpoint import Endpoint
from tests.functions.harness import PUBLISHED, Cloud, later, push, sale, settings, unique
from tests.functions.harness import lines as lines_of
from tests.functions.lines import METRICS, Line, kept_lines, taken
from tests.functions.stages import streamed, to_load
from tests.functions.test_load_postgres import file_of

STALE_MART = "marts.daily_sales_summary"
STALE_DAY = date(2025, 7, 1)


def of(name: str, lines: list[Line]) -> list[tuple[float, dict[str, str]]]:
    found = [taken(METRICS[name], line) for line in lines]
    return [one for one in found if one is not None]


@contextmanager
def waiting_mart(cloud: Cloud) -> Iterator[None]:
    """A mart that a change has waited for since three hours."""
    rows_of(cloud.session, "mark_dirty", marts=[STALE_MART], periods=[STALE_DAY], urgent=False)
    cloud.sql("UPDATE pipeline.mart_dirty SET marked_at = now() - interval '3 hours' WHERE mart = $1", STALE_MART)
    yield
    rows_of(cloud.session, "clear_dirty", mart=STALE_MART, periods=[STALE_DAY], marked=10**9)


@pytest.fixture
def refusing(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    endpoint = Endpoint()
    endpoint.answer = lambda _: 404
    monkeypatch.setenv("ALERT_WEBHOOK_URL", endpoint.url)
    yield
    endpoint.close()


def alert() -> Alert:
    return Alert(
        alert_id=0, key=unique("key"), kind="quality_breach", severity="warning", subject="users validity",
        told="94 % passed", runbook="docs/runbook.md#quality-breach", raised_at=datetime(2026, 3, 1, tzinfo=UTC),
    )  # fmt: skip


def test_the_fields_that_metrics_read_are_the_names_of_the_code() -> None:
    assert {metric["event"] for metric in METRICS.values()} == set(get_args(metric_names.Event))
    closing = [metric for metric in METRICS.values() if metric["event"] == "stage_finished"]
    measured = {metric["value"] for metric in closing if "value" in metric}
    assert measured - {"duration_ms", "rows_in", "rows_bad"} == set(get_args(metric_names.Measure))


def test_a_metric_says_what_it_is_and_has_few_series() -> None:
    for name, metric in METRICS.items():
        assert metric["description"].endswith("."), name
        assert ("value" in metric) == ("unit" in metric), name
        assert set(metric) <= {"description", "event", "where", "value", "unit", "labels"}, name
        assert not [label for label in metric["labels"] if label.endswith(("_id", "subject", "told", "detail"))], name


def test_a_message_that_is_loaded_counts_once_with_its_age(cloud: Cloud) -> None:
    told = streamed([sale(), sale()])
    with kept_lines() as lines:
        assert cloud.deliver("load_postgres", to_load(told)) == (200, "loaded")
        assert cloud.deliver("load_postgres", to_load(told)) == (200, "repeated")
    ((age, _),) = of("event_age", lines)
    assert abs(age - (datetime.now(UTC) - PUBLISHED).total_seconds()) < 60
    function = {"function": "load_postgres"}
    assert of("calls", lines) == [(1, function | {"outcome": "loaded"}), (1, function | {"outcome": "repeated"})]
    assert of("rows", lines) == [(2, function)] * 2
    assert of("batch_age", lines) == []


def test_the_age_is_from_publishing_to_the_commit_by_the_clock(cloud: Cloud) -> None:
    told = streamed([sale()])
    outcome = run(
        to_load(told), session=cloud.session, store=MemoryStore(), settings=settings(), clock=lambda: later(3.25)
    )  # fmt: skip
    assert outcome.measures == {"age_seconds": 3.25}


def test_a_message_that_an_operator_has_run_again_is_not_late(cloud: Cloud) -> None:
    told = streamed([sale()])
    again = replace(told, reprocess=1)
    outcome = run(to_load(again), session=cloud.session, store=MemoryStore(), settings=settings())
    assert outcome.measures == {}


@pytest.mark.usefixtures("refusing")
def test_alerts_and_those_refused_are_counted_by_kind(cloud: Cloud) -> None:
    with kept_lines() as lines:
        assert cloud.deliver("notify", push(alert(), "notify-alerts")) == (200, "refused")
    assert of("alerts_raised", lines) == [(1, {"kind": "quality_breach", "alert_severity": "warning"})]
    assert of("alerts_refused", lines) == [(1, {"kind": "quality_breach"})]


def test_sources_tell_their_age_and_whether_they_are_late(cloud: Cloud) -> None:
    now = replace(streamed([sale()]), landed_at=datetime.now(UTC))
    cloud.deliver("load_postgres", to_load(now))
    with kept_lines() as lines:
        assert cloud.post("check_quality", {}).status_code == 200
    ages = {labels["name"]: value for value, labels in of("freshness", lines) if labels["of"] == "source"}
    assert ages["transactions"] < 3600
    assert "transactions" not in {labels["name"] for _, labels in of("late", lines)}


def test_a_mart_that_a_change_waits_for_too_long_is_late(cloud: Cloud) -> None:
    with kept_lines() as lines, waiting_mart(cloud):
        tell_freshness(cloud.session, marts(), datetime.now(UTC))
    assert {"of": "mart", "name": STALE_MART} in [labels for _, labels in of("late", lines)]
    ages = {labels["name"]: timedelta(seconds=value) for value, labels in of("freshness", lines)}
    assert timedelta(hours=2.9) < ages[STALE_MART] < timedelta(hours=3.1)


def test_every_scheduled_build_tells_of_every_mart(cloud: Cloud) -> None:
    with kept_lines() as lines:
        assert cloud.get("build_marts", "/", headers={"X-CloudScheduler-JobName": "build_marts"}).status_code == 200
    assert {labels["name"] for _, labels in of("freshness", lines)} == {mart.name for mart in marts()}


@pytest.mark.usefixtures("refusing")
def test_every_metric_is_taken_from_what_the_functions_write(cloud: Cloud) -> None:
    _, chunks, _ = file_of(cloud.session, f"transactions/{unique()}.ndjson", lines_of([sale()]))
    with kept_lines() as lines, waiting_mart(cloud):
        for told in (*chunks, streamed([sale()])):
            assert cloud.deliver("load_postgres", to_load(told)) == (200, "loaded")
        cloud.deliver("notify", push(alert(), "notify-alerts"))
        tell_freshness(cloud.session, marts(), datetime.now(UTC))
    assert [name for name in METRICS if not of(name, lines)] == []


def test_a_chunk_of_a_file_is_timed_from_its_landing_and_is_no_message(cloud: Cloud) -> None:
    _, (told,), _ = file_of(cloud.session, f"transactions/{unique()}.ndjson", lines_of([sale()]))
    outcome = run(
        to_load(told), session=cloud.session, store=MemoryStore(), settings=settings(),
        clock=lambda: told.landed_at + timedelta(hours=1),
    )  # fmt: skip
    assert outcome.measures == {"batch_seconds": 3600}


def test_a_line_holds_no_payload(cloud: Cloud) -> None:
    row = sale()
    with kept_lines() as lines:
        cloud.deliver("load_postgres", to_load(streamed([row])))
    assert row["transaction_id"] not in json.dumps(lines)
