"""Builds chunks as validate sends them: COPY text with a header line."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import count

from shared.adapters.loading import ChunkFacts, LoadCounts, load_chunk
from shared.adapters.postgres import Session
from shared.domain.copytext import BAD_COLUMNS, TRANSACTION_COLUMNS
from shared.domain.identity import content_hash

START = datetime(2025, 3, 1, tzinfo=UTC)
RANKS = {"pending": 0, "completed": 1, "failed": 1, "cancelled": 1, "refunded": 2}
_numbers = count(1)


def at(hours: float) -> datetime:
    """A moment, in hours since the start of the test's time."""
    return START + timedelta(hours=hours)


@dataclass(frozen=True)
class Txn:
    """One row of transactions; `hours` is its event time."""

    id: str = "T1"
    hours: float = 0
    status: str = "completed"
    amount: str = "10.0000"
    user: str | None = "U1"
    product: str = "P1"
    currency: str = "GBP"
    method: str = "card"
    flags: int = 0
    extra: str | None = None

    @property
    def rank(self) -> int:
        return RANKS[self.status]

    @property
    def recency(self) -> tuple[datetime, int]:
        return at(self.hours), self.rank

    @property
    def hash(self) -> str:
        parts = asdict(self)
        return content_hash(str(parts[name]) for name in parts if name not in ("hours", "flags"))


@dataclass(frozen=True)
class User:
    id: str = "U1"
    country: str | None = "GB"
    tier: str = "gold"
    email: str = "someone@example.org"
    age: str = "25-34"


@dataclass(frozen=True)
class Product:
    id: str = "P1"
    hours: float = 0
    price: str = "5.00"
    stock: int | None = 7
    category: str = "garden"


@dataclass(frozen=True)
class Rate:
    day: date
    rate: str
    currency: str = "EUR"


def copy_text(columns: Sequence[str], lines: Sequence[Sequence[object]]) -> bytes:
    cells = [[r"\N" if value is None else str(value) for value in line] for line in lines]
    return "".join("\t".join(line) + "\n" for line in [columns, *cells]).encode()


def transactions(rows: Sequence[Txn], first_line: int = 1) -> bytes:
    lines = [
        (n, at(r.hours), r.rank, r.hash, r.flags, r.id, r.user, r.product, r.amount, r.currency, r.method, r.status,
         r.extra)
        for n, r in enumerate(rows, first_line)
    ]  # fmt: skip
    return copy_text(TRANSACTION_COLUMNS, lines)


def bad_rows(lines: Sequence[int]) -> bytes:
    told = '{"amount": "is missing"}'
    return copy_text(BAD_COLUMNS, [(n, "missing_field", told, None, "raw/x", 0, 10, 100 * n, 10) for n in lines])


def facts(source: str, received: int, chunk_id: str | None = None, recency: datetime | None = None) -> ChunkFacts:
    return ChunkFacts(chunk_id or f"chunk-{next(_numbers)}", source, received, START.date(), recency=recency)


def load(session: Session, *rows: Txn, chunk_id: str | None = None) -> LoadCounts:
    return load_chunk(session, facts("transactions", len(rows), chunk_id), transactions(rows))[1]


def load_users(session: Session, hours: float, *rows: User) -> LoadCounts:
    columns = "line content_hash flags user_id email registration_date country age_group customer_tier extra"
    lines = [
        (n, content_hash(map(str, asdict(r).values())), 0, r.id, r.email, "2024-05-17", r.country, r.age, r.tier, None)
        for n, r in enumerate(rows, 1)
    ]
    return load_chunk(session, facts("users", len(rows), recency=at(hours)), copy_text(columns.split(), lines))[1]


def load_products(session: Session, *rows: Product) -> LoadCounts:
    columns = "line event_at content_hash flags product_id name category price inventory_count supplier_id extra"
    lines = [
        (n, at(r.hours), content_hash([r.id, r.price, str(r.stock), r.category]), 0, r.id, "Spade", r.category, r.price,
         r.stock, "S1", None)
        for n, r in enumerate(rows, 1)
    ]  # fmt: skip
    return load_chunk(session, facts("products", len(rows)), copy_text(columns.split(), lines))[1]


def load_rates(session: Session, hours: float, *rows: Rate) -> LoadCounts:
    lines = [
        (n, content_hash([str(r.day), r.currency, r.rate]), r.day, r.currency, r.rate) for n, r in enumerate(rows, 1)
    ]
    columns = ("line", "content_hash", "rate_date", "currency", "rate")
    return load_chunk(session, facts("fx_rates", len(rows), recency=at(hours)), copy_text(columns, lines))[1]
