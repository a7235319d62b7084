"""extract_products: the whole catalogue first, then what changed; a truncated answer leaves no file."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest

from functions.extract_products.main import OVERLAP, run
from shared.adapters.memory import MemoryStore
from shared.adapters.ports import ObjectStore
from shared.adapters.postgres import Session
from shared.adapters.product_api import ProductApi
from shared.adapters.storage import CloudStorage
from shared.entrypoint import Outcome
from shared.errors import DependencyUnavailable
from shared.events import ScheduledCall
from shared.settings import Settings
from tests.contract.adapters.catalogue import Catalogue, status
from tests.functions.failing import Failing
from tests.functions.harness import LANDING, Cloud, settings, unique

SUNDAY = datetime(2026, 3, 1, 3, tzinfo=UTC)
MONDAY = SUNDAY + timedelta(days=1)
FULL = "products/20260301T030000000000Z-full.ndjson"
CHANGES = "products/20260302T030000000000Z-changes.ndjson"
ITEMS = [f'{{"product_id": "p{number}", "price": 1.10}}' for number in range(5)]


@dataclass
class Bench:
    """extract_products with a fake store and a catalogue over HTTP."""

    session: Session
    catalogue: Catalogue
    store: MemoryStore = field(default_factory=MemoryStore)

    def run(self, at: datetime, store: ObjectStore | None = None) -> Outcome:
        """One scheduled run, five minutes late."""
        return run(
            ScheduledCall("extract_products", at),
            now=at + timedelta(minutes=5),
            session=self.session,
            store=store or self.store,
            api=ProductApi(self.catalogue.url, page_size=2, budget_seconds=0.3),
            settings=settings(),
        )

    def watermark(self) -> list[tuple[datetime, datetime | None]]:
        rows = self.session.rows("SELECT watermark, full_at FROM pipeline.extraction_watermark")
        return [(row[0], row[1]) for row in rows]


@pytest.fixture
def bench(session: Session) -> Iterator[Bench]:
    session.rows("DELETE FROM pipeline.extraction_watermark")
    with Catalogue(items=list(ITEMS)) as catalogue:
        yield Bench(session, catalogue)


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


def test_nothing_changed_is_no_file_and_moves_the_watermark(bench: Bench) -> None:
    bench.run(SUNDAY)
    bench.catalogue.items = []
    assert bench.run(MONDAY) == Outcome("extracted")
    assert bench.store.names(LANDING) == [FULL]
    assert bench.watermark()[0][0] == MONDAY + timedelta(minutes=5)


@pytest.mark.parametrize("total", [4, 7])
def test_a_catalogue_that_was_cut_off_leaves_no_file_and_no_watermark(bench: Bench, total: int) -> None:
    bench.catalogue.total = total
    with pytest.raises(DependencyUnavailable):
        bench.run(SUNDAY)
    assert bench.store.names(LANDING) == []
    assert bench.watermark() == []
    bench.catalogue.total = None
    assert bench.run(SUNDAY) == Outcome("extracted", 5, 5)


def test_an_api_that_fails_in_the_middle_leaves_no_file(bench: Bench) -> None:
    bench.catalogue.faults = [bench.catalogue.answer, bench.catalogue.answer]
    bench.catalogue.always = status(500)
    with pytest.raises(DependencyUnavailable):
        bench.run(SUNDAY)
    assert bench.store.names(LANDING) == []
    assert bench.watermark() == []


def test_another_run_of_the_same_time_that_was_faster_is_found(bench: Bench) -> None:
    class Blind(MemoryStore):
        """Sees nothing before it writes: both runs have passed the first look."""

        def stat(self, bucket: str, name: str, generation: int | None = None) -> None:  # noqa: ARG002
            return None

    blind = Blind()
    bench.run(SUNDAY, blind)
    first = dict(blind.objects)
    assert bench.run(SUNDAY, blind) == Outcome("repeated")
    assert blind.objects == first


def test_a_crash_before_the_watermark_makes_the_next_run_take_more_and_not_less(bench: Bench) -> None:
    with pytest.raises(DependencyUnavailable):
        bench.run(SUNDAY, Failing(bench.store, "open_once"))  # type: ignore[arg-type]  # it passes everything through
    assert bench.watermark() == []
    assert bench.run(MONDAY) == Outcome("extracted", 5, 5)


def test_in_cloud_storage_too_a_catalogue_that_was_cut_off_leaves_no_file(
    bench: Bench, cloud_settings: Settings
) -> None:
    store = CloudStorage(cloud_settings.project)
    at = SUNDAY + timedelta(microseconds=7)
    bench.catalogue.total = 7
    with pytest.raises(DependencyUnavailable):
        bench.run(at, store)
    assert store.stat(LANDING, "products/20260301T030000000007Z-full.ndjson") is None
    bench.catalogue.total = None
    assert bench.run(at, store) == Outcome("extracted", 5, 5)


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
