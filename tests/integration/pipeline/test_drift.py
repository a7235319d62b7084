"""A source changes its schema, and half of all messages are delivered twice: each change is told once, with types."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any

import pytest
from typer.testing import CliRunner

from cli.cloud import run_job
from cli.main import app
from local.stack import Options
from tests.integration.pipeline.harness import Pipeline, pipeline, row

ROWS = 150


@pytest.fixture(scope="module")
def changed() -> Iterator[Pipeline]:
    """A pipeline whose products have renamed, retyped, dropped and added a field, and whose stream has a new one."""
    with pipeline(Options(duplicate_rate=0.5)) as running:
        running.load("products/before.ndjson", products())
        running.load("transactions/before.ndjson", b"\n".join(row(f"a-{n}") for n in range(ROWS)))
        watch(running)
        assert running.one("SELECT count(*) FROM pipeline.alert") == 0
        # category is renamed, price retyped, supplier_id dropped, colour added
        for day in ("monday", "tuesday"):
            running.load(
                f"products/{day}.ndjson", products(price=7.5, category=..., kind="x", supplier_id=..., colour="red")
            )
            watch(running)
        running.load("transactions/after.ndjson", b"\n".join(row(f"b-{n}", visit={"n": n}) for n in range(ROWS)))
        watch(running)
        watch(running)
        yield running


def watch(running: Pipeline) -> None:
    """Look for drift; where the Scheduler does just that, once it is done."""
    while "busy" in str(run_job(running.scheduler, "watch_schema")):
        time.sleep(0.1)


def products(**changes: object) -> bytes:
    """A list of products; a field set to `...` is left out."""
    lines = []
    for n in range(ROWS):
        fields: dict[str, object] = {
            "product_id": f"p{n}", "name": f"Pot {n}", "category": "kitchen", "price": "7.50", "inventory_count": n,
            "supplier_id": "s1", "updated_at": "2026-03-01T00:00:00Z", **changes,
        }  # fmt: skip
        lines.append(json.dumps({name: value for name, value in fields.items() if value is not ...}).encode())
    return b"\n".join(lines)


def sluice(*words: str) -> Any:
    """Run `sluice drift` against the running cloud; its JSON."""
    result = CliRunner().invoke(app, ["drift", *words])
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


@pytest.mark.usefixtures("changed")
def test_each_change_is_listed_once_with_its_types() -> None:
    found = {(d["source"], d["field"]): (d["state"], d["types"], d["status"]) for d in sluice("--json")}
    assert found == {
        ("products", "kind"): ("new", {"string": 2 * ROWS}, "open"),
        ("products", "colour"): ("new", {"string": 2 * ROWS}, "open"),
        ("products", "price"): ("retyped", {"number": 200}, "open"),
        ("products", "category"): ("vanished", {"absent": 2 * ROWS}, "open"),
        ("products", "supplier_id"): ("vanished", {"absent": 2 * ROWS}, "open"),
        ("transactions", "visit"): ("new", {"object": ROWS}, "open"),
    }


def test_each_change_is_one_alert_that_was_published_and_holds_no_value(changed: Pipeline) -> None:
    rows = changed.sql(
        "SELECT subject, severity, told, seen, published_at IS NOT NULL FROM pipeline.alert WHERE kind = 'schema_drift'"
    )
    assert sorted(row[0] for row in rows) == [
        "products.category", "products.colour", "products.kind", "products.price", "products.supplier_id",
        "transactions.visit",
    ]  # fmt: skip
    assert {(severity, seen, published) for _, severity, _, seen, published in rows} == {("warning", 1, True)}
    assert "red" not in "".join(row[2] for row in rows)


@pytest.mark.usefixtures("changed")
def test_a_new_field_is_proposed_with_everything_that_declares_it() -> None:
    told = CliRunner().invoke(app, ["drift", "propose", "products.colour"]).stdout
    for part in (
        "colour = f.Text(load_default=None, allow_none=True)",
        'ALTER TABLE commerce.products ADD COLUMN "colour" text;',
        '"type": "STRING"',
    ):
        assert part in told
    assert "kind" in str(sluice("propose", "products.category", "--json")["vanished"]["advice"])
    asked, nothing = sluice("propose", "products.price", "--json")["retyped"]["advice"]
    assert "was string and came as number" in asked
    assert "Nothing has to change" in nothing


@pytest.mark.usefixtures("changed")
def test_what_an_operator_accepts_is_open_no_more_and_says_who_it_was() -> None:
    assert sluice("accept", "products.kind", "--by", "ada", "--json") == [{"state": "new", "type": "string"}]
    assert "kind" not in [d["field"] for d in sluice("--json")]
    (kept,) = (d for d in sluice("--all", "--json") if d["field"] == "kind")
    assert (kept["status"], kept["accepted_by"]) == ("accepted", "ada")


@pytest.mark.usefixtures("changed")
@pytest.mark.parametrize("words", [("accept", "products.nothing"), ("propose", "products.nothing"), ("accept", "x.y")])
def test_a_field_without_drift_is_one_clear_line(words: tuple[str, ...]) -> None:
    result = CliRunner().invoke(app, ["drift", *words])
    assert result.exit_code == 2
    assert result.stderr.count("\n") == 1
