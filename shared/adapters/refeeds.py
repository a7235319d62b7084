"""Feeding the warehouse anew from Postgres: the order, how enrich takes it, what the warehouse forgets after it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from shared.adapters.actions import Order, Result, carry_out
from shared.adapters.ports import Warehouse
from shared.adapters.postgres import Session
from shared.adapters.queries import rows_of
from shared.adapters.warehouse_sql import warehouse_sql
from shared.errors import NotInWarehouse
from shared.messages import Enriched

FIRST_DAY, LAST_DAY = date(2000, 1, 1), date(2199, 12, 31)
"""Every day that can be in the warehouse: a timestamp before 2000 is quarantined."""


@dataclass(frozen=True)
class Refeed:
    """An order that no run has taken yet."""

    order_id: int
    first_day: date | None
    last_day: date | None
    floor: int

    @property
    def whole(self) -> bool:
        """Every table and day; only this may take the position anew."""
        return self.first_day is None


def order_refeed(
    session: Session, warehouse: Warehouse, order: Order, first_day: date | None, last_day: date | None
) -> Result:
    """Put the order where the next run of enrich finds it. The warehouse says which feed ids are used up."""

    def work(_: int) -> Result:
        ((order_id,),) = rows_of(
            session, "order_refeed", operator=order.operator, first_day=first_day, last_day=last_day,
            floor=newest_feed(warehouse),
        )  # fmt: skip
        return {"order_id": order_id}

    return carry_out(session, order, work)


def newest_feed(warehouse: Warehouse) -> int:
    """The highest feed id that the warehouse has rows of."""
    days = {"first_day": FIRST_DAY, "last_day": LAST_DAY}
    by_day = ("transactions", "inventory_levels")
    found = [warehouse.run(warehouse_sql(f"sales.{name}", "newest_feed"), days) for name in by_day]
    found += [warehouse.run(warehouse_sql(f"sales.{name}", "newest_feed"), {}) for name in ("users", "products")]
    return max(int(rows[0]["feed_id"]) for rows in found)


def open_refeed(session: Session) -> Refeed | None:
    """The oldest order that is not taken."""
    found = rows_of(session, "read_refeed_order")
    return Refeed(*found[0]) if found else None


def scope_of(order_id: int | None, first_day: date | None, last_day: date | None) -> dict[str, Any]:
    """The fields of Enriched that say how far a feed clears away; none of an ordinary one."""
    if order_id is None:
        return {}
    return {"first_day": first_day or FIRST_DAY, "last_day": last_day or LAST_DAY, "whole": first_day is None}


def merge_sql(feed: Enriched, table: str) -> str:
    """How the rows of a feed come into a table: a refeed leaves one of each there, whatever was doubled before."""
    return warehouse_sql(table, "merge") if feed.first_day is None else warehouse_sql(table, "replace")


def clear_away(feed: Enriched, warehouse: Warehouse) -> tuple[list[date], list[date]]:
    """Delete what a refeed did not write within its scope; the days of sale and of levels to build beside its own."""
    if feed.first_day is None:
        return [], []
    days = _clear_days(feed, "transactions", warehouse)
    if not feed.whole:
        return days, []
    for name in ("users", "products"):
        forget = warehouse_sql(f"sales.{name}", "delete_stale")
        warehouse.run(forget, {"feed_id": feed.feed_id}, f"feed-{feed.feed_id}-{name}-stale", table=f"sales.{name}")
    return days, _clear_days(feed, "inventory_levels", warehouse)


def _clear_days(feed: Enriched, name: str, warehouse: Warehouse) -> list[date]:
    """Clear a table away day by day; the days."""
    table, job = f"sales.{name}", f"feed-{feed.feed_id}-{name}"
    days = _stale_days(feed, table, f"{job}-stale-days", warehouse)
    if days:
        forget = warehouse_sql(table, "delete_stale")
        warehouse.run(forget, {"feed_id": feed.feed_id, "days": days}, f"{job}-stale", table=table)
    return days


def _stale_days(feed: Enriched, table: str, job: str, warehouse: Warehouse) -> list[date]:
    """They are asked for by a job with an id: a repeat gets the answer of the first time, when the rows were there.

    BigQuery keeps it a day. A day that is asked for anew after that is in the mart still, or was never built.
    """
    sql = warehouse_sql(table, "stale_days")
    scope = {"feed_id": feed.feed_id, "first_day": feed.first_day, "last_day": feed.last_day}
    try:
        found = warehouse.run(sql, scope, job, table=table)
    except NotInWarehouse:
        found = warehouse.run(sql, scope, table=table)
    return sorted({day for row in found for day in row.values()})
