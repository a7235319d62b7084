"""A refeed: the warehouse is what Postgres is, also after a restore that took rows and feed ids back."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from functions.reconcile import main as reconcile
from shared.adapters.actions import Order
from shared.adapters.memory import MemoryPublisher
from shared.adapters.postgres import Session
from shared.adapters.queries import rows_of
from shared.adapters.reconciliation import FACT, MART, postgres_totals, warehouse_totals
from shared.adapters.refeeds import newest_feed, order_refeed
from shared.adapters.storage import CloudStorage
from shared.adapters.warehouse import BigQueryWarehouse
from shared.errors import DependencyUnavailable, FeedStopped, NotInWarehouse
from shared.messages import Enriched, WarehouseLoaded
from shared.settings import Settings
from tests.functions.failing import Failing
from tests.functions.harness import Row, sale, unique
from tests.functions.stages import Feeding
from tests.functions.warehousing import STATE, Bench
from tests.integration.postgres.rows import Product

RESTORED = "UPDATE pipeline.feed_position SET system_identifier = system_identifier - 1"
DEARER = "UPDATE sales.transactions SET amount = amount + 1 WHERE sale_date = @day AND transaction_id = @id"
MISMATCHES = "SELECT subject, told FROM pipeline.alert WHERE kind = 'reconcile_mismatch'"


@pytest.fixture
def bench(session: Session, cloud_settings: Settings) -> Bench:
    feeding = Feeding(session, CloudStorage(cloud_settings.project))
    feeding.drain()
    made = Bench(session, BigQueryWarehouse(cloud_settings), feeding, MemoryPublisher())
    if not same_everywhere(made):  # other tests left something half done
        order(made)
        through(made)
    return made


def order(bench: Bench, first: str | None = None, last: str | None = None, **instead: Any) -> int:
    first_day, last_day = (date.fromisoformat(day) if day else None for day in (first, last))
    request = instead.get("request") or unique("request")
    done = order_refeed(
        bench.session, bench.warehouse, Order(request, "tests", "refeed", {}, {}), first_day, last_day
    )  # fmt: skip
    return int(done["order_id"])


def through(bench: Bench) -> Enriched:
    """The next feed, all the way to the mart, each message twice."""
    feed = bench.feeding.feed()
    for _ in range(2):
        bench.load(feed)
    loaded = bench.publisher.of("warehouse_loaded")[-1]
    assert isinstance(loaded, WarehouseLoaded)
    for _ in range(2):
        bench.build(Enriched(feed_id=feed.feed_id, tables={}, days=loaded.days))
    return feed


def fed(bench: Bench, *rows: Row) -> Enriched:
    feed = bench.feed(*rows)
    bench.load(feed)
    bench.build(feed)
    return feed


def same_everywhere(bench: Bench) -> bool:
    truth = postgres_totals(bench.session)
    return all(truth == warehouse_totals(bench.warehouse, table) for table in (FACT, MART))


def forget(bench: Bench, row: Row) -> None:
    """What a restore does to a row that came after the backup."""
    bench.session.rows("DELETE FROM commerce.transactions WHERE transaction_id = $1", row["transaction_id"])


def break_warehouse(bench: Bench, day: str) -> None:
    text = "DELETE FROM sales.transactions WHERE sale_date = @day"
    bench.warehouse.run(text, {"day": date.fromisoformat(day)})


def test_the_whole_is_fed_anew(bench: Bench) -> None:
    fed(bench, sale(timestamp="2024-01-01T10:00:00Z"), sale(timestamp="2024-01-02T10:00:00Z"))
    break_warehouse(bench, "2024-01-01")
    assert not same_everywhere(bench)
    order(bench)
    feed = through(bench)
    assert feed.whole
    assert same_everywhere(bench)
    assert bench.feeding.run().outcome == "idle", "the order is carried out once"


def test_some_days_are_fed_anew_and_no_others(bench: Bench) -> None:
    fed(bench, sale(timestamp="2024-02-01T10:00:00Z"), sale(timestamp="2024-02-02T10:00:00Z"))
    break_warehouse(bench, "2024-02-01")
    before = bench.session.row("SELECT position FROM pipeline.feed_position")
    order(bench, "2024-02-01", "2024-02-01")
    feed = through(bench)
    assert (feed.days, list(feed.tables)) == ([date(2024, 2, 1)], ["transactions"])
    assert same_everywhere(bench)
    assert bench.session.row("SELECT position FROM pipeline.feed_position") == before


def test_a_row_that_left_its_day_is_fed_anew_with_that_day(bench: Bench) -> None:
    row = sale(timestamp="2024-03-02T10:00:00Z")
    fed(bench, row)
    fed(bench, {**row, "timestamp": "2024-03-01T10:00:00Z"})
    break_warehouse(bench, "2024-03-01")
    order(bench, "2024-03-02", "2024-03-02")
    through(bench)
    assert same_everywhere(bench)


def test_after_a_restore_the_feed_stops_until_the_whole_is_ordered(bench: Bench) -> None:
    kept, lost = sale(timestamp="2024-04-01T10:00:00Z"), sale(timestamp="2024-04-02T10:00:00Z")
    before = fed(bench, kept)
    late = bench.feed(lost, {**kept, "amount": "1.00", "timestamp": "2024-04-01T11:00:00Z"})
    bench.load(late)
    newest = newest_feed(bench.warehouse)
    bench.session.rows(RESTORED)
    forget(bench, lost)
    bench.session.rows(
        "UPDATE commerce.transactions SET amount = 19.99 WHERE transaction_id = $1", kept["transaction_id"]
    )
    bench.session.rows("DELETE FROM pipeline.feed_batch WHERE feed_id > $1", before.feed_id)
    bench.session.rows("SELECT setval(pg_get_serial_sequence('pipeline.feed_batch', 'feed_id'), $1)", before.feed_id)
    order(bench, "2024-04-01", "2024-04-02")
    with pytest.raises(FeedStopped, match="full re-feed"):
        bench.feeding.run()
    order(bench)
    assert bench.load(late).outcome == "ignored", "a message from before the restore brings nothing back"
    feed = through(bench)
    assert feed.feed_id > newest + 1_000
    assert same_everywhere(bench)
    assert not bench.sale(lost, "2024-04-02")
    assert through(bench).days == [date(2024, 4, 1)], "the order for some days comes after it"
    fed(bench, sale(timestamp="2024-04-03T10:00:00Z"))
    assert same_everywhere(bench)


def test_a_whole_refeed_clears_away_the_levels_that_postgres_lacks(bench: Bench) -> None:
    product = unique("product")
    bench.load(bench.stock(Product(product, hours=1), Product(product, hours=30, stock=6)))
    bench.session.rows(RESTORED)
    bench.session.rows("DELETE FROM commerce.inventory_level WHERE observed_at = '2025-03-02 06:00+00'")
    order(bench)
    feed = through(bench)
    told = bench.publisher.of("warehouse_loaded")[-1]
    assert isinstance(told, WarehouseLoaded)
    assert date(2025, 3, 2) in told.level_days
    assert bench.levels(product) == [(date(2025, 3, 1), 7, Decimal("5.00"), feed.feed_id)]


def test_a_crash_at_any_step_of_the_load_is_mended_by_the_redelivery(bench: Bench) -> None:
    lost = sale(timestamp="2024-05-07T10:00:00Z")
    fed(bench, lost)
    bench.session.rows(RESTORED)
    forget(bench, lost)
    order(bench)
    feed = bench.feeding.feed()
    real, steps = bench.warehouse, 0
    while True:
        steps += 1
        bench.warehouse = Failing(real, "run", at=steps)  # type: ignore[assignment]
        try:
            bench.load(feed)
            break
        except DependencyUnavailable:
            continue
    bench.warehouse = real
    assert steps > 6
    bench.build(Enriched(feed_id=feed.feed_id, tables={}, days=bench.publisher.of("warehouse_loaded")[-1].days))
    assert same_everywhere(bench)


def test_a_redelivery_after_the_answer_about_stale_days_has_expired_names_the_same_days(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    lost = sale(timestamp="2024-05-08T10:00:00Z")
    fed(bench, lost)
    bench.session.rows(RESTORED)
    forget(bench, lost)
    order(bench)
    feed = bench.feeding.feed()
    bench.load(feed)
    run = BigQueryWarehouse.run

    def forgetful(self: BigQueryWarehouse, sql: str, params: Any, job_id: str | None = None, **more: Any) -> Any:
        if job_id and job_id.endswith("-stale-days"):
            raise NotInWarehouse("not_found", "as BigQuery answers where the rows of a query are no longer kept")
        return run(self, sql, params, job_id, **more)

    monkeypatch.setattr(BigQueryWarehouse, "run", forgetful)
    bench.load(feed)
    first, again = bench.publisher.of("warehouse_loaded")[-2:]
    assert date(2024, 5, 8) in first.days
    assert again.days == first.days


def test_a_refeed_that_was_recorded_and_not_sent_is_sent_with_its_scope(bench: Bench) -> None:
    order(bench)
    with pytest.raises(DependencyUnavailable):
        bench.feeding.run(publisher=Failing(MemoryPublisher(), "publish"))
    bench.feeding.run()
    (sent,) = bench.feeding.publisher.of("enriched")[-1:]
    assert sent.whole
    assert sent.first_day == date(2000, 1, 1)
    bench.load(sent)
    bench.build(sent)


def test_the_same_request_orders_once(bench: Bench) -> None:
    request = unique("request")
    assert order(bench, request=request) == order(bench, request=request)
    assert len(rows_of(bench.session, "read_refeed_order")) == 1
    through(bench)
    assert not rows_of(bench.session, "read_refeed_order")


def mismatches(bench: Bench, settings: Settings) -> str:
    """All that reconcile alerts of a month from now, when nothing may be under way any more."""
    bench.session.rows("DELETE FROM pipeline.alert")
    reconcile.run(
        now=datetime.now(UTC) + timedelta(days=30), session=bench.session, store=CloudStorage(settings.project),
        warehouse=bench.warehouse, publisher=MemoryPublisher(), settings=settings,
    )  # fmt: skip
    return "\n".join(f"{subject}: {told}" for subject, told in bench.session.rows(MISMATCHES))


def test_the_days_of_a_feed_that_was_replaced_are_compared_and_it_is_not_overdue(
    bench: Bench, cloud_settings: Settings
) -> None:
    row = sale(timestamp="2024-06-01T10:00:00Z")
    replaced = bench.feed(row)
    order(bench)
    through(bench)
    assert bench.session.rows(STATE, replaced.feed_id) == [("replaced",)]
    bench.warehouse.run(DEARER, {"day": date(2024, 6, 1), "id": row["transaction_id"]})
    told = mismatches(bench, cloud_settings)
    assert "2024-06-01: Postgres has 1 rows, 19.9900; sales.transactions has 1 rows, 20.99" in told
    assert f"feed {replaced.feed_id}" not in told
