"""The stages of the warehouse as tests run them: a feed is made, loaded and built, and what came of it is read."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from functions.build_marts import main as build_marts
from functions.load_warehouse import main as load_warehouse
from shared.adapters.memory import MemoryPublisher, MemoryStore
from shared.adapters.ports import Warehouse
from shared.adapters.postgres import Session
from shared.adapters.warehouse import BigQueryWarehouse
from shared.entrypoint import Outcome
from shared.events import PushMessage
from shared.messages import Enriched, WarehouseLoaded
from tests.functions.harness import Row, push, settings
from tests.functions.stages import Feeding, load
from tests.integration.postgres.rows import Product, load_products

SALES = "SELECT * FROM sales.transactions WHERE sale_date = @day AND transaction_id = @id"
LEVELS = """SELECT level_date, inventory_count, price, feed_id FROM sales.inventory_levels
            WHERE level_date BETWEEN @first AND @last AND product_id = @id ORDER BY level_date"""
MART = "SELECT sale_date, transactions, amount FROM marts.daily_sales_summary WHERE sale_date = @day"
STATE = "SELECT state FROM pipeline.feed_batch WHERE feed_id = $1"


@dataclass
class Bench:
    """The stages of the warehouse on the local one."""

    session: Session
    warehouse: BigQueryWarehouse
    feeding: Feeding
    publisher: MemoryPublisher

    def feed(self, *rows: Row) -> Enriched:
        load(self.session, list(rows))
        return self.feeding.feed()

    def load(self, feed: Enriched) -> Outcome:
        return load_warehouse.run(
            to_load(feed),
            session=self.session,
            warehouse=self.warehouse,
            publisher=self.publisher,
            settings=settings(),
        )

    def build(self, feed: Enriched) -> Outcome:
        return build(to_build(feed), self.session, self.warehouse)

    def sale(self, row: Row, day: str) -> list[dict[str, Any]]:
        params = {"day": date.fromisoformat(day), "id": row["transaction_id"]}
        return [dict(found) for found in self.warehouse.run(SALES, params)]

    def stock(self, *rows: Product) -> Enriched:
        load_products(self.session, *rows)
        return self.feeding.feed()

    def levels(self, product: str) -> list[tuple[Any, ...]]:
        params = {"first": date(2025, 3, 1), "last": date(2025, 3, 9), "id": product}
        return [tuple(row.values()) for row in self.warehouse.run(LEVELS, params)]

    def mart(self, day: str) -> list[tuple[Any, ...]]:
        return [tuple(row.values()) for row in self.warehouse.run(MART, {"day": date.fromisoformat(day)})]


def build(message: PushMessage | None, session: Session, warehouse: Warehouse) -> Outcome:
    """One run of build_marts, by a message or by the schedule."""
    return build_marts.run(
        message, now=datetime.now(UTC), session=session, warehouse=warehouse, store=MemoryStore(),
        publisher=MemoryPublisher(), settings=settings(),
    )  # fmt: skip


def to_load(feed: Enriched) -> PushMessage:
    return push(feed, "load_warehouse-enriched")


def to_build(feed: Enriched) -> PushMessage:
    return push(WarehouseLoaded(feed_id=feed.feed_id, days=feed.days), "build_marts-warehouse_loaded")
