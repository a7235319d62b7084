"""extract_products is killed or gives up at any point: the next call goes on behind the last page that was stored."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from shared.adapters.feeds import one_at_a_time
from shared.adapters.postgres import Session, connect
from shared.adapters.storage import CloudStorage
from shared.entrypoint import Outcome
from shared.errors import ConfigError, DependencyUnavailable, LockTimeout, Throttled, TransientError
from shared.messages import Alert
from shared.settings import Settings
from tests.contract.adapters.catalogue import Fault, cut_off, reset, status, text
from tests.functions.extracting import FULL, ITEMS, MONDAY, SUNDAY, Bench, clear_extractions, extracting
from tests.functions.failing import Failing
from tests.functions.harness import LAKE, LANDING


@pytest.fixture
def bench(session: Session) -> Iterator[Bench]:
    with extracting(session) as made:
        yield made


def fail_at_page(bench: Bench, page: int) -> None:
    """One call that gets the pages before this one and is then refused, which it does not try again."""
    bench.catalogue.faults = [bench.catalogue.answer] * (page - 1) + [status(401)]
    with pytest.raises(ConfigError):
        bench.run(SUNDAY)


@pytest.mark.parametrize("again", [SUNDAY, MONDAY, SUNDAY + timedelta(days=7)], ids=["same", "later", "a week later"])
@pytest.mark.parametrize("page", [1, 2, 3])
def test_a_call_that_gave_up_is_gone_on_with_where_it_stopped(bench: Bench, page: int, again: datetime) -> None:
    fail_at_page(bench, page)
    assert bench.store.names(LANDING) == []
    assert bench.watermark() == []
    bench.pages_asked()
    assert bench.run(again) == Outcome("extracted", 5, 5)
    assert bench.pages_asked() == list(range(page, 4))
    assert bench.store.names(LANDING) == [FULL]
    assert bench.landed() == ITEMS
    assert bench.watermark() == [(SUNDAY + timedelta(minutes=5),) * 2]


@pytest.mark.parametrize(
    ("method", "at", "asked"),
    [
        ("stat", 1, [1, 2, 3]),
        ("write_once", 1, [1, 2, 3]),
        ("write_once", 3, [3]),
        ("open_once", 1, []),
        ("read", 2, []),
    ],
    ids=["before all", "before page 1 is stored", "before page 3 is stored", "before the file", "in the file"],
)
def test_a_crash_costs_no_page_that_was_stored(bench: Bench, method: str, at: int, asked: list[int]) -> None:
    with pytest.raises(DependencyUnavailable):
        bench.run(SUNDAY, Failing(bench.store, method, at))  # type: ignore[arg-type]  # it passes all else through
    bench.pages_asked()
    assert bench.run(SUNDAY) == Outcome("extracted", 5, 5)
    assert bench.pages_asked() == asked
    assert bench.landed() == ITEMS
    assert bench.alerts() == []


def test_a_crash_at_any_statement_costs_no_page_and_no_product(bench: Bench) -> None:
    for at in range(1, 100):
        clear_extractions(bench.session)
        bench.store.objects.clear()
        bench.pages_asked()
        crashing = Failing(bench.session, "rows", at)
        try:
            bench.run(SUNDAY, session=crashing)  # type: ignore[arg-type]  # as above
        except DependencyUnavailable:
            assert bench.run(SUNDAY).outcome in ("extracted", "repeated"), at
        else:
            break
        assert bench.store.names(LANDING) == [FULL], at
        assert bench.landed() == ITEMS, at
        assert bench.pages_asked() == [1, 2, 3], at
        assert bench.watermark() == [(SUNDAY + timedelta(minutes=5),) * 2], at
    assert at > 10


@pytest.mark.parametrize("page", [1, 2, 3])
def test_a_page_that_was_stored_and_not_recorded_is_not_fetched_again(bench: Bench, page: int) -> None:
    fail_at_page(bench, page + 1) if page < 3 else bench.run(SUNDAY)
    bench.session.rows(
        """UPDATE pipeline.extraction SET finished_at = NULL, products = NULL, pages_stored = $1::int,
           pages_told = CASE WHEN $1 > 0 THEN 3 END, total_told = CASE WHEN $1 > 0 THEN 5 END""",
        page - 1,
    )
    bench.store.delete(LANDING, FULL)
    bench.pages_asked()
    assert bench.run(SUNDAY) == Outcome("extracted", 5, 5)
    assert bench.pages_asked() == list(range(page + 1, 4))
    assert bench.landed() == ITEMS


def test_a_file_that_landed_before_the_run_could_end_is_not_written_again(bench: Bench) -> None:
    bench.run(SUNDAY)
    before = dict(bench.store.objects)
    bench.session.rows("UPDATE pipeline.extraction SET finished_at = NULL, products = NULL")
    bench.session.rows("DELETE FROM pipeline.extraction_watermark")
    bench.pages_asked()
    assert bench.run(MONDAY) == Outcome("extracted", 5, 5)
    assert bench.pages_asked() == []
    assert bench.store.objects == before
    assert bench.watermark() == [(SUNDAY + timedelta(minutes=5),) * 2]
    assert bench.run(SUNDAY) == Outcome("repeated")


def test_a_page_that_is_gone_from_the_lake_lets_all_be_read_afresh(bench: Bench) -> None:
    fail_at_page(bench, 3)
    (first, _) = bench.store.names(LAKE)
    bench.store.delete(LAKE, first)
    assert bench.run(SUNDAY) == Outcome("extracted", 5, 5)
    assert bench.landed() == ITEMS


def test_an_increment_left_behind_is_finished_before_the_whole_catalogue_of_sunday(bench: Bench) -> None:
    bench.run(SUNDAY)
    bench.catalogue.faults = [status(401)]
    with pytest.raises(ConfigError):
        bench.run(MONDAY)
    assert bench.run(SUNDAY + timedelta(days=7)) == Outcome("extracted", 10, 10)
    names = [name.rpartition("-")[2] for name in bench.store.names(LANDING)]
    assert names == ["full.ndjson", "changes.ndjson", "full.ndjson"]


def test_while_a_call_is_at_it_another_is_told_to_come_again(bench: Bench, cloud_settings: Settings) -> None:
    other = connect(cloud_settings, "tests")
    with one_at_a_time(other, "extract_products") as free:
        assert free
        with pytest.raises(LockTimeout):
            bench.run(SUNDAY)
    other.close()
    assert bench.pages_asked() == []
    assert bench.run(SUNDAY) == Outcome("extracted", 5, 5)


def test_a_wait_is_kept_by_the_next_call_too(bench: Bench) -> None:
    bench.patience = 1.0
    bench.catalogue.faults = [bench.catalogue.answer, status(429, Retry_After="60")]
    asked_at = datetime.now(UTC)
    with pytest.raises(Throttled):
        bench.run(SUNDAY)
    (kept,) = bench.session.row("SELECT wait_until FROM pipeline.extraction")
    assert asked_at + timedelta(seconds=60) <= kept <= datetime.now(UTC) + timedelta(seconds=60)
    with pytest.raises(Throttled):
        bench.run(SUNDAY)
    assert bench.pages_asked() == [1, 2]
    bench.session.rows("UPDATE pipeline.extraction SET wait_until = now()")
    assert bench.run(SUNDAY) == Outcome("extracted", 5, 5)


def test_giving_up_raises_one_alert_for_the_run_however_often_it_is_tried(bench: Bench) -> None:
    bench.patience = 1.0
    bench.catalogue.faults = [bench.catalogue.answer]
    for fault in (status(500), text("not JSON"), status(404)):
        bench.catalogue.always = fault
        with pytest.raises((TransientError, ConfigError)):
            bench.run(SUNDAY)
    (alert,) = bench.alerts()
    assert alert == {
        "severity": "critical", "subject": "product API", "seen": 3,
        "told": "1 of 3 pages stored; the product API answers 500",
    }  # fmt: skip
    (published,) = bench.publisher.of("alerts")
    assert isinstance(published, Alert)
    assert published.runbook == "docs/runbook.md#extraction-failed"


@pytest.mark.parametrize(
    ("fault", "says"),
    [
        (status(429, Retry_After="9"), "the product API asks to wait (429)"),
        (status(503), "the product API answers 503"),
        (status(401), "the product API answers 401; check PRODUCT_API_URL"),
        (reset, "the product API does not answer: ReadError"),
        (cut_off, "the product API does not answer: RemoteProtocolError"),
        (text("SECRET"), "page 1 of the product API is not the JSON of a page"),
    ],
    ids=["429", "503", "401", "reset", "cut off", "no JSON"],
)
def test_the_alert_says_what_went_wrong_last_and_nothing_of_the_answer(bench: Bench, fault: Fault, says: str) -> None:
    bench.patience = 0.3
    bench.catalogue.always = fault
    with pytest.raises((TransientError, ConfigError)):
        bench.run(SUNDAY)
    (alert,) = bench.alerts()
    assert alert["told"] == f"0 of an unknown number of pages stored; {says}"


def test_another_run_that_gives_up_is_another_alert(bench: Bench) -> None:
    fail_at_page(bench, 2)
    bench.run(SUNDAY)
    bench.catalogue.always = status(404)
    with pytest.raises(ConfigError):
        bench.run(MONDAY)
    assert [alert["told"] for alert in bench.alerts()] == [
        "1 of 3 pages stored; the product API answers 401; check PRODUCT_API_URL",
        "0 of an unknown number of pages stored; the product API answers 404; check PRODUCT_API_URL",
    ]


def test_an_alert_is_kept_where_it_cannot_be_published(bench: Bench) -> None:
    bench.catalogue.always = status(401)
    with pytest.raises(DependencyUnavailable, match="a test asked for it"):
        bench.run(SUNDAY, publisher=Failing(bench.publisher, "publish"))  # type: ignore[arg-type]  # as above
    assert len(bench.alerts()) == 1
    with pytest.raises(ConfigError):
        bench.run(SUNDAY)
    assert len(bench.publisher.of("alerts")) == 1


def test_the_time_of_a_call_is_bounded(bench: Bench) -> None:
    bench.catalogue.faults = [status(500), bench.catalogue.answer] * 3
    bench.catalogue.always = status(503)
    started = datetime.now(UTC)
    with pytest.raises(DependencyUnavailable):
        bench.run(SUNDAY, EXTRACT_SECONDS="1", PRODUCT_PAGE_SIZE="1")
    assert datetime.now(UTC) - started < timedelta(seconds=20)


def test_in_cloud_storage_too_an_extraction_goes_on_where_it_stopped(bench: Bench, cloud_settings: Settings) -> None:
    store = CloudStorage(cloud_settings.project)
    at = SUNDAY + timedelta(microseconds=7)
    bench.catalogue.faults = [bench.catalogue.answer] * 2 + [status(401)]
    with pytest.raises(ConfigError):
        bench.run(at, store)
    bench.pages_asked()
    assert bench.run(at, store) == Outcome("extracted", 5, 5)
    assert bench.pages_asked() == [3]
    landed = store.read(LANDING, "products/20260301T030000000007Z-full.ndjson")
    assert landed.decode().splitlines() == ITEMS
