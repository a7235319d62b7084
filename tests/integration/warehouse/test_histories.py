"""On random histories the marts that were built step by step equal those that are built in one go.

`make test-long` runs 200 of them; the default is a few.
"""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared.adapters.warehouse_sql import marts
from tests.integration.warehouse.world import World, level, sale
from tests.long import size

HISTORIES = size(4, 200)
MONTHS = [date(2026, month, 1) for month in (1, 2, 3, 4)]
DAYS = [month + timedelta(days=days) for month in MONTHS[:3] for days in (0, 13, 27)]

fact = st.builds(
    sale,
    st.integers(1, 6),
    st.sampled_from(DAYS),
    st.sampled_from(["10.00", "7.35", "0.01", "-3.20"]),
    status=st.sampled_from(["pending", "completed", "refunded", "cancelled"]),
    currency=st.sampled_from(["GBP", "EUR"]),
    rate=st.sampled_from([Decimal(1), Decimal("0.85000001"), None]),
    user_key=st.sampled_from([None, 1, 2]),
    product_key=st.integers(1, 2),
    category=st.sampled_from(["kitchen", "garden", None]),
    customer_tier=st.sampled_from(["gold", None]),
    payment_method=st.sampled_from(["card", "wallet"]),
    is_late=st.booleans(),
    quality_score=st.integers(0, 100),
).filter(lambda row: row["amount"] > 0 or row["status"] == "refunded")
levels = st.builds(
    level, st.integers(1, 2), st.sampled_from(DAYS), st.sampled_from([None, 0, 9]), st.sampled_from(["5.00", "6.50"])
)
step = st.one_of(
    st.tuples(st.just("put"), st.lists(fact, min_size=1, max_size=4)),
    st.tuples(st.just("levels"), st.lists(levels, min_size=1, max_size=2)),
    st.tuples(st.just("close"), st.none()),
    st.tuples(st.just("publish"), st.none()),
    st.tuples(st.just("build"), st.sampled_from(["all", "load"])),
)


@settings(max_examples=HISTORIES, deadline=None, suppress_health_check=list(HealthCheck))
@given(steps=st.lists(step, min_size=2, max_size=7))
def test_increments_equal_a_full_rebuild(world: World, steps: list[tuple[str, Any]]) -> None:
    world.reset()
    for kind, given_ in steps:
        take(world, kind, given_)
    world.publish()
    world.build()
    grown = world.everything()
    world.rebuild()
    assert world.everything() == grown
    assert closed_rows(world) == sorted(booked(line) for line in world.lines)
    assert world.session.rows("SELECT count(*)::int FROM pipeline.mart_dirty") == [(0,)]


def test_a_sale_that_comes_between_a_close_and_its_lines_is_booked_as_in_a_full_rebuild(world: World) -> None:
    world.reset()
    world.mark({"sales.transactions": world.put(sale(1, DAYS[0]))})
    world.build()
    world.close(MONTHS[0], MONTHS[1])
    world.mark({"sales.transactions": world.put(sale(2, DAYS[1]))})
    world.build()
    world.publish()
    world.build()
    grown = world.everything()
    world.rebuild()
    assert world.everything() == grown


def take(world: World, kind: str, given_: Any) -> None:
    """One step of a history, with the marks that the pipeline would set."""
    if kind == "put":
        world.mark({"sales.transactions": world.put(*given_)})
    elif kind == "levels":
        world.mark({"sales.inventory_levels": world.put_levels(*given_)})
    elif kind == "build":
        world.build([mart for mart in marts() if given_ == "all" or mart.cadence == "load"])
    elif kind == "publish":
        world.publish()
    elif (closed := sum(month < world.closed for month in MONTHS)) < 3:
        world.close(MONTHS[closed], MONTHS[closed + 1])


def booked(line: dict[str, Any]) -> tuple[Any, ...]:
    """A line of a close as the mart must show it for ever."""
    day = line["sale_date"] if line["entry"] == "sale" else line["period"]
    return (
        line["sale_date"], day, line["entry"], line["currency"], line["payment_method"], line["status"],
        line["transactions"], line["amount"], line["net_base"],
    )  # fmt: skip


def closed_rows(world: World) -> list[tuple[Any, ...]]:
    """What the mart shows of closed months."""
    sql = """SELECT sale_date, booking_date, entry, currency, payment_method, status, transactions, amount, net_base
             FROM marts.financial_reports WHERE sale_date >= DATE '2000-01-01' AND is_closed"""
    return sorted(tuple(row.values()) for row in world.client.query(sql).result())
