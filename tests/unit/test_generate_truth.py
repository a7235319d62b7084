"""The truth about transactions, judged by a naive evaluator that reads the files and shares no code with it."""

import csv
import gzip
import json
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from local.generate import DIRT_KINDS, SHAPES, generate

START = date(2026, 1, 10)
CENT = Decimal("0.01")
RANKS = {"pending": 0, "completed": 1, "failed": 1, "cancelled": 1, "refunded": 2}
CURRENCIES = {"GBP", "EUR", "USD", "SEK", "JPY", "CHF"}
METHODS = {"card", "paypal", "bank_transfer", "wallet", "cash_on_delivery", "invoice", "gift_card", "other"}


class BadRowError(Exception):
    """A row the evaluator refuses; its text is the reason code."""


@dataclass
class Tally:
    outcomes: Counter[str] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)

    def count(self, outcome: str) -> None:
        self.outcomes[outcome] += 1

    def refuse(self, reason: str) -> None:
        self.reasons[reason] += 1

    def as_json(self) -> dict[str, Any]:
        return {
            "received": self.outcomes.total() + self.reasons.total(),
            "inserted": self.outcomes["inserted"],
            "updated_or_superseded": self.outcomes["updated"] + self.outcomes["superseded"],
            "unchanged": self.outcomes["unchanged"],
            "quarantined": self.reasons.total(),
            "quarantine_reasons": dict(self.reasons),
            "rows_standing": self.outcomes["inserted"],
        }


@dataclass
class Standing:
    recency: tuple[datetime, int]
    occurred: datetime
    content: tuple[Any, ...]
    flags: set[str]


def refuse_constant(_: str) -> None:
    raise BadRowError("malformed_json")


def parse(text: str) -> object:
    try:
        return json.loads(text, parse_float=Decimal, parse_int=Decimal, parse_constant=refuse_constant)
    except json.JSONDecodeError:
        raise BadRowError("malformed_json") from None


def read_line(line: bytes) -> object:
    try:
        return parse(line.decode())
    except UnicodeDecodeError:
        raise BadRowError("invalid_encoding") from None


def received(directory: Path) -> Iterator[Callable[[], Any]]:
    """What each received transaction parses to, file after file; calling one may refuse it."""
    for path in sorted(directory.glob("transactions*")):
        if path.suffix == ".json":
            whole = parse(path.read_text())
            assert isinstance(whole, list)
            yield from (lambda row=row: row for row in whole)
            continue
        raw = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
        yield from (lambda line=line: read_line(line) for line in raw.split(b"\n") if line.strip())


def amount_of(value: object) -> Decimal:
    if isinstance(value, Decimal):
        return value
    if isinstance(value, str) and re.fullmatch(r"-?\d+(\.\d+)?", value):
        return Decimal(value)
    raise BadRowError("invalid_value")


def moment_of(text: str, flags: set[str]) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise BadRowError("invalid_value") from None
    if moment.tzinfo is None:
        flags.add("naive_time")
        moment = moment.replace(tzinfo=UTC)
    if not 2000 <= moment.year < 2100:
        raise BadRowError("timestamp_out_of_range")
    return moment.astimezone(UTC)


def judge(row: object) -> tuple[str, Standing]:
    if not isinstance(row, dict):
        raise BadRowError("not_an_object")
    if any(
        row.get(name) is None for name in ("transaction_id", "product_id", "amount", "currency", "timestamp", "status")
    ):
        raise BadRowError("missing_field")
    amount = amount_of(row["amount"])
    status = row["status"].strip().lower()
    if status not in RANKS:
        raise BadRowError("unknown_status")
    currency = row["currency"].strip().upper()
    if currency not in CURRENCIES:
        raise BadRowError("unknown_currency")
    flags: set[str] = set()
    moment = moment_of(row["timestamp"], flags)
    if amount < 0 and status != "refunded":
        raise BadRowError("negative_amount")
    method = row["payment_method"].lower()
    if method not in METHODS:
        flags.add("other_payment")
    if row.get("user_id") is None:
        flags.add("guest")
    content = (row.get("user_id"), row["product_id"], amount, currency, method, status)
    return row["transaction_id"], Standing((moment, RANKS[status]), moment, content, flags)


@dataclass
class Shop:
    """What stands after loading rows one at a time, in the order given."""

    standing: dict[str, Standing] = field(default_factory=dict)
    tally: Tally = field(default_factory=Tally)

    def load(self, rows: Iterable[Callable[[], Any]]) -> "Shop":
        for row in rows:
            try:
                self._load(*judge(row()))
            except BadRowError as reason:
                self.tally.refuse(str(reason))
        return self

    def _load(self, key: str, new: Standing) -> None:
        old = self.standing.get(key)
        if old is None:
            self.standing[key] = new
            self.tally.count("inserted")
            return
        new.occurred = old.occurred = min(old.occurred, new.occurred)
        if new.content == old.content:
            old.recency = max(old.recency, new.recency)
            self.tally.count("unchanged")
        elif new.recency > old.recency:
            self.standing[key] = new
            self.tally.count("updated")
        elif new.recency == old.recency:
            self.tally.refuse("conflicting_duplicate")
        else:
            self.tally.count("superseded")

    def amounts(self) -> dict[str, Decimal]:
        sums: dict[str, Decimal] = {}
        for row in self.standing.values():
            sums[row.content[3]] = sums.get(row.content[3], Decimal(0)) + row.content[2]
        return sums

    def flags(self, rates: Mapping[date, Mapping[str, Decimal]]) -> Counter[str]:
        flags = Counter(flag for row in self.standing.values() for flag in row.flags)
        flags["missing_rate"] = sum(rate_on(rates, row) is None for row in self.standing.values())
        return flags

    def net_revenue(self, rates: Mapping[date, Mapping[str, Decimal]]) -> Decimal:
        net = Decimal(0)
        for row in self.standing.values():
            amount, status, rate = row.content[2], row.content[5], rate_on(rates, row)
            if rate is None:
                continue
            worth = (amount * rate).quantize(CENT, ROUND_HALF_UP)
            gross = worth if amount > 0 and status in ("completed", "refunded") else Decimal(0)
            refund = abs(worth) if amount < 0 or status == "refunded" else Decimal(0)
            net += gross - refund
        return net


