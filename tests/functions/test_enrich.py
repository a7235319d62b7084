"""enrich: what changed is sent once, whatever ends in between."""

from __future__ import annotations

import csv
import io
import time
from collections.abc import Iterator
from decimal import Decimal

import pytest

from functions.enrich import main as enrich
from shared.adapters.feeds import one_at_a_time
from shared.adapters.memory import MemoryStore
from shared.adapters.postgres import Session, connect
from shared.entrypoint import Outcome
from shared.errors import DependencyUnavailable, FeedStopped
from shared.messages import Enriched
from shared.settings import Settings
from tests.functions.failing import Failing
from tests.functions.harness import DAY, LAKE, Cloud, sale, unique
from tests.functions.stages import Feeding, load
from tests.integration.postgres.rows import Product, load_products


@pytest.fixture
def feeding(session: Session) -> Feeding:
    """Nothing is left to feed."""
    made = Feeding(session)
    made.drain()
    return made


@pytest.fixture
def other(cloud_settings: Settings) -> Iterator[Session]:
    """The session of another instance."""
    opened = connect(cloud_settings, "tests")
    yield opened
    opened.close()


def table(feeding: Feeding, feed: Enriched, name: str) -> list[dict[str, str]]:
    return cells(feeding, feed.tables[name].object)


def cells(feeding: Feeding, name: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(feeding.store.read(LAKE, name).decode())))


def test_nothing_new_is_idle(feeding: Feeding) -> None:
    assert feeding.run() == Outcome("idle")
    assert feeding.publisher.messages == []


def test_what_changed_is_one_feed_with_its_tables_rows_and_days(feeding: Feeding) -> None:
    row = sale()
    load(feeding.session, [row, sale(timestamp="2026-02-27T23:59:59Z")])
    feed = feeding.feed()
    assert {name: part.rows for name, part in feed.tables.items()} == {"transactions": 2, "users": 2, "products": 2}
    assert [day.isoformat() for day in feed.days] == ["2026-02-27", "2026-03-01"]
    (sent,) = [line for line in table(feeding, feed, "transactions") if line["transaction_id"] == row["transaction_id"]]
    assert sent["sale_date"] == DAY.isoformat()
    assert Decimal(sent["amount"]) == Decimal(sent["net"]) == Decimal("19.99")
    assert row["user_id"] not in str(table(feeding, feed, "users"))
    assert feeding.run() == Outcome("idle")


def test_a_sale_that_moved_names_the_day_that_it_left(feeding: Feeding) -> None:
    row = sale()
    load(feeding.session, [row])
    feeding.feed()
    load(feeding.session, [{**row, "timestamp": "2026-02-20T10:00:00Z", "amount": "1.00"}])
    assert [day.isoformat() for day in feeding.feed().days] == ["2026-02-20", "2026-03-01"]


def test_a_feed_of_levels_names_their_days_and_is_sent_again_as_it_was_recorded(feeding: Feeding) -> None:
    product = unique("product")
    load_products(feeding.session, Product(product, hours=1), Product(product, hours=30, stock=6, price="5.50"))
    with pytest.raises(DependencyUnavailable):
        feeding.run(publisher=Failing(feeding.publisher, "publish"))
    assert feeding.run() == Outcome("resent", 3, 3)
    (feed,) = feeding.publisher.of("enriched")
    assert isinstance(feed, Enriched)
    assert ({name: part.rows for name, part in feed.tables.items()}, feed.days) == (
        {"products": 1, "inventory_levels": 2}, []
    )  # fmt: skip
    assert [day.isoformat() for day in feed.level_days] == ["2025-03-01", "2025-03-02"]
    lines = table(feeding, feed, "inventory_levels")
    told = sorted((line["level_date"], line["product_id"], line["inventory_count"], line["price"]) for line in lines)
    assert told == [("2025-03-01", product, "7", "5.00"), ("2025-03-02", product, "6", "5.50")]
    assert feeding.run() == Outcome("idle")


def test_feeds_have_rising_ids(feeding: Feeding) -> None:
    ids = []
    for _ in range(2):
        load(feeding.session, [sale()])
        ids.append(feeding.feed().feed_id)
    assert ids == sorted(set(ids))


def test_a_feed_that_was_recorded_and_not_sent_is_sent_as_it_was_recorded(feeding: Feeding) -> None:
    load(feeding.session, [sale()])
    with pytest.raises(DependencyUnavailable):
        feeding.run(publisher=Failing(feeding.publisher, "publish"))
    assert isinstance(feeding.store, MemoryStore)
    written = dict(feeding.store.objects)
    assert feeding.run() == Outcome("resent", 3, 3)
    (feed,) = feeding.publisher.of("enriched")
    assert {part.object for part in feed.tables.values()} <= set(feeding.store.names(LAKE))
    assert feed.days == [DAY]
    assert feeding.store.objects == written
    ((told,),) = feeding.session.rows("SELECT objects FROM pipeline.feed_batch WHERE feed_id = $1", feed.feed_id)
    assert told == {name: part.object for name, part in feed.tables.items()}  # as an older release reads it
    assert feeding.run() == Outcome("idle")


