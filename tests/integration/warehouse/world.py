"""Facts in the warehouse as a test states them, closes as the database would write them, and builds of the marts."""

from __future__ import annotations

import io
import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from google.cloud import bigquery

from shared.adapters import marts as building
from shared.adapters.closing import open_before
from shared.adapters.marts import Built, Facts
from shared.adapters.postgres import Session
from shared.adapters.warehouse import BigQueryWarehouse
from shared.adapters.warehouse_sql import marts
from shared.domain.marts import Mart

Row = dict[str, Any]
NOTHING_CLOSED = date(2000, 1, 1)
MEASURES = (
    "transactions", "amount", "gross", "refunds", "net", "gross_base", "refunds_base", "net_base",
    "transactions_without_rate",
)  # fmt: skip
GROUP = ("sale_date", "currency", "payment_method", "status")
NOW = datetime(2026, 6, 1, tzinfo=UTC)


def sale(number: int, day: date, amount: str = "10.00", **changes: Any) -> Row:
    """A fact as a feed would write it."""
    row: Row = {
        "transaction_id": f"t{number}", "sale_date": day,
        "occurred_at": datetime(day.year, day.month, day.day, 9, tzinfo=UTC),
        "user_key": 1, "country": "GB", "customer_tier": "gold", "product_key": 1, "product_name": "Cup",
        "category": "kitchen", "list_price": Decimal("5.00"), "currency": "GBP", "payment_method": "card",
        "status": "completed", "amount": Decimal(amount), "rate": Decimal(1), "is_late": False, "quality_score": 100,
        **changes,
    }  # fmt: skip
    return with_money(row)


def with_money(row: Row) -> Row:
    """The derived columns, by the rules of docs/data-sources.md."""
    amount, rate, status = row["amount"], row["rate"], row["status"]
    gross = amount if amount > 0 and status in ("completed", "refunded") else Decimal(0)
    refunds = abs(amount) if status == "refunded" else Decimal(0)
    base = None if rate is None else (amount * rate).quantize(Decimal("0.01"))
    gross_base = None if base is None else (base if gross else Decimal(0))
    refunds_base = None if base is None else (abs(base) if refunds else Decimal(0))
    net_base = None if gross_base is None or refunds_base is None else gross_base - refunds_base
    return {
        **row, "last_event_at": row["occurred_at"], "product_id": f"p{row['product_key']}", "amount_base": base,
        "gross": gross, "refunds": refunds, "net": gross - refunds, "gross_base": gross_base,
        "refunds_base": refunds_base, "net_base": net_base, "is_guest": row["user_key"] is None, "flags": 0,
        "source_chunk": "c", "source_line": 1, "feed_id": 1,
    }  # fmt: skip


def level(product: int, day: date, count: int | None, price: str = "5.00") -> Row:
    """The last stock level of a product on a day; None where it was taken back."""
    return {
        "level_date": day, "product_key": product, "product_id": f"p{product}", "product_name": "Cup",
        "category": "kitchen", "observed_at": datetime(day.year, day.month, day.day, 20, tzinfo=UTC),
        "inventory_count": count, "price": Decimal(price), "feed_id": 1,
    }  # fmt: skip


