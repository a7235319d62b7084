"""Rebuild the days of the marts that a feed has touched.

Trigger  Pub/Sub warehouse_loaded     Reads   sales.transactions, those days only
Writes   marts.daily_sales_summary
Retry    20 attempts, then dead letter    Key     feed_id, in job ids; a day built twice is the same
"""

from __future__ import annotations

import functions_framework
from flask import Request

from shared import messages
from shared.adapters.feeds import mark_feed, one_at_a_time
from shared.adapters.metering import PostgresMeter
from shared.adapters.ports import Warehouse
from shared.adapters.postgres import Session
from shared.adapters.sessions import session
from shared.adapters.warehouse import BigQueryWarehouse
from shared.adapters.warehouse_sql import warehouse_sql
from shared.entrypoint import Outcome, boundary
from shared.events import PushMessage, push_message
from shared.messages import WarehouseLoaded
from shared.settings import load_settings

MARTS = ("marts.daily_sales_summary",)


@functions_framework.http
@boundary("build_marts")
def build_marts(request: Request) -> Outcome:
    """Entry point."""
    settings = load_settings()
    with session(settings) as lent:
        return run(
            push_message(request),
            session=lent,
            warehouse=BigQueryWarehouse(settings, "build_marts", meter=PostgresMeter(lent)),
        )


def run(push: PushMessage, *, session: Session, warehouse: Warehouse) -> Outcome:
    """Exactly the days of the message; a feed without days changes no mart."""
    loaded = messages.read(push, WarehouseLoaded)
    with one_at_a_time(session, "build_marts", wait=True):
        if loaded.days:
            for mart in MARTS:
                job = f"feed-{loaded.feed_id}-{mart.replace('.', '-')}"
                warehouse.run(warehouse_sql(mart, "query"), {"days": loaded.days}, job)
        mark_feed(session, loaded.feed_id, "built")
    return Outcome("built", len(loaded.days), len(loaded.days))
