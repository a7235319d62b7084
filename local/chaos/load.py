"""What flows while things break: every source in every shape, with the outcome of each row known beforehand.

A round's rows have ids and days of their own, so that its truth adds to the earlier ones. Its files share ids among
each other: an order's events are spread over files and messages, and half of it is the generator's dirt.
"""

from __future__ import annotations

import gzip
import json
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any, Literal

from local.generate import Truth, generate

FIRST_DAY = date(2024, 1, 1)
DAYS = 5
APART = 14
"""Days from round to round: five of sales, and a week of rates before them."""
DIRT = {
    "transactions": 0.3,
    "users": 0.15,
    "products": 0.1,
    "transactions.conflicting_duplicate": 0.0,
    "users.conflicting_duplicate": 0.0,
    "users.quoted_newline": 0.0,
}
"""Which of two contents stands depends on the order of arrival, so a conflict is made here, over what is no money; and
lists are cut into several files, line by line."""
PARTS = 4
CHUNK_ROWS = 100
"""Small chunks make many steps; fewer rows could not be held."""


Kind = Literal["file", "message", "catalogue"]


@dataclass(frozen=True)
class Item:
    """Something that comes in: a file in the landing bucket, a message, or a new catalogue of the product API."""

    kind: Kind
    name: str
    data: bytes


@dataclass
class Expected:
    """What must have become of all rows so far, and the money that stands."""

    outcomes: dict[str, Counter[str]] = field(default_factory=dict)
    amount: Counter[str] = field(default_factory=Counter)
    net: Decimal = Decimal(0)

    def add(self, truth: Truth) -> None:
        """Add a generated data set. Nobody knows how often the catalogue is read: of products only the keys count."""
        for source in ("transactions", "users", "fx_rates", "products"):
            counts: dict[str, Any] = truth.as_json()[source]
            names = ("received", "inserted", "updated_or_superseded", "unchanged", "quarantined")
            self.book(source, **{name: counts[name] for name in (names if source != "products" else ("inserted",))})
        for currency, amount in truth.amount.items():
            self.money(currency, amount)
        self.net += truth.net_revenue_base

    def book(self, source: str, **counts: int) -> None:
        """Add rows by outcome."""
        self.outcomes.setdefault(source, Counter()).update(counts)

    def money(self, currency: str, amount: Decimal) -> None:
        """Add an amount that will stand; in hundredths, which are whole."""
        self.amount[currency] += int(amount * 100)


def make_round(folder: Path, seed: str, number: int, rows: int, expected: Expected) -> list[Item]:
    """The items of one round, in an order drawn from the seed; what they must come to is added to `expected`."""
    dice = Random(f"{seed} load {number}")  # noqa: S311 - chance for tests
    truth = generate(
        folder, transactions=rows, users=max(20, rows // 20), products=max(10, rows // 100), dirt=DIRT,
        seed=dice.randrange(1 << 30), days=DAYS, start=FIRST_DAY + timedelta(days=APART * number), files=4,
        shapes=("ndjson", "array", "gz", "ndjson"),
    )  # fmt: skip
    expected.add(truth)
    items = [*_files(folder, number), *_crafted(number, expected)]
    dice.shuffle(items)
    return items


def _files(folder: Path, number: int) -> Iterator[Item]:
    mark = f"{number:03d}"
    for path in sorted(folder.glob("*.*")):
        source = path.name.partition(".")[0].partition("-")[0]
        data = path.read_bytes()
        packed = path.suffix == ".gz"
        data = _marked(gzip.decompress(data) if packed else data, mark)
        if source == "products":
            yield Item("catalogue", path.name, _updated_now(data))
        elif path.name.startswith("transactions-0004"):
            yield from _as_messages(data, mark)
        elif source in ("users", "fx_rates"):
            yield from _as_parts(source, data, mark)
        elif source != "truth":
            kept = gzip.compress(data, mtime=0) if packed else data
            yield Item("file", f"{source}/{mark}-{path.name}", kept)


def _as_parts(source: str, data: bytes, mark: str) -> Iterator[Item]:
    """A list in several files, each with the header."""
    header, *lines = data.splitlines(keepends=True)
    for n in range(PARTS):
        part = lines[len(lines) * n // PARTS : len(lines) * (n + 1) // PARTS]
        yield Item("file", f"{source}/{mark}-{n}.csv", b"".join([header, *part]))


def _marked(data: bytes, mark: str) -> bytes:
    """Users and products of this round alone; transactions have the mark of their seed."""
    return re.sub(rb"\b([UP])(\d{6,7})\b", rb"\g<1>" + mark.encode() + rb"x\2", data)


def _updated_now(data: bytes) -> bytes:
    """The API is asked for what changed lately."""
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return re.sub(rb'("updated_at":")[^"]*', rb"\g<1>" + now.encode(), data)


def _as_messages(data: bytes, mark: str) -> Iterator[Item]:
    """One to a dozen objects each. A line that is none goes into a file: a message may be an array of several rows."""
    lines = [line for line in data.splitlines(keepends=True) if line.strip()]
    batch: list[bytes] = []
    for line in filter(_is_object, lines):
        batch.append(line)
        if len(batch) > sum(batch[0]) % 12:
            yield Item("message", "orders", b"".join(batch))
            batch = []
    if batch:
        yield Item("message", "orders", b"".join(batch))
    yield Item("file", f"transactions/{mark}-broken.ndjson", b"".join(x for x in lines if not _is_object(x)))


def _is_object(line: bytes) -> bool:
    try:
        return isinstance(json.loads(line), dict) and b"NaN" not in line
    except ValueError:
        return False


def _crafted(number: int, expected: Expected) -> Iterator[Item]:
    """What the generator does not make: a held message, a held file, empty files, and two events that conflict."""
    places: list[tuple[Kind, str]] = [("message", "held")]
    places += [("file", f"transactions/{number:03d}-held-{n}.ndjson") for n in range(PARTS)]
    for kind, name in places:
        rows = [_sale(f"{name}-{number}-{n}", number, amount="x" if n % 3 else "1") for n in range(CHUNK_ROWS)]
        yield Item(kind, name, b"".join(rows))
        expected.book("transactions", received=CHUNK_ROWS, held=CHUNK_ROWS)
    for n in range(PARTS):
        yield Item("file", f"transactions/{number:03d}-empty-{n}.ndjson", b"")
    for method in ("card", "paypal"):
        yield Item("message", f"conflict-{method}", _sale(f"conflict-{number}", number, payment_method=method))
    expected.book("transactions", received=2, inserted=1, quarantined=1)
    expected.money("GBP", Decimal("5.00"))
    expected.net += Decimal("5.00")


def _sale(identity: str, number: int, **changes: str) -> bytes:
    day = FIRST_DAY + timedelta(days=APART * number)
    fields = {
        "transaction_id": identity, "user_id": None, "product_id": f"P{number:03d}x000000", "amount": "5.00",
        "currency": "GBP", "timestamp": f"{day.isoformat()}T10:00:00Z", "payment_method": "card", "status": "completed",
    }  # fmt: skip
    return json.dumps({**fields, **changes}).encode() + b"\n"
