"""Files with the same ids at once, with eight workers, end in the same tables as one after the other."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from local.stack import Options
from tests.integration.pipeline.harness import Pipeline, pipeline, sample

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


def state(running: Pipeline) -> dict[str, Any]:
    """Facts, dimensions with their history, rates, outcomes, and the tables of the warehouse."""
    conflicts = running.conflicting_ids()
    assert running.findings() == []
    return {
        "facts": running.business(conflicts),
        "warehouse": running.tables(conflicts),
        "outcomes": running.sql(OUTCOMES),
        **{name: running.sql(sql) for name, sql in (("users", USERS), ("products", PRODUCTS), ("rates", RATES))},
    }


def test_everything_at_once_ends_like_one_after_the_other(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    sample(folder, 2000, 0.15, seed=31, files=3, shapes=("ndjson", "array", "gz"))
    files = [path for source in ("users", "fx_rates", "transactions") for path in sorted(folder.glob(f"{source}*"))]

    with pipeline(Options(workers=1, duplicate_rate=0.0)) as in_turn:
        in_turn.serve_products(folder / "products.ndjson")
        in_turn.extract()
        for path in files:
            in_turn.load(f"{path.name.partition('.')[0].partition('-')[0]}/{path.name}", path.read_bytes())
        in_turn.feed()
        expected = state(in_turn)

    with pipeline(Options(workers=WORKERS)) as at_once:
        at_once.serve_products(folder / "products.ndjson")
        dropped = [
            at_once.put(f"{path.name.partition('.')[0].partition('-')[0]}/{path.name}", path.read_bytes())
            for path in reversed(files)
        ]
        at_once.extract()
        at_once.run.wait_for(dropped)
        at_once.feed()
        found = state(at_once)
    assert {name: found[name] == expected[name] for name in expected} == dict.fromkeys(expected, True)