def read_rates(directory: Path) -> dict[date, dict[str, Decimal]]:
    rates: dict[date, dict[str, Decimal]] = {}
    with (directory / "fx_rates.csv").open(newline="") as file:
        for row in csv.DictReader(file):
            rates.setdefault(date.fromisoformat(row["date"]), {})[row["currency"]] = Decimal(row["rate"])
    return rates


def rate_on(rates: Mapping[date, Mapping[str, Decimal]], row: Standing) -> Decimal | None:
    if row.content[3] == "GBP":
        return Decimal(1)
    days = (row.occurred.date() - timedelta(days=n) for n in range(8))
    return next((rates[day][row.content[3]] for day in days if row.content[3] in rates.get(day, {})), None)


def evaluate(directory: Path) -> dict[str, Any]:
    """The expectation in the shape of truth.json, from the files alone."""
    rates = read_rates(directory)
    shop = Shop().load(received(directory))
    flags = shop.flags(rates)
    return {
        "transactions": {
            **shop.tally.as_json(),
            "amount": {currency: str(total.quantize(CENT)) for currency, total in shop.amounts().items()},
            "flags": {name: flags[name] for name in ("naive_time", "guest", "other_payment", "missing_rate")},
        },
        "days": len({row.occurred.date() for row in shop.standing.values()}),
        "net_revenue_base": str(shop.net_revenue(rates).quantize(CENT)),
    }


@dataclass(frozen=True)
class Wanted:
    transactions: int
    dirt: float | dict[str, float]
    seed: int
    days: int
    files: int
    shapes: list[str]

    def write(self, directory: Path) -> dict[str, Any]:
        """Generate, and read the truth back from the file as any reader would."""
        generate(
            directory,
            transactions=self.transactions,
            users=60,
            products=25,
            dirt=self.dirt,
            seed=self.seed,
            days=self.days,
            start=START,
            files=self.files,
            shapes=self.shapes,
        )
        truth: dict[str, Any] = json.loads((directory / "truth.json").read_text())
        return truth


DIRT = st.one_of(
    st.floats(0, 1),
    st.dictionaries(st.sampled_from(DIRT_KINDS), st.floats(0, 0.2), max_size=5),
    st.sampled_from(DIRT_KINDS).map(lambda kind: {kind: 1.0}),
)
WANTED = st.builds(
    Wanted,
    transactions=st.integers(5, 400),
    dirt=DIRT,
    seed=st.integers(),
    days=st.integers(1, 40),
    files=st.integers(1, 4),
    shapes=st.lists(st.sampled_from(sorted(SHAPES)), min_size=1, max_size=4),
)


@settings(max_examples=60, deadline=None)
@given(wanted=WANTED)
def test_an_independent_evaluator_finds_the_same_truth(wanted: Wanted) -> None:
    with TemporaryDirectory() as directory:
        truth = wanted.write(Path(directory))
        found = evaluate(Path(directory))
        assert {name: truth[name] for name in found} == found


@settings(max_examples=25, deadline=None)
@given(wanted=WANTED, order=st.randoms(use_true_random=False))
def test_the_counts_do_not_depend_on_the_order_of_arrival(wanted: Wanted, order: Random) -> None:
    with TemporaryDirectory() as directory:
        truth = wanted.write(Path(directory))["transactions"]
        rows = list(received(Path(directory)))
        order.shuffle(rows)
        found = Shop().load(rows).tally.as_json()
        assert {name: truth[name] for name in found} == found


@pytest.mark.parametrize("kind", [f"transactions.{kind}" for kind in ("duplicate_later", "settled_order", "lifecycle")])
@pytest.mark.parametrize("days", [1, 2, 3])
def test_an_order_that_moves_past_midnight_belongs_to_its_first_day(tmp_path: Path, kind: str, days: int) -> None:
    truth = Wanted(600, {kind: 0.9}, 3, days, 1, ["ndjson"]).write(tmp_path)
    found = evaluate(tmp_path)
    assert {name: truth[name] for name in found} == found


@pytest.mark.parametrize("seed", range(3))
def test_the_amounts_do_not_depend_on_the_order_when_no_amount_is_disputed(tmp_path: Path, seed: int) -> None:
    kinds = [kind for kind in DIRT_KINDS if kind.startswith("transactions.") and "conflicting" not in kind]
    wanted = Wanted(800, dict.fromkeys(kinds, 0.9 / len(kinds)), seed, 9, 2, ["ndjson"])
    truth = wanted.write(tmp_path)
    rows = list(received(tmp_path))
    Random(seed).shuffle(rows)  # noqa: S311 - an order, not a secret
    shop = Shop().load(rows)
    assert {currency: str(total.quantize(CENT)) for currency, total in shop.amounts().items()} == truth["transactions"][
        "amount"
    ]
    assert str(shop.net_revenue(read_rates(tmp_path))) == truth["net_revenue_base"]
    assert len({row.occurred.date() for row in shop.standing.values()}) == truth["days"]
