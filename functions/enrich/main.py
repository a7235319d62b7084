"""Feed the warehouse: what changed since the last feed, or what an order names, joined with what is known.

Trigger  schedule, every 2 minutes     Reads   commerce, in one REPEATABLE READ snapshot
Writes   one object per table in the lake, more of a large one, once; the feed's ledger row; one `enriched` message
Retry    by the Scheduler              Key     feed_id; a retry sends the recorded objects, it never reads twice
"""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import functions_framework
from flask import Request

from shared.adapters.csv_parts import PART_BYTES, Parts
from shared.adapters.feeds import mark_feed, one_at_a_time
from shared.adapters.ports import ObjectStore, Publisher
from shared.adapters.postgres import Session
from shared.adapters.pubsub import CloudPublisher
from shared.adapters.queries import Value, query, rows_of
from shared.adapters.refeeds import Refeed, open_refeed, scope_of
from shared.adapters.sessions import session
from shared.adapters.storage import CloudStorage
from shared.entrypoint import Outcome, boundary
from shared.errors import FeedStopped
from shared.messages import Enriched, FeedTable
from shared.settings import Settings, load_settings

TABLES = ("transactions", "users", "products", "inventory_levels")


@functions_framework.http
@boundary("enrich")
def enrich(_: Request) -> Outcome:
    """Entry point."""
    settings = load_settings()
    with session(settings) as lent:
        return run(
            session=lent,
            store=CloudStorage(settings.project),
            publisher=CloudPublisher(settings.project),
            settings=settings,
        )


def run(*, session: Session, store: ObjectStore, publisher: Publisher, settings: Settings) -> Outcome:
    """Send what an earlier run recorded and did not send, then what changed since."""
    with one_at_a_time(session, "enrich") as free:
        if not free:
            return Outcome("busy")
        sent = sum(_send(session, publisher, _recorded(row)) for row in rows_of(session, "list_unsent_feeds"))
        feed = _export(session, store, settings)
        if feed is None:
            return Outcome("resent" if sent else "idle", sent, sent)
        rows = _send(session, publisher, feed)
        return Outcome("enriched", rows, rows)


def _send(session: Session, publisher: Publisher, feed: Enriched) -> int:
    publisher.publish("enriched", [feed])
    mark_feed(session, feed.feed_id, "published")
    return sum(table.rows for table in feed.tables.values())


def _export(session: Session, store: ObjectStore, settings: Settings) -> Enriched | None:
    """Write the objects and record the feed in one transaction; None where nothing changed.

    An order to feed anew comes first. Raises FeedStopped where the position was taken in another cluster: then
    transaction ids mean nothing here, and only an order for the whole goes on.
    """
    with session.transaction("ISOLATION LEVEL REPEATABLE READ"):
        position, level_position, following, system, timeline, problem = rows_of(session, "read_feed_position")[0]
        refeed = open_refeed(session)
        if problem and not (refeed and refeed.whole):
            raise FeedStopped("feed_stopped", f"{problem}; order a full re-feed: `sluice refeed`")
        everything = refeed is None or refeed.whole
        if refeed and refeed.whole:
            position = level_position = 0
        following = following if everything else position
        days = _select(session, position, refeed)
        level_days = _select_levels(session, level_position) if everything else []
        feed_id = _feed_id(session, refeed, restored=problem is not None)
        params: dict[str, dict[str, Value]] = {
            "transactions": {"base_currency": settings.base_currency},
            "users": {"position": position},
            "products": {"position": position},
            "inventory_levels": {},
        }
        tables = {
            name: table
            for name in (TABLES if everything else TABLES[:1])
            if (table := _write(session, store, settings, f"feed/{feed_id:012d}/{name}", name, params[name]))
        }
        if everything:
            place: dict[str, Value] = {"position": following, "system_identifier": system, "timeline": timeline}
            rows_of(session, "move_feed_position", **place)
        if not tables and refeed is None:
            return None
        if refeed:
            rows_of(session, "take_refeed_order", order_id=refeed.order_id, feed_id=feed_id)
        rows_of(
            session, "record_feed", feed_id=feed_id, position=position, next_position=following,
            objects=json.dumps({name: _names(table) for name, table in tables.items()}),
            rows=json.dumps({name: table.rows for name, table in tables.items()}), days=days, level_days=level_days,
        )  # fmt: skip
    scope = scope_of(refeed.order_id, refeed.first_day, refeed.last_day) if refeed else {}
    return Enriched(feed_id=feed_id, tables=tables, days=days, level_days=level_days, **scope)


def _select(session: Session, position: int, refeed: Refeed | None) -> list[date]:
    """Choose the transactions to write; the days that they touch."""
    rows_of(session, "create_feed_selection")
    if refeed is None or refeed.first_day is None:
        rows_of(session, "select_changed_transactions", position=position)
    else:
        rows_of(session, "select_days_transactions", first_day=refeed.first_day, last_day=refeed.last_day)
    session.rows("ANALYZE pg_temp.feed_transaction")
    return [row[0] for row in rows_of(session, "list_feed_days")]


def _select_levels(session: Session, position: int) -> list[date]:
    """Choose the levels to write; their days."""
    rows_of(session, "create_level_selection")
    rows_of(session, "select_changed_levels", position=position)
    session.rows("ANALYZE pg_temp.feed_level")
    return [row[0] for row in rows_of(session, "list_level_days")]


def _feed_id(session: Session, refeed: Refeed | None, restored: bool) -> int:
    if refeed is None:
        return int(rows_of(session, "next_feed_id")[0][0])
    return int(rows_of(session, "leap_feed_id", floor=refeed.floor, restored=restored)[0][0])


def _write(
    session: Session, store: ObjectStore, settings: Settings, name: str, table: str, params: dict[str, Value]
) -> FeedTable | None:
    """One table's changes as objects, streamed; None where there are none."""
    question = query(f"any_changed_{table}")
    if not session.rows(question.sql, *question.values({key: params[key] for key in question.names}))[0][0]:
        return None
    body = query(f"enrich_{table}").literal(params)
    with Parts(store, settings.lake_bucket, name, PART_BYTES) as parts:
        rows = session.copy_out(f"COPY ({body}) TO STDOUT WITH (FORMAT csv, HEADER, NULL '\\N')", parts)
    first, *more = parts.names
    return FeedTable(object=first, rows=rows, more=more)


def _names(table: FeedTable) -> str | list[str]:
    """A table's objects as the ledger has them: the name alone where it is one, as every release reads it."""
    return table.objects if table.more else table.object


def _recorded(row: tuple[Any, ...]) -> Enriched:
    feed_id, objects, rows, days, level_days, *order = row
    tables = {}
    for name, told in objects.items():
        first, *more = told if isinstance(told, list) else [told]
        tables[name] = FeedTable(object=first, rows=rows[name], more=more)
    return Enriched(feed_id=feed_id, tables=tables, days=days, level_days=level_days, **scope_of(*order))
