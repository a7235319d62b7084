"""The truth about users, products and what must be inferred, judged by a naive evaluator of the files."""

import csv
import json
import re
from collections import Counter
from collections.abc import Callable, Iterable
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from local.generate import DIRT_KINDS, generate

START = date(2026, 1, 10)
COUNTRIES = {"gb", "uk", "united kingdom", "gbr", "ie", "eire", "de", "germany", "fr", "france", "se", "us", "es", "jp"}
COUNTRIES |= {"au", "korea, republic of"}
AGE_GROUPS = {"under_18", "18-24", "25-34", "35-44", "45-54", "55-64", "65+"}
TIERS = {"bronze", "silver", "gold", "platinum"}
HEADER = ["user_id", "email", "registration_date", "country", "age_group", "customer_tier"]


class BadRowError(Exception):
    """A row the evaluator refuses; its text is the reason code."""


def judge_user(cells: list[str]) -> tuple[str, tuple[str, ...]]:
    if len(cells) != 6:
        raise BadRowError("wrong_column_count")
    user_id, email, registered, country, age_group, tier = (cell.strip().lower() for cell in cells)
    if not user_id:
        raise BadRowError("missing_field")
    if country and country not in COUNTRIES:
        raise BadRowError("unknown_country")
    try:
        good_date = bool(re.fullmatch(r"\d{4}-\d\d-\d\d", registered)) and bool(date.fromisoformat(registered))
    except ValueError:
        good_date = False
    good_words = age_group in AGE_GROUPS | {""} and tier in TIERS | {""}
    if not (re.fullmatch(r"[^@\s]+@[^@\s]+\.\w+", email) and good_date and good_words):
        raise BadRowError("invalid_value")
    return user_id.upper(), (email, registered, country, age_group, tier)


def judge_product(product: dict[str, Any]) -> tuple[str, str]:
    if "product_id" not in product:
        raise BadRowError("missing_field")
    if product["price"].startswith("-") or not str(product["inventory_count"]).isdigit():
        raise BadRowError("invalid_value")
    return product["product_id"], json.dumps(product)


def evaluate(rows: Iterable[Any], judge_row: Callable[[Any], tuple[str, Any]]) -> tuple[dict[str, Any], set[str]]:
    """The counts in the shape of truth.json, and the keys that stand."""
    outcomes: Counter[str] = Counter()
    reasons: Counter[str] = Counter()
    standing: dict[str, Any] = {}
    for row in rows:
        try:
            key, content = judge_row(row)
        except BadRowError as reason:
            reasons[str(reason)] += 1
            continue
        if key not in standing:
            standing[key] = content
            outcomes["inserted"] += 1
        elif standing[key] == content:
            outcomes["unchanged"] += 1
        else:
            reasons["conflicting_duplicate"] += 1
    counts = {
        "received": outcomes.total() + reasons.total(),
        "inserted": outcomes["inserted"],
        "updated_or_superseded": 0,
        "unchanged": outcomes["unchanged"],
        "quarantined": reasons.total(),
        "quarantine_reasons": dict(reasons),
        "rows_standing": len(standing),
    }
    return counts, set(standing)


def people_in(directory: Path) -> list[list[str]]:
    with (directory / "users.csv").open(newline="") as file:
        header, *people = csv.reader(file)
    assert header == HEADER
    return people


def named_in(directory: Path) -> tuple[set[str], set[str]]:
    """The users and products that transactions name."""
    rows = [json.loads(line) for line in (directory / "transactions.ndjson").read_text().splitlines()]
    return {row["user_id"] for row in rows if row.get("user_id")}, {row["product_id"] for row in rows}


LIST_KINDS = [kind for kind in DIRT_KINDS if not kind.startswith("transactions.")]
PARENT_KINDS = [f"transactions.{kind}" for kind in ("unknown_user", "unknown_product", "guest_null", "guest_missing")]
DIRT = st.one_of(
    st.fixed_dictionaries({"users": st.floats(0, 1), "products": st.floats(0, 1)}),
    st.dictionaries(st.sampled_from(LIST_KINDS + PARENT_KINDS), st.floats(0, 0.25), max_size=4),
    st.sampled_from(LIST_KINDS + PARENT_KINDS).map(lambda kind: {kind: 1.0}),
)


@settings(max_examples=60, deadline=None)
@given(dirt=DIRT, seed=st.integers(), users=st.integers(1, 200), products=st.integers(1, 80))
def test_an_independent_evaluator_finds_the_same_lists(
    dirt: dict[str, float], seed: int, users: int, products: int
) -> None:
    with TemporaryDirectory() as name:
        directory = Path(name)
        generate(directory, transactions=120, users=users, products=products, dirt=dirt, seed=seed, days=3, start=START)
        truth = json.loads((directory / "truth.json").read_text())
        goods = [json.loads(line, parse_int=str) for line in (directory / "products.ndjson").read_text().splitlines()]
        user_counts, known_users = evaluate(people_in(directory), judge_user)
        product_counts, known_products = evaluate(goods, judge_product)
        named_users, named_products = named_in(directory)
        assert truth["users"] == {**user_counts, "inferred": len(named_users - known_users)}
        assert truth["products"] == {**product_counts, "inferred": len(named_products - known_products)}


def test_the_rates_are_counted_row_by_row(tmp_path: Path) -> None:
    generate(tmp_path, transactions=10, users=5, products=5, dirt=0, seed=1, days=30, start=START)
    with (tmp_path / "fx_rates.csv").open(newline="") as file:
        rates = list(csv.DictReader(file))
    truth = json.loads((tmp_path / "truth.json").read_text())["fx_rates"]
    assert truth["received"] == truth["inserted"] == len(rates)
    assert len({(row["date"], row["currency"]) for row in rates}) == len(rates)
