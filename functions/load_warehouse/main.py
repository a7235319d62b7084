"""Load one feed into BigQuery: a free load job into a staging table of its own, then a MERGE pruned to its days.

Trigger  Pub/Sub enriched       Reads   the feed's objects in the lake
Writes   sales.transactions, users, products, inventory_levels; one `warehouse_loaded` message
Retry    20 attempts, then dead letter    Key     feed_id, in job ids and in the merge's guard
"""

from __future__ import annotations

import uuid
from datetime import date

import functions_framework
from flask import Request

from shared import messages
from shared.adapters.feeds import is_wanted, mark_feed, one_at_a_time
from shared.adapters.metering import PostgresMeter
from shared.adapters.ports import Publisher, Warehouse
from shared.adapters.postgres import Session
from shared.adapters.pubsub import CloudPublisher
from shared.adapters.queries import rows_of
from shared.adapters.refeeds import clear_away, merge_sql
from shared.adapters.sessions import session
from shared.adapters.warehouse import BigQueryWarehouse
from shared.adapters.warehouse_sql import feed_schema, feed_table
from shared.entrypoint import Outcome, boundary
from shared.errors import Inconsistent, NotInWarehouse
from shared.events import PushMessage, push_message
from shared.messages import Enriched, WarehouseLoaded
from shared.settings import Settings, load_settings

MOST_DAYS = 4_000
"""Partitions that one BigQuery job may modify: https://cloud.google.com/bigquery/quotas#partitioned_tables"""


@functions_framework.http
@boundary("load_warehouse")
def load_warehouse(request: Request) -> Outcome:
    """Entry point."""
    settings = load_settings()
    with session(settings) as lent:
        return run(
            push_message(request),
            session=lent,
            warehouse=BigQueryWarehouse(settings, "load_warehouse", meter=PostgresMeter(lent)),
            publisher=CloudPublisher(settings.project),
            settings=settings,
        )


def run(
    push: PushMessage, *, session: Session, warehouse: Warehouse, publisher: Publisher, settings: Settings
) -> Outcome:
    """One feed at a time; each job runs once, however often the message comes."""
    feed = messages.read(push, Enriched)
    with one_at_a_time(session, "load_warehouse", wait=True):
        if not is_wanted(session, feed.feed_id):
            return Outcome("ignored", detail="a refeed has replaced this feed, or the database was restored since")
        newer = {row[0] for row in rows_of(session, "list_newer_days", feed_id=feed.feed_id)}
        days = sorted({*feed.days, *newer})  # an older feed must see a row that a newer one has moved to another day
        pruned = {"transactions": days, "inventory_levels": feed.level_days}
        rows = sum(_merge(feed, table, pruned.get(table), warehouse, settings) for table in sorted(feed.tables))
        stale, stale_levels = clear_away(feed, warehouse)
        mark_feed(session, feed.feed_id, "loaded")
    loaded = WarehouseLoaded(
        feed_id=feed.feed_id, days=sorted({*days, *stale}), level_days=sorted({*feed.level_days, *stale_levels})
    )
    publisher.publish("warehouse_loaded", [loaded])
    return Outcome("loaded", rows, rows)


def _merge(feed: Enriched, name: str, days: list[date] | None, warehouse: Warehouse, settings: Settings) -> int:
    """Load and merge one table; `days` prune one that is partitioned."""
    part, table = feed.tables[name], f"sales.{name}"
    staging, job = feed_table(feed.feed_id, table), f"feed-{feed.feed_id}-{name}"
    uris = [f"gs://{settings.lake_bucket}/{each}" for each in part.objects]

    def load(job_id: str) -> int:
        loaded = warehouse.load_csv(staging, uris, feed_schema(table), job_id, label=table)
        if loaded != part.rows:
            raise Inconsistent("feed_incomplete", f"{' and '.join(uris)}: {loaded} rows, the feed says {part.rows}")
        return loaded

    loaded = load(f"{job}-load-{len(uris)}" if part.more else f"{job}-load")  # an older release loads the first alone
    sql = merge_sql(feed, table).replace("${feed}", staging)
    if days and len(days) > MOST_DAYS:
        raise Inconsistent(
            "feed_too_wide", f"feed {feed.feed_id} touches {len(days)} days of {table}; at most {MOST_DAYS}"
        )
    params = {"feed_id": feed.feed_id} if days is None else {"feed_id": feed.feed_id, "days": days}
    try:
        warehouse.run(sql, params, f"{job}-merge", table=table)
    except NotInWarehouse:
        load(f"{job}-load-{uuid.uuid4().hex}")  # the staging table lives a day, and the first load is longer ago
        warehouse.run(sql, params, f"{job}-merge", table=table)
    return loaded