def test_a_feed_whose_object_could_not_be_written_is_taken_again_whole(feeding: Feeding) -> None:
    row = sale()
    load(feeding.session, [row])
    with pytest.raises(DependencyUnavailable):
        feeding.run(store=Failing(feeding.store, "open_once", at=2))
    feed = feeding.feed()
    assert {name: part.rows for name, part in feed.tables.items()} == {"transactions": 1, "users": 1, "products": 1}


def test_a_table_that_is_large_is_sent_in_parts_which_are_recorded_and_sent_again(
    feeding: Feeding, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(enrich, "PART_BYTES", 1_000)
    sales = [sale() for _ in range(9)]
    load(feeding.session, sales)
    with pytest.raises(DependencyUnavailable):
        feeding.run(publisher=Failing(feeding.publisher, "publish"))
    written = feeding.store.names(LAKE) if isinstance(feeding.store, MemoryStore) else []
    assert feeding.run() == Outcome("resent", 27, 27)
    (feed,) = feeding.publisher.of("enriched")
    names = [name for part in feed.tables.values() for name in part.objects]
    assert sorted(names) == written
    parts = feed.tables["transactions"].objects
    assert len(parts) > 3
    assert all(len(feeding.store.read(LAKE, name)) <= 1_000 for name in parts)
    assert sorted(row["transaction_id"] for name in parts for row in cells(feeding, name)) == sorted(
        row["transaction_id"] for row in sales
    )


@pytest.mark.parametrize("at", range(2, 8))
def test_whichever_part_cannot_be_written_says_so_and_the_feed_is_taken_again_whole(
    feeding: Feeding, other: Session, monkeypatch: pytest.MonkeyPatch, at: int
) -> None:
    monkeypatch.setattr(enrich, "PART_BYTES", 1_000)
    load(feeding.session, [sale() for _ in range(9)])
    with pytest.raises(DependencyUnavailable, match="a test asked for it"):
        feeding.run(store=Failing(feeding.store, "open_once", at=at))
    again = Feeding(other, feeding.store, feeding.publisher)
    until = time.monotonic() + 10
    while (outcome := again.run().outcome) == "busy" and time.monotonic() < until:  # until the server sees the end
        time.sleep(0.02)
    assert outcome == "enriched"
    (feed,) = again.publisher.of("enriched")
    assert {name: part.rows for name, part in feed.tables.items()} == {"transactions": 9, "users": 9, "products": 9}
    for table in feed.tables.values():
        assert sum(len(cells(feeding, name)) for name in table.objects) == table.rows


def test_while_another_instance_feeds_this_one_is_busy(feeding: Feeding, other: Session) -> None:
    load(feeding.session, [sale()])
    with one_at_a_time(other, "enrich") as free:
        assert free
        assert feeding.run() == Outcome("busy")
    assert feeding.run().outcome == "enriched"


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ("system_identifier = system_identifier + 1", "cluster"),
        ("timeline = timeline + 1", "cluster"),
        ("position = position + 1000000000", "ahead"),
    ],
)
def test_a_position_of_another_cluster_stops_the_feed_until_it_is_ordered_anew(
    feeding: Feeding, change: str, told: str
) -> None:
    load(feeding.session, [sale()])
    before = feeding.session.rows("SELECT position, system_identifier, timeline FROM pipeline.feed_position")[0]
    feeding.session.rows(f"UPDATE pipeline.feed_position SET {change}")  # a text of our own
    try:
        with pytest.raises(FeedStopped, match=told):
            feeding.run()
        assert feeding.publisher.messages == []
    finally:
        feeding.session.rows(
            "UPDATE pipeline.feed_position SET position = $1, system_identifier = $2, timeline = $3", *before
        )
    assert feeding.run().outcome == "enriched"


def test_on_the_local_cloud_the_scheduler_finds_a_feed_once(cloud: Cloud, feeding: Feeding) -> None:
    load(feeding.session, [sale()])
    answers = [cloud.post("enrich", {}).get_json()["outcome"] for _ in range(2)]
    assert answers == ["enriched", "idle"]
    ((feed_id,),) = cloud.sql("SELECT max(feed_id) FROM pipeline.feed_batch")
    (feed,) = cloud.take("enriched", Enriched, lambda message: message.feed_id == feed_id)
    assert feed.tables["transactions"].rows == 1
