"""What arrives in another order, at once, or more than once, ends as what came one after the other."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from local.generate.shares import DIRT_KINDS
from local.stack import Options
from tests.integration.pipeline.harness import Pipeline, pipeline, sample
from tests.long import size

BACKWARD = ("transactions", "fx_rates", "products", "users")
WORKERS = 8
USERS = """
    SELECT u.user_id, u.inferred, u.country, u.age_group, u.customer_tier, count(v.*)
    FROM commerce.users u LEFT JOIN commerce.user_version v USING (user_key) GROUP BY 1, 2, 3, 4, 5 ORDER BY 1
"""
PRODUCTS = """
    SELECT p.product_id, p.inferred, p.name, p.category, p.price, p.inventory_count, v.valid_from::text, l.quantity
    FROM commerce.products p
    LEFT JOIN commerce.product_version v USING (product_key)
    LEFT JOIN commerce.inventory_level l USING (product_key)
    ORDER BY 1, 7
"""
RATES = "SELECT rate_date, currency, rate FROM commerce.fx_rates ORDER BY 1, 2"
OUTCOMES = """
    SELECT source, sum(received)::int, sum(inserted)::int, sum(unchanged)::int, sum(updated + superseded)::int,
           sum(quarantined)::int
    FROM pipeline.chunk GROUP BY 1 ORDER BY 1
"""


State = dict[str, Any]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Clean rows and every kind of dirty ones, the transactions in three files of three shapes."""
    where = tmp_path_factory.mktemp("data") / "sample"
    shapes = ("ndjson", "array", "gz")
    truth = sample(where, size(900, 3000), 0.15, 31, users=size(200, 300), products=60, files=3, shapes=shapes)
    assert {kind for kind in DIRT_KINDS if not truth.dirt.get(kind)} == set()
    return where


def dropped(folder: Path) -> list[tuple[str, bytes]]:
    """The objects of the folder, dimensions first."""
    paths = [path for source in ("users", "fx_rates", "transactions") for path in sorted(folder.glob(f"{source}*"))]
    return [(f"{path.name.partition('.')[0].partition('-')[0]}/{path.name}", path.read_bytes()) for path in paths]


@pytest.fixture(scope="module")
def expected(folder: Path) -> State:
    """What an undisturbed run gives, with one worker and each file through before the next."""
    with pipeline(Options(workers=1, duplicate_rate=0.0)) as in_turn:
        in_turn.serve_products(folder / "products.ndjson")
        in_turn.extract()
        for name, data in dropped(folder):
            in_turn.load(name, data)
        in_turn.feed()
        return state(in_turn)


def state(running: Pipeline) -> State:
    """Facts, dimensions with their history, rates, outcomes, and the tables of the warehouse."""
    conflicts = running.conflicting_ids()
    assert running.findings() == []
    return {
        "facts": running.business(conflicts),
        "warehouse": running.tables(conflicts),
        "outcomes": running.sql(OUTCOMES),
        **{name: running.sql(sql) for name, sql in (("users", USERS), ("products", PRODUCTS), ("rates", RATES))},
    }


def test_transactions_before_their_users_products_and_rates_end_in_the_same_tables(
    folder: Path, expected: State
) -> None:
    with pipeline() as backward:
        for sources in (BACKWARD[:1], BACKWARD[1:3], BACKWARD[3:]):
            backward.drop_folder(folder, order=sources)
            backward.feed()
        found = state(backward)
        assert (found["facts"], found["warehouse"]) == (expected["facts"], expected["warehouse"])


def test_all_messages_three_times_in_random_order_end_in_the_same_facts(folder: Path, expected: State) -> None:
    with pipeline() as shaken:
        with shaken.control() as control:
            control.set_faults(copies=3, shuffle_window=50, jitter_seconds=0.2)
        shaken.drop_folder(folder, order=BACKWARD)
        shaken.feed()
        shaken.quiet()
        assert state(shaken)["facts"] == expected["facts"]


def test_everything_at_once_with_eight_workers_ends_like_one_after_the_other(folder: Path, expected: State) -> None:
    with pipeline(Options(workers=WORKERS)) as at_once:
        at_once.serve_products(folder / "products.ndjson")
        put = [at_once.put(name, data) for name, data in reversed(dropped(folder))]
        at_once.extract()
        at_once.run.wait_for(put)
        at_once.feed()
        found = state(at_once)
    assert {name: found[name] == expected[name] for name in expected} == dict.fromkeys(expected, True)
