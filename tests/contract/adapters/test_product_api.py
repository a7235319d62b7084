"""The product API's adapter against a server that misbehaves in every way it knows."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest

from shared.adapters.product_api import ProductApi
from shared.errors import ConfigError, DependencyUnavailable, Throttled, TransientError
from tests.contract.adapters.catalogue import Catalogue, Fault, cut_off, drip, hang, reset, status, text
from tests.contract.adapters.servers import nobody_listens

ITEMS = [f'{{"product_id": "p{number}", "price": {number}.10}}' for number in range(5)]


@pytest.fixture
def catalogue() -> Iterator[Catalogue]:
    with Catalogue(items=list(ITEMS)) as serving:
        yield serving


def read(
    catalogue: Catalogue, page_size: int = 2, budget: float = 5.0, since: datetime | None = None, **more: Any
) -> list[bytes]:
    """All pages, one after the other."""
    with ProductApi(catalogue.url + "/", page_seconds=budget, **more) as api:
        lines: list[bytes] = []
        number, pages = 0, 1
        while number < pages:
            number += 1
            page = api.page(number, since=since, page_size=page_size, label="7.1", deadline=time.monotonic() + 60)
            lines, pages = lines + page.lines, page.pages
    return lines


@pytest.mark.parametrize("page_size", [1, 2, 5, 6])
def test_every_page_is_read_and_each_product_comes_as_it_was_written(catalogue: Catalogue, page_size: int) -> None:
    assert read(catalogue, page_size) == [item.encode() for item in ITEMS]
    assert [request["page"] for request in catalogue.requests] == [str(n + 1) for n in range(-(-5 // page_size))]
    assert all(request["page_size"] == str(page_size) for request in catalogue.requests)


def test_a_product_written_over_several_lines_becomes_one_line(catalogue: Catalogue) -> None:
    catalogue.items = ['{"product_id":\r\n "p1",\n "price": 1.10}']
    (item,) = read(catalogue)
    assert b"\n" not in item
    assert b"\r" not in item
    assert b'"price": 1.10' in item


def test_an_empty_catalogue_is_one_request_and_nothing(catalogue: Catalogue) -> None:
    catalogue.items = []
    assert read(catalogue) == []
    assert len(catalogue.requests) == 1


def test_an_increment_asks_for_what_changed_since_on_each_page(catalogue: Catalogue) -> None:
    since = datetime(2026, 3, 1, 12, tzinfo=UTC)
    read(catalogue, since=since)
    assert [request["updated_since"] for request in catalogue.requests] == [since.isoformat()] * 3


@pytest.mark.parametrize(
    "fault",
    [
        status(500),
        status(502),
        status(503),
        status(408),
        cut_off,
        text("<html>"),
        text('{"items": []'),
        text('{"pages": 1}'),
        text('{"items": [], "pages": -1, "total": 0}'),
        text('{"items": [], "pages": 1, "total": 10000000000}'),
        text("[" * 100_000),
        reset,
    ],
    ids=[
        "500",
        "502",
        "503",
        "408",
        "cut off",
        "no JSON",
        "half JSON",
        "no page",
        "no number",
        "no bound",
        "too deep",
        "reset",
    ],
)
def test_a_page_that_failed_once_is_asked_for_again(catalogue: Catalogue, fault: Fault) -> None:
    catalogue.faults = [fault]
    assert read(catalogue, page_size=5) == [item.encode() for item in ITEMS]
    assert [request["page"] for request in catalogue.requests] == ["1", "1"]


@pytest.mark.parametrize("code", [429, 503])
def test_a_wait_that_the_server_asks_for_is_kept(catalogue: Catalogue, code: int) -> None:
    catalogue.faults = [status(code, Retry_After="1")]
    started = time.monotonic()
    assert len(read(catalogue, page_size=5)) == 5
    assert time.monotonic() - started >= 1


def test_a_wait_until_a_date_is_kept(catalogue: Catalogue) -> None:
    until = datetime.now(UTC) + timedelta(seconds=3)  # the header has whole seconds
    catalogue.faults = [status(429, Retry_After=format_datetime(until, usegmt=True))]
    assert len(read(catalogue, page_size=5)) == 5
    assert datetime.now(UTC) >= until - timedelta(seconds=1)


def test_a_wait_that_nobody_understands_is_no_wait(catalogue: Catalogue) -> None:
    catalogue.faults = [status(429, Retry_After="soon")]
    assert len(read(catalogue, page_size=5)) == 5


@pytest.mark.parametrize(
    ("fault", "error"), [(status(429), Throttled), (status(500), DependencyUnavailable), (reset, DependencyUnavailable)]
)
def test_a_fault_that_stays_ends_with_the_budget(
    catalogue: Catalogue, fault: Fault, error: type[TransientError]
) -> None:
    catalogue.always = fault
    with pytest.raises(error):
        read(catalogue, budget=0.3)
    assert len(catalogue.requests) >= 1


def test_a_wait_beyond_the_budget_is_not_waited_for(catalogue: Catalogue) -> None:
    catalogue.always = status(429, Retry_After="3600")
    started = time.monotonic()
    with pytest.raises(Throttled):
        read(catalogue, budget=0.3)
    assert time.monotonic() - started < 20


@pytest.mark.parametrize("code", [400, 401, 404, 301])
def test_a_refusal_is_permanent_and_not_repeated(catalogue: Catalogue, code: int) -> None:
    catalogue.always = status(code)
    with pytest.raises(ConfigError, match="PRODUCT_API_URL"):
        read(catalogue)
    assert len(catalogue.requests) == 1


def test_an_answer_that_never_comes_is_given_up_and_asked_for_again(catalogue: Catalogue) -> None:
    catalogue.faults = [hang(0.5)]
    assert len(read(catalogue, page_size=5, timeout_seconds=0.1)) == 5


def test_an_answer_that_drips_for_ever_ends_with_the_budget(catalogue: Catalogue) -> None:
    catalogue.always = drip(0.05, 400)
    started = time.monotonic()
    with pytest.raises(DependencyUnavailable):
        read(catalogue, budget=0.3)
    assert time.monotonic() - started < 10


def test_the_deadline_of_the_run_ends_a_page_before_its_own_budget(catalogue: Catalogue) -> None:
    catalogue.always = status(503)
    started = time.monotonic()
    with ProductApi(catalogue.url, page_seconds=60) as api, pytest.raises(DependencyUnavailable, match="503"):
        api.page(1, since=None, page_size=5, label="7.1", deadline=started + 1.0)
    assert time.monotonic() - started < 30
    with ProductApi(catalogue.url) as api, pytest.raises(DependencyUnavailable, match="is over"):
        api.page(1, since=None, page_size=5, label="7.1", deadline=started)


def test_until_when_the_api_asked_to_wait_is_told_before_it_is_waited_for(catalogue: Catalogue) -> None:
    told: list[datetime] = []
    catalogue.always = status(429, Retry_After="3600")
    before = datetime.now(UTC)
    with ProductApi(catalogue.url, page_seconds=0.3) as api, pytest.raises(Throttled):
        api.page(1, since=None, page_size=5, label="7.1", deadline=time.monotonic() + 60, on_wait=told.append)
    assert [round((until - before).total_seconds()) for until in told] == [3600]


@pytest.mark.parametrize("seconds", [0.2, -5])
def test_nothing_is_asked_before_the_time_that_an_earlier_call_was_told(catalogue: Catalogue, seconds: float) -> None:
    until = datetime.now(UTC) + timedelta(seconds=seconds)
    with ProductApi(catalogue.url) as api:
        api.page(1, since=None, page_size=5, label="7.1", deadline=time.monotonic() + 60, not_before=until)
    assert datetime.now(UTC) >= until
    assert len(catalogue.requests) == 1


def test_a_time_beyond_the_budget_is_not_waited_for(catalogue: Catalogue) -> None:
    until = datetime.now(UTC) + timedelta(hours=1)
    with ProductApi(catalogue.url) as api, pytest.raises(Throttled, match="until"):
        api.page(1, since=None, page_size=5, label="7.1", deadline=time.monotonic() + 60, not_before=until)
    assert catalogue.requests == []


def test_an_item_that_is_no_product_comes_as_it_is(catalogue: Catalogue) -> None:
    catalogue.items = ["null", "17", '"text"', "[1]", '{"name": "without an id"}']
    assert [line.decode() for line in read(catalogue)] == catalogue.items


@pytest.mark.parametrize("url", ["", "localhost", "ftp://127.0.0.1", "http://[::1"])
def test_an_address_that_is_none_is_a_mistake_of_the_installation(url: str) -> None:
    with ProductApi(url) as api, pytest.raises(ConfigError, match="PRODUCT_API_URL"):
        api.page(1, since=None, page_size=5, label="7.1", deadline=time.monotonic() + 60)


def test_an_api_that_is_down_is_unavailable() -> None:
    with (
        nobody_listens() as host,
        ProductApi(f"http://{host}", page_seconds=0.3) as api,
        pytest.raises(DependencyUnavailable),
    ):
        api.page(1, since=None, page_size=10, label="7.1", deadline=time.monotonic() + 60)