@dataclass
class World:
    """The warehouse, the ledger, and what was closed."""

    session: Session
    warehouse: BigQueryWarehouse
    client: bigquery.Client
    sales: dict[str, Row] = field(default_factory=dict)
    levels: dict[tuple[int, date], Row] = field(default_factory=dict)
    lines: list[Row] = field(default_factory=list)
    open_day: date = NOTHING_CLOSED
    closed: date = NOTHING_CLOSED
    """The first day after the months that Postgres has closed; BigQuery learns of it when they are published."""

    def reset(self) -> None:
        """Nothing was ever sold."""
        self.sales, self.levels, self.lines, self.open_day = {}, {}, [], NOTHING_CLOSED
        self.closed = NOTHING_CLOSED
        self.session.rows("TRUNCATE pipeline.mart_dirty, pipeline.mart_build, pipeline.alert")
        for mart in marts():
            self.client.query(f"TRUNCATE TABLE {mart.name}").result()
        self._write("sales.close_lines", [])
        self.put()
        self.put_levels()

    def put(self, *rows: Row) -> set[date]:
        """Have facts as they are now; the days that this touches, as a feed tells them."""
        touched: set[date] = set()
        for row in rows:
            before = self.sales.get(row["transaction_id"])
            touched |= {row["sale_date"], *([before["sale_date"]] if before else [])}
            self.sales[row["transaction_id"]] = row
        self._write("sales.transactions", self.sales.values())
        return touched

    def put_levels(self, *rows: Row) -> set[date]:
        """Have stock levels; the days that this touches."""
        for row in rows:
            self.levels[row["product_key"], row["level_date"]] = row
        self._write("sales.inventory_levels", self.levels.values())
        return {row["level_date"] for row in rows}

    def close(self, period: date, until: date) -> None:
        """Close a month as `sluice close` does: lines for its days, and adjustments for earlier ones."""
        live, posted, rates = self._live(), _sums(self.lines), {}
        for row in self.sales.values():
            rates[row["sale_date"], row["currency"]] = row["rate"]
        made: list[Row] = []
        for key in sorted({*live, *posted}):
            if key[0] >= until:
                continue
            differs = {name: live[key][name] - posted[key][name] for name in MEASURES}
            if any(differs.values()):
                entry = "sale" if key[0] >= period else "adjustment"
                rate = rates.get((key[0], key[1])) if key in live else None
                made.append(
                    {**dict(zip(GROUP, key, strict=True)), "period": period, "entry": entry, **differs, "rate": rate}
                )
        self.lines += made
        self.closed = until

    def publish(self) -> None:
        """Bring what is closed to BigQuery as build_marts does."""
        self._write("sales.close_lines", self.lines)
        days = {line["sale_date"] for line in self.lines if line["period"] >= self.open_day}
        self.mark({"sales.close_lines": days | open_before(self.warehouse, self.closed)}, urgent=True)
        self.open_day = self.closed

    def _live(self) -> defaultdict[tuple[Any, ...], dict[str, Any]]:
        return _sums(
            {**row, "transactions": 1, "transactions_without_rate": int(row["rate"] is None)}
            for row in self.sales.values()
        )

    def mark(self, touched: dict[str, Iterable[date]], urgent: bool = False) -> None:
        """Mark as build_marts does of a feed."""
        building.mark(self.session, marts(), touched, urgent=urgent)

    def build(self, chosen: Sequence[Mart] | None = None, max_bytes: int = 1 << 30) -> Built:
        """Build what is marked."""
        facts = Facts("GBP", self.open_day, max_bytes)
        done = building.build_marts(
            self.session, self.warehouse, marts() if chosen is None else chosen, facts, has_time=lambda: True
        )
        if done.errors:
            raise done.errors[0]
        return done

    def build_after(self, *rows: Row) -> None:
        """Have these sales, and build what they touch."""
        self.mark({"sales.transactions": self.put(*rows)})
        self.build()

    def rebuild(self) -> None:
        """Everything anew, into empty marts."""
        for mart in marts():
            self.client.query(f"TRUNCATE TABLE {mart.name}").result()
        days = {row["sale_date"] for row in (*self.sales.values(), *self.lines)}
        levels = {row["level_date"] for row in self.levels.values()}
        self.mark({"sales.transactions": days, "sales.inventory_levels": levels, "sales.close_lines": days})
        self.build()

    def rows(self, mart: Mart) -> list[str]:
        """Every row of a mart, as text, in order."""
        sql = f"SELECT * FROM {mart.name} WHERE {mart.partition} >= DATE '2000-01-01'"
        return sorted(repr(sorted(dict(row).items())) for row in self.client.query(sql).result())

    def everything(self) -> dict[str, list[str]]:
        """Every row of every mart."""
        return {mart.short: self.rows(mart) for mart in marts()}

    def alerts(self) -> list[tuple[Any, ...]]:
        """What was raised."""
        return self.session.rows("SELECT severity, subject, told FROM pipeline.alert ORDER BY alert_id")

    def _write(self, table: str, rows: Iterable[Row]) -> None:
        text = "".join(json.dumps(row, default=str) + "\n" for row in rows)
        if not text:
            self.client.query(f"TRUNCATE TABLE {table}").result()
            return
        config = bigquery.LoadJobConfig(
            source_format=bigquery.SourceFormat.NEWLINE_DELIMITED_JSON,
            write_disposition=bigquery.WriteDisposition.WRITE_TRUNCATE,
            schema=self.client.get_table(table).schema,
        )
        self.client.load_table_from_file(io.BytesIO(text.encode()), table, job_config=config).result()


def _sums(rows: Iterable[Row]) -> defaultdict[tuple[Any, ...], dict[str, Any]]:
    sums: defaultdict[tuple[Any, ...], dict[str, Any]] = defaultdict(lambda: dict.fromkeys(MEASURES, Decimal(0)))
    for row in rows:
        group = sums[tuple(row[name] for name in GROUP)]
        for name in MEASURES:
            group[name] += row[name] or 0
    return sums
