"""load_warehouse and build_marts: twice is once, and an older feed never overwrites a newer one."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date
from decimal import Decimal

import msgspec
import pytest

from functions.load_warehouse import main as load_warehouse
from shared.adapters.feeds import one_at_a_time
from shared.adapters.memory import MemoryPublisher, MemoryStore, MemoryWarehouse
from shared.adapters.postgres import Session, connect
from shared.adapters.queries import rows_of
from shared.adapters.storage import CloudStorage
from shared.adapters.warehouse import BigQueryWarehouse
from shared.entrypoint import Outcome
from shared.errors import DependencyUnavailable, Inconsistent, LockTimeout
from shared.messages import Enriched, FeedTable, WarehouseLoaded
from shared.settings import Settings
from tests.functions.failing import Failing
from tests.functions.harness import LAKE, Cloud, push, sale, settings, unique
from tests.functions.stages import Feeding
from tests.functions.warehousing import STATE, Bench, build, to_build, to_load
from tests.integration.postgres.rows import Product


@pytest.fixture
def bench(session: Session, cloud_settings: Settings) -> Bench:
    feeding = Feeding(session, CloudStorage(cloud_settings.project))
    feeding.drain()
    return Bench(session, BigQueryWarehouse(cloud_settings), feeding, MemoryPublisher())


@pytest.fixture
def other(cloud_settings: Settings) -> Iterator[Session]:
    opened = connect(cloud_settings, "tests")
    yield opened
    opened.close()


def test_a_feed_is_merged_once_however_often_it_comes(bench: Bench) -> None:
    row = sale(timestamp="2025-05-01T10:00:00Z")
    feed = bench.feed(row)
    for _ in range(2):
        assert bench.load(feed) == Outcome("loaded", 3, 3)
    (found,) = bench.sale(row, "2025-05-01")
    assert (found["amount"], found["status"], found["feed_id"]) == (Decimal("19.99"), "completed", feed.feed_id)
    assert bench.publisher.of("warehouse_loaded") == [WarehouseLoaded(feed_id=feed.feed_id, days=feed.days)] * 2
    assert bench.session.rows(STATE, feed.feed_id) == [("loaded",)]


def test_an_older_feed_that_comes_later_never_overwrites_a_newer_one(bench: Bench) -> None:
    row = sale(timestamp="2025-05-02T10:00:00Z", status="pending")
    older = bench.feed(row)
    newer = bench.feed({**row, "status": "completed", "amount": "25.00"})
    bench.load(newer)
    bench.load(older)
    (found,) = bench.sale(row, "2025-05-02")
    assert (found["amount"], found["status"], found["feed_id"]) == (Decimal("25.00"), "completed", newer.feed_id)


def test_a_feed_whose_staging_table_has_expired_since_it_was_loaded_is_loaded_anew(bench: Bench) -> None:
    row = sale(timestamp="2025-05-05T10:00:00Z")
    feed = bench.feed(row)
    dying = replace(bench, warehouse=Failing(bench.warehouse, "run"))  # type: ignore[arg-type]  # it has all the rest
    with pytest.raises(DependencyUnavailable):
        dying.load(feed)
    for name in feed.tables:
        bench.warehouse.run(f"DROP TABLE IF EXISTS staging.feed_{feed.feed_id}_{name}", {})
    assert bench.load(feed) == Outcome("loaded", 3, 3)
    assert len(bench.sale(row, "2025-05-05")) == 1


def test_a_sale_that_moved_leaves_its_old_day(bench: Bench) -> None:
    row = sale(timestamp="2025-05-04T10:00:00Z")
    bench.load(bench.feed(row))
    bench.load(bench.feed({**row, "timestamp": "2025-05-03T10:00:00Z", "amount": "1.00"}))
    assert bench.sale(row, "2025-05-04") == []
    assert len(bench.sale(row, "2025-05-03")) == 1


def test_an_older_feed_that_comes_after_the_move_does_not_bring_the_sale_back_to_its_old_day(bench: Bench) -> None:
    row = sale(timestamp="2025-06-02T10:00:00Z")
    older = bench.feed(row)
    newer = bench.feed({**row, "timestamp": "2025-06-01T10:00:00Z", "amount": "1.00"})
    for feed in (newer, older):
        bench.load(feed)
        bench.build(feed)
    assert bench.sale(row, "2025-06-02") == []
    assert len(bench.sale(row, "2025-06-01")) == 1
    assert bench.mart("2025-06-02") == []


def test_levels_are_merged_once_and_an_older_feed_never_overwrites_a_newer_one(bench: Bench) -> None:
    product, first, second = unique("product"), date(2025, 3, 1), date(2025, 3, 2)
    older = bench.stock(Product(product, hours=1), Product(product, hours=30, stock=6))
    newer = bench.stock(Product(product, hours=40, stock=0, price="4.50"))
    for feed in (newer, older, older):
        bench.load(feed)
    assert bench.levels(product) == [
        (first, 7, Decimal("5.00"), older.feed_id), (second, 0, Decimal("4.50"), newer.feed_id)
    ]  # fmt: skip
    told = bench.publisher.of("warehouse_loaded")
    assert told[:2] == [
        WarehouseLoaded(feed_id=newer.feed_id, days=[], level_days=[second]),
        WarehouseLoaded(feed_id=older.feed_id, days=[], level_days=[first, second]),
    ]


def test_a_feed_whose_object_has_other_rows_than_it_says_is_refused(bench: Bench) -> None:
    feed = bench.feed(sale(timestamp="2025-05-05T10:00:00Z"))
    wrong = {**feed.tables, "transactions": FeedTable(object=feed.tables["transactions"].object, rows=7)}
    with pytest.raises(Inconsistent, match="says 7"):
        bench.load(msgspec.structs.replace(feed, tables=wrong))
    assert bench.publisher.messages == []


@pytest.mark.parametrize("stage", ["load_warehouse", "build_marts"])
def test_while_another_instance_is_at_it_the_stage_waits_and_then_has_the_message_come_again(
    bench: Bench, other: Session, stage: str
) -> None:
    feed = Enriched(feed_id=0, tables={}, days=[])
    bench.session.rows("SET lock_timeout = 100")
    with one_at_a_time(other, "load_warehouse"), one_at_a_time(other, "build_marts"), pytest.raises(LockTimeout):
        bench.load(feed) if stage == "load_warehouse" else bench.build(feed)


def test_a_message_that_came_early_waits_for_its_turn(bench: Bench, other: Session) -> None:
    feed = bench.feed(sale())
    with ThreadPoolExecutor() as pool:
        with one_at_a_time(other, "load_warehouse"):
            early = pool.submit(bench.load, feed)
            time.sleep(0.2)
            assert not early.done()
        assert early.result(timeout=60).outcome == "loaded"


@pytest.mark.parametrize(("table", "touched"), [("transactions", "days"), ("inventory_levels", "level_days")])
def test_a_feed_that_touches_more_days_than_one_job_may_is_refused(session: Session, table: str, touched: str) -> None:
    store = MemoryStore()
    store.put(LAKE, "feed", b"header\n")
    days = [date.fromordinal(date(2010, 1, 1).toordinal() + number) for number in range(4_001)]
    session.rows(
        "INSERT INTO pipeline.feed_batch (feed_id, position, next_position, state) OVERRIDING SYSTEM VALUE "
        "VALUES (0, 0, 0, 'published') ON CONFLICT DO NOTHING"
    )
    told = Enriched(feed_id=0, tables={table: FeedTable(object="feed", rows=0)}, days=[])
    feed = msgspec.structs.replace(told, **{touched: days})
    with pytest.raises(Inconsistent) as caught:
        load_warehouse.run(
            to_load(feed),
            session=session,
            warehouse=MemoryWarehouse(store),
            publisher=MemoryPublisher(),
            settings=settings(),
        )
    assert caught.value.reason == "feed_too_wide"


def test_a_mart_is_built_from_the_days_of_the_message_alone(bench: Bench) -> None:
    feed = bench.feed(sale(timestamp="2025-05-06T10:00:00Z"), sale(timestamp="2025-05-07T10:00:00Z"))
    bench.load(feed)
    bench.build(msgspec.structs.replace(feed, days=[date(2025, 5, 6)]))
    assert bench.mart("2025-05-06") == [(date(2025, 5, 6), 1, Decimal("19.99"))]
    assert bench.mart("2025-05-07") == []


def test_a_day_built_twice_is_the_same(bench: Bench) -> None:
    feed = bench.feed(sale(timestamp="2025-05-08T10:00:00Z"), sale(timestamp="2025-05-08T11:00:00Z"))
    bench.load(feed)
    assert bench.build(feed) == Outcome("built", 2, 2)  # the two marts that follow each load
    assert bench.build(feed) == Outcome("built")
    again = bench.feed(sale(timestamp="2025-05-08T12:00:00Z"))
    bench.load(again)
    bench.build(again)
    bench.build(feed)
    assert bench.mart("2025-05-08") == [(date(2025, 5, 8), 3, Decimal("59.97"))]
    assert bench.session.rows(STATE, feed.feed_id) == [("built",)]


def test_the_schedule_builds_what_no_message_did_and_then_the_feed_is_built(bench: Bench) -> None:
    feed = bench.feed(sale(timestamp="2025-05-10T10:00:00Z"))
    bench.load(feed)
    bench.build(feed)
    bench.session.rows("UPDATE pipeline.feed_batch SET state = 'loaded' WHERE feed_id = $1", feed.feed_id)
    assert build(None, bench.session, bench.warehouse).outcome == "built"
    assert bench.session.rows(STATE, feed.feed_id) == [("built",)]
    assert bench.session.rows("SELECT count(*)::int FROM pipeline.mart_dirty") == [(0,)]


def test_a_feed_is_not_built_before_its_days_are_marked(bench: Bench) -> None:
    feed = bench.feed(sale(timestamp="2025-05-11T10:00:00Z"))
    bench.load(feed)
    build(None, bench.session, bench.warehouse)
    assert bench.session.rows(STATE, feed.feed_id) == [("loaded",)]


def test_a_feed_whose_levels_are_not_in_their_mart_yet_is_not_built(bench: Bench) -> None:
    feed = bench.feed(sale(timestamp="2025-05-12T10:00:00Z"))
    bench.load(feed)
    level_day = date(2025, 5, 13)
    bench.session.rows(
        "UPDATE pipeline.feed_batch SET level_days = ARRAY[$1::date], marked_at = now() WHERE feed_id = $2",
        level_day, feed.feed_id,
    )  # fmt: skip
    mart = "marts.product_performance"
    rows_of(bench.session, "mark_dirty", marts=[mart], periods=[level_day], urgent=False)
    rows_of(bench.session, "settle_feeds", marts=[mart])
    assert bench.session.rows(STATE, feed.feed_id) == [("loaded",)]
    rows_of(bench.session, "clear_dirty", mart=mart, periods=[level_day], marked=10**9)
    rows_of(bench.session, "settle_feeds", marts=[mart])
    assert bench.session.rows(STATE, feed.feed_id) == [("built",)]


def test_a_feed_without_days_builds_nothing(session: Session) -> None:
    warehouse = MemoryWarehouse(MemoryStore())
    feed = Enriched(feed_id=0, tables={}, days=[])
    assert build(to_build(feed), session, warehouse) == Outcome("built")
    assert warehouse.ran == []


def test_on_the_local_cloud_a_feed_goes_on_to_the_mart_and_twice_is_once(cloud: Cloud, bench: Bench) -> None:
    row = sale(timestamp="2025-05-09T10:00:00Z")
    feed = bench.feed(row)
    for _ in range(2):
        assert cloud.deliver("load_warehouse", to_load(feed)) == (200, "loaded")
    loaded = cloud.take("warehouse_loaded", WarehouseLoaded, lambda told: told.feed_id == feed.feed_id, 2)
    for message in loaded:
        assert cloud.deliver("build_marts", push(message, "build_marts-warehouse_loaded")) == (200, "built")
    assert len(bench.sale(row, "2025-05-09")) == 1
    assert bench.mart("2025-05-09") == [(date(2025, 5, 9), 1, Decimal("19.99"))]
    assert cloud.sql(STATE, feed.feed_id) == [("built",)]
