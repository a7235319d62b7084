"""extract_products: the whole catalogue first, then what changed; each scheduled time once."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest

from functions.extract_products.main import OVERLAP
from shared.adapters.postgres import Session
from shared.adapters.storage import CloudStorage
from shared.entrypoint import Outcome
from shared.messages import Alert
from tests.contract.adapters.catalogue import status, text
from tests.functions.extracting import CHANGES, FULL, ITEMS, MONDAY, SUNDAY, Bench, extracting
from tests.functions.harness import LANDING, Cloud, unique


@pytest.fixture
def bench(session: Session) -> Iterator[Bench]:
    with extracting(session) as made:
        yield made


def test_the_first_run_takes_the_whole_catalogue_on_any_day(bench: Bench) -> None:
    assert bench.run(MONDAY) == Outcome("extracted", 5, 5)
    (name,) = bench.store.names(LANDING)
    assert name == "products/20260302T030000000000Z-full.ndjson"
    assert bench.store.read(LANDING, name).decode().splitlines() == ITEMS
    assert "updated_since" not in bench.catalogue.requests[0]
    assert bench.watermark() == [(MONDAY + timedelta(minutes=5),) * 2]


def test_a_later_run_takes_what_changed_since_the_last_one_with_some_overlap(bench: Bench) -> None:
    bench.run(SUNDAY)
    bench.catalogue.items, bench.catalogue.requests = ITEMS[:1], []
    assert bench.run(MONDAY) == Outcome("extracted", 1, 1)
    assert bench.store.names(LANDING) == [FULL, CHANGES]
    since = SUNDAY + timedelta(minutes=5) - OVERLAP
    assert [request["updated_since"] for request in bench.catalogue.requests] == [since.isoformat()]
    assert bench.watermark() == [(MONDAY + timedelta(minutes=5), SUNDAY + timedelta(minutes=5))]


def test_sundays_take_the_whole_catalogue_again(bench: Bench) -> None:
    bench.run(SUNDAY)
    bench.catalogue.requests = []
    assert bench.run(SUNDAY + timedelta(days=7)).rows_out == 5
    assert all("updated_since" not in request for request in bench.catalogue.requests)


@pytest.mark.parametrize("at", [SUNDAY, MONDAY], ids=["full on Sunday", "the first one, full on Monday"])
def test_a_run_that_is_called_twice_extracts_once(bench: Bench, at: datetime) -> None:
    bench.run(at)
    bench.catalogue.requests = []
    assert bench.run(at) == Outcome("repeated")
    assert bench.catalogue.requests == []


def test_an_increment_that_is_called_twice_extracts_once(bench: Bench) -> None:
    bench.run(SUNDAY)
    bench.run(MONDAY)
    assert bench.run(MONDAY) == Outcome("repeated")
    assert bench.store.names(LANDING) == [FULL, CHANGES]


@pytest.mark.parametrize("pages", [0, 1])
def test_nothing_changed_is_no_file_and_moves_the_watermark(bench: Bench, pages: int) -> None:
    bench.run(SUNDAY)
    bench.catalogue.faults = [text(f'{{"items": [], "pages": {pages}, "total": 0}}')]
    assert bench.run(MONDAY) == Outcome("extracted")
    assert bench.store.names(LANDING) == [FULL]
    assert bench.watermark()[0][0] == MONDAY + timedelta(minutes=5)


def test_on_the_local_cloud_a_scheduled_run_extracts_what_the_api_serves_once(
    cloud: Cloud, bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PRODUCT_API_URL", bench.catalogue.url)
    bench.catalogue.items = [f'{{"product_id": "{unique("p")}"}}']
    headers = {"X-CloudScheduler-JobName": "extract_products", "X-CloudScheduler-ScheduleTime": "2026-03-08T03:00:00Z"}
    answers = [cloud.get("extract_products", "/", headers=headers).get_json()["outcome"] for _ in range(2)]
    assert answers == ["extracted", "repeated"]
    name = "products/20260308T030000000000Z-full.ndjson"
    store = CloudStorage("sluice-local")
    assert store.read(LANDING, name).decode().splitlines() == bench.catalogue.items


def test_on_the_local_cloud_a_run_that_gives_up_answers_503_and_publishes_its_alert(
    cloud: Cloud, bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PRODUCT_API_URL", bench.catalogue.url)
    monkeypatch.setenv("EXTRACT_SECONDS", "1")
    bench.catalogue.always = status(503)
    answer = cloud.get("extract_products", "/")
    assert (answer.status_code, answer.get_json()["detail"]) == (503, "the product API answers 503")
    (alert,) = cloud.take("alerts", Alert, lambda found: found.kind == "extraction_failed")
    assert (alert.severity, alert.subject) == ("critical", "product API")
    assert alert.told == "0 of an unknown number of pages stored; the product API answers 503"
