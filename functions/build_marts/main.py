"""Build what is out of date in the marts: those that follow each load at once, the others at their hour.

Trigger  Pub/Sub warehouse_loaded; schedule, every hour     Reads   sales, those days only; the ledger of the marts
Writes   marts.*, sales.close_lines, pipeline.mart_dirty, pipeline.mart_build
Retry    20 attempts, then dead letter; by the Scheduler     Key     the marks: what is built is not marked
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime

import functions_framework
from flask import Request

from shared import messages
from shared.adapters import marts as building
from shared.adapters.alerts import send_alerts
from shared.adapters.closing import open_day, publish_closes
from shared.adapters.feeds import one_at_a_time
from shared.adapters.marts import Built, Facts
from shared.adapters.metering import PostgresMeter
from shared.adapters.ports import ObjectStore, Publisher, Warehouse
from shared.adapters.postgres import Session
from shared.adapters.pubsub import CloudPublisher
from shared.adapters.queries import rows_of
from shared.adapters.reconciliation import following
from shared.adapters.sessions import session
from shared.adapters.storage import CloudStorage
from shared.adapters.warehouse import BigQueryWarehouse
from shared.adapters.warehouse_sql import marts
from shared.entrypoint import Outcome, boundary
from shared.events import PushMessage, is_scheduled, push_message
from shared.messages import WarehouseLoaded
from shared.metric_names import Measure
from shared.settings import Settings, load_settings

BUDGET_SECONDS = 300.0
"""No build begins later than this; the platform ends a pushed function after 540 s."""


@functions_framework.http
@boundary("build_marts")
def build_marts(request: Request) -> Outcome:
    """Entry point."""
    settings, until = load_settings(), time.monotonic() + BUDGET_SECONDS
    with session(settings) as lent:
        return run(
            None if is_scheduled(request) else push_message(request),
            now=datetime.now(UTC), session=lent, store=CloudStorage(settings.project),
            warehouse=BigQueryWarehouse(settings, "build_marts", meter=PostgresMeter(lent)),
            publisher=CloudPublisher(settings.project), settings=settings, has_time=lambda: time.monotonic() < until,
        )  # fmt: skip


def run(
    push: PushMessage | None, *, now: datetime, session: Session, warehouse: Warehouse, store: ObjectStore,
    publisher: Publisher, settings: Settings, has_time: Callable[[], bool] = lambda: True,
) -> Outcome:  # fmt: skip
    """Mark what a message touches, then build what is marked and due; a feed is built when nothing of it is marked.

    A close comes to BigQuery with the schedule, after the builds: one that cannot come holds no other mart up. How late
    the marts are is told whatever fails.
    """
    loaded = messages.read(push, WarehouseLoaded) if push else None
    with one_at_a_time(session, "build_marts", wait=push is not None) as free:
        if not free:
            return Outcome("busy")
        if loaded:
            _mark(session, loaded)
        try:
            done = _build(session, warehouse, settings, now, loaded is None, has_time)
            settled = rows_of(session, "settle_feeds", marts=following())
            send_alerts(session, publisher, settings.runbook_url)
            if loaded is None and publish_closes(
                session, store, warehouse, settings.lake_bucket,
                touched=lambda days: building.mark(session, marts(), {"sales.close_lines": days}, urgent=True),
            ):  # fmt: skip
                done.errors += _build(session, warehouse, settings, now, True, has_time).errors
            if done.errors:
                raise done.errors[0]
        finally:
            if loaded is None:
                building.tell_freshness(session, marts(), now)
    return _outcome(done, [seconds for _, seconds in settled])


def _outcome(done: Built, settled: list[float]) -> Outcome:
    """With the time that the slowest of the feeds took which are in their marts now."""
    measures: dict[Measure, float] = {"batch_seconds": max(settled)} if settled else {}
    outcome = "kept_back" if done.kept_back else "built"
    return Outcome(outcome, done.replaced + done.kept_back, done.replaced, measures=measures)


def _build(
    session: Session, warehouse: Warehouse, settings: Settings, now: datetime, by_schedule: bool,
    has_time: Callable[[], bool],
) -> Built:  # fmt: skip
    due = building.due_marts(session, marts(), now, by_schedule=by_schedule)
    facts = Facts(settings.base_currency, open_day(session), settings.max_bytes_per_day)
    return building.build_marts(session, warehouse, due, facts, has_time=has_time)


def _mark(session: Session, loaded: WarehouseLoaded) -> None:
    """Mark what the feed touched, unless all of it was built since."""
    state = rows_of(session, "read_feed_state", feed_id=loaded.feed_id)
    if state and state[0][0] == "loaded":
        touched = {"sales.transactions": loaded.days, "sales.inventory_levels": loaded.level_days}
        building.mark(session, marts(), touched, urgent=False)
        rows_of(session, "mark_feed_dirty", feed_id=loaded.feed_id)
