"""Sixteen writers of every source on the same ids end in the same tables as one writer after the other."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from shared.adapters.loading import LoadCounts
from shared.adapters.postgres import Session, Timeouts, connect
from tests.integration.postgres.rows import (
    RANKS,
    START,
    Product,
    Rate,
    Txn,
    User,
    load,
    load_products,
    load_rates,
    load_users,
)
from tests.integration.postgres.target import Target
from tests.integration.postgres.test_concurrency import in_threads

WRITERS = 16
TABLES = {
    "transactions": """
        SELECT t.transaction_id, u.user_id, p.product_id, t.amount, t.currency, t.payment_method, t.status,
               t.occurred_at, t.last_event_at
        FROM commerce.transactions t JOIN commerce.users u USING (user_key) JOIN commerce.products p USING (product_key)
        ORDER BY 1""",
    "users": """
        SELECT user_id, inferred, recency, country, age_group, customer_tier, email
        FROM commerce.users LEFT JOIN identity.contact USING (user_key) ORDER BY 1""",
    "products": """
        SELECT product_id, inferred, recency, name, category, price, inventory_count
        FROM commerce.products ORDER BY 1""",
    "rates": "SELECT rate_date, currency, rate, recency FROM commerce.fx_rates ORDER BY 1, 2",
    "user_version": """
        SELECT u.user_id, v.valid_from::text, v.valid_to::text, v.country, v.age_group, v.customer_tier
        FROM commerce.user_version v JOIN commerce.users u USING (user_key) ORDER BY 1, v.valid_from""",
    "product_version": """
        SELECT p.product_id, v.valid_from::text, v.valid_to::text, v.name, v.category, v.price
        FROM commerce.product_version v JOIN commerce.products p USING (product_key) ORDER BY 1, v.valid_from""",
    "inventory_level": """
        SELECT p.product_id, l.observed_at, l.quantity
        FROM commerce.inventory_level l JOIN commerce.products p USING (product_key) ORDER BY 1, 2""",
}


@dataclass(frozen=True)
class Job:
    """One chunk; no two rows of an id have the same recency, so the order must not matter."""

    source: str
    hours: float
    rows: tuple[Any, ...]

    def load(self, session: Session) -> LoadCounts:
        if self.source == "transactions":
            return load(session, *self.rows)
        if self.source == "products":
            return load_products(session, *self.rows)
        return (load_users if self.source == "users" else load_rates)(session, self.hours, *self.rows)


def make_jobs(seed: int) -> list[Job]:
    dice = random.Random(seed)  # noqa: S311 (rows, not secrets)
    moments = iter(dice.sample(range(10_000_000), 50_000))
    jobs = []
    for _ in range(WRITERS):
        for _ in range(3):
            rows = [
                Txn(f"T{dice.randrange(60)}", next(moments) / 1000, dice.choice(sorted(RANKS)),
                    f"{dice.randrange(99)}.0000", f"U{dice.randrange(40)}", f"P{dice.randrange(40)}")
                for _ in range(80)
            ]  # fmt: skip
            jobs.append(Job("transactions", 0, tuple(rows)))
        users = [User(f"U{n}", dice.choice(("GB", "FR", "IE")), dice.choice(("gold", "silver"))) for n in range(40)]
        jobs.append(Job("users", next(moments) / 1000, tuple(users)))
        goods = [
            Product(f"P{n}", next(moments) / 1000, f"{dice.randrange(1, 4)}.00", dice.randrange(3)) for n in range(40)
        ]
        jobs.append(Job("products", 0, tuple(goods)))
        days = [Rate((START + timedelta(days=n)).date(), f"0.{dice.randrange(1, 99)}") for n in range(20)]
        jobs.append(Job("fx_rates", next(moments) / 1000, tuple(days)))
    dice.shuffle(jobs)
    return jobs


def tables(session: Session) -> dict[str, list[tuple[Any, ...]]]:
    return {name: session.rows(sql) for name, sql in TABLES.items()}


def test_sixteen_writers_of_all_sources_end_in_the_same_tables_as_one(new_target: Callable[[], Target]) -> None:
    jobs, limits = make_jobs(seed=16), Timeouts(statement=30_000, lock=20_000)
    at_once, in_turn = new_target(), new_target()
    sessions = [connect(at_once, "tests", limits) for _ in range(WRITERS)]
    single = connect(in_turn, "tests", limits)
    counts: list[tuple[str, LoadCounts]] = []

    def writer(number: int) -> Callable[[], None]:
        def work() -> None:
            counts.extend((job.source, job.load(sessions[number])) for job in jobs[number::WRITERS])

        return work

    assert in_threads([writer(number) for number in range(WRITERS)]) == []
    for job in reversed(jobs):
        job.load(single)

    assert tables(sessions[0]) == tables(single)
    for source in ("transactions", "users", "products", "fx_rates"):
        of_source = [count for name, count in counts if name == source]
        table = {"transactions": 60, "users": 40, "products": 40, "fx_rates": 20}[source]
        assert sum(count.inserted for count in of_source) == table
        assert sum(count.quarantined for count in of_source) == 0
        assert sum(count.received for count in of_source) == sum(len(job.rows) for job in jobs if job.source == source)
    for session in (*sessions, single):
        session.close()
