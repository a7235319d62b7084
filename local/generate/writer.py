"""Writing a data set to a directory: every source, and last of all the truth about it."""

import gzip
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from io import BufferedWriter
from pathlib import Path
from random import Random
from zlib import crc32

from local.generate.products import ProductList
from local.generate.sales import Books, Till
from local.generate.schedule import Schedule
from local.generate.shares import ROWS_PER_KIND, quotas, spread
from local.generate.stream import NOT_IN_ARRAYS, TransactionStream
from local.generate.truth import HUNDREDTH, SourceTruth, Truth
from local.generate.users import UserList
from local.generate.world import RATE_SCALE, World, make_world, split

SHAPES: Mapping[str, str] = {"ndjson": ".ndjson", "array": ".json", "gz": ".ndjson.gz"}


def generate(
    directory: Path,
    *,
    transactions: int,
    users: int,
    products: int,
    dirt: float | Mapping[str, float],
    seed: int,
    days: int,
    start: date,
    files: int = 1,
    shapes: Sequence[str] = ("ndjson",),
) -> Truth:
    """Write a data set and return what loading it into an empty system must give.

    `transactions`, `users` and `products` are rows received. All times lie in the `days` days from `start`. `dirt` is a
    share of the rows: one number over all kinds, or a share by kind (see DIRT_KINDS) or source. A chunk with more than
    half of its rows bad would be held for an operator, so keep the shares of what is quarantined below that. `shapes`
    are given to the transaction files in turn: `ndjson`, `array` (one JSON array), `gz`. The same arguments give the
    same bytes.
    """
    _check(transactions, users, products, days, files, shapes)
    shares = spread(dirt)
    _make_empty(directory)
    textless = all(shape == "array" for shape in shapes[:files])
    plan = {
        "transactions": quotas(shares, "transactions", transactions, without=NOT_IN_ARRAYS if textless else ()),
        "users": quotas(shares, "users", users),
        "products": quotas(shares, "products", products),
    }
    run = _Run(directory, seed, days, start, plan, {"transactions": transactions, "users": users, "products": products})
    truth = run.write(files, shapes)
    text = json.dumps(truth.as_json(), indent=2) + "\n"
    (directory / "truth.json").write_text(text, encoding="utf-8")
    return truth


@dataclass(slots=True)
class _Run:
    """One run of the generator: what is shared between the sources while they are written."""

    directory: Path
    seed: int
    days: int
    start: date
    plan: Mapping[str, Mapping[str, int]]
    rows: Mapping[str, int]
    dirt: Counter[str] = field(default_factory=Counter)
    files: dict[str, int] = field(default_factory=dict)

    def write(self, files: int, shapes: Sequence[str]) -> Truth:
        """Users and products first: which of them will stand decides which ones transactions must infer."""
        schedules = {source: self._schedule(source) for source in self.plan}
        loaded = {source: bytearray(schedules[source].units) for source in ("users", "products")}
        world = make_world(self._rng("world"), start=self.start, days=self.days, products=len(loaded["products"]))
        user_counts, product_counts = SourceTruth(), SourceTruth()
        people = UserList(
            self._rng("users"),
            schedules["users"],
            self.start,
            self.rows["users"],
            user_counts,
            self.dirt,
            loaded["users"],
        )
        self._write_text("users.csv", people.lines(), user_counts)
        goods = ProductList(
            self._rng("products"),
            schedules["products"],
            self.start,
            self.rows["products"],
            world.prices,
            product_counts,
            self.dirt,
            loaded["products"],
        )
        self._write_text("products.ndjson", goods.lines(), product_counts)
        rates = SourceTruth()
        self._write_text("fx_rates.csv", _rate_lines(world, rates), rates)
        books = Books(world, bytearray(len(loaded["users"])), bytearray(len(loaded["products"])))
        self._write_transactions(books, schedules["transactions"], files, shapes)
        return self._truth(books, user_counts, product_counts, rates, loaded)

    def _write_transactions(self, books: Books, schedule: Schedule, files: int, shapes: Sequence[str]) -> None:
        """Arrays first: dirt that cannot stand in an array then still finds a place in the files that follow."""
        till = Till(
            self._rng("transactions"),
            books.world,
            f"{crc32(str(self.seed).encode()) & 0xFFFFFF:06x}",
            len(books.named_users),
        )
        stream = TransactionStream(till, books, schedule, self.rows["transactions"])
        named = list(zip(transaction_files(files, shapes), split(self.rows["transactions"], files), strict=True))
        for (name, shape), rows in sorted(named, key=lambda entry: entry[0][1] != "array"):
            lines = stream.lines(rows, array=shape == "array")
            with (self.directory / name).open("wb") as file:
                _write_shape(file, lines, shape)
            self.files[name] = rows
        self.dirt.update({f"transactions.{kind}": count for kind, count in stream.dirt.items()})

    def _truth(
        self,
        books: Books,
        users: SourceTruth,
        products: SourceTruth,
        rates: SourceTruth,
        loaded: Mapping[str, bytearray],
    ) -> Truth:
        money = {currency: Decimal(cents) * HUNDREDTH for currency, cents in books.cents.items()}
        flags = {name: books.flags[name] for name in ("naive_time", "guest", "other_payment", "missing_rate")}
        return Truth(
            transactions=books.counts,
            users=users,
            products=products,
            fx_rates=rates,
            amount=money,
            flags=flags,
            inferred={
                "users": books.strange_users + _named_but_absent(books.named_users, loaded["users"]),
                "products": books.strange_products + _named_but_absent(books.named_products, loaded["products"]),
            },
            days=sum(books.day_seen),
            net_revenue_base=Decimal(books.net_cents) * HUNDREDTH,
            net_revenue_base_unrounded=Decimal(books.net_exact) * HUNDREDTH / RATE_SCALE,
            files=self.files,
            dirt=self.dirt,
        )

    def _schedule(self, source: str) -> Schedule:
        sizes = dict(ROWS_PER_KIND[source]) | {"blank_line": 0}
        return Schedule(self._rng(f"schedule of {source}"), self.plan[source], sizes, self.rows[source])

    def _rng(self, purpose: str) -> Random:
        """A generator of its own for each purpose, so that more users do not change the transactions' dirt."""
        return Random(f"{self.seed} {purpose}")  # noqa: S311 - made-up data, nothing secret

    def _write_text(self, name: str, lines: Iterable[str], counts: SourceTruth) -> None:
        with (self.directory / name).open("w", encoding="utf-8", newline="") as file:
            file.writelines(lines)
        self.files[name] = counts.received


def transaction_files(files: int, shapes: Sequence[str]) -> list[tuple[str, str]]:
    """The names of the transaction files with their shapes."""
    if files == 1:
        return [(f"transactions{SHAPES[shapes[0]]}", shapes[0])]
    taken = [shapes[n % len(shapes)] for n in range(files)]
    return [(f"transactions-{n:04d}{SHAPES[shape]}", shape) for n, shape in enumerate(taken, 1)]


def _rate_lines(world: World, counts: SourceTruth) -> Iterator[str]:
    yield "date,currency,rate\n"
    for day, currency, rate in world.published_rates:
        counts.insert()
        yield f"{day.isoformat()},{currency},{rate // RATE_SCALE}.{rate % RATE_SCALE:06d}\n"


def _write_shape(file: BufferedWriter, lines: Iterator[bytes], shape: str) -> None:
    """No name and no time in the gzip header: the same seed must give the same bytes."""
    if shape == "array":
        file.writelines(_as_array(lines))
    elif shape == "gz":
        with (
            closing(gzip.GzipFile("", "wb", 6, file, mtime=0)) as packed,
            BufferedWriter(packed, 1 << 20) as out,
        ):
            out.writelines(lines)
    else:
        file.writelines(lines)


def _as_array(lines: Iterator[bytes]) -> Iterator[bytes]:
    before = b"[\n"
    for line in lines:
        yield before + line.rstrip(b"\n")
        before = b",\n"
    yield b"\n]\n"


def _named_but_absent(named: bytearray, loaded: bytearray) -> int:
    return sum(1 for said, there in zip(named, loaded, strict=True) if said and not there)


def _make_empty(directory: Path) -> None:
    directory.mkdir(parents=True, exist_ok=True)
    if any(directory.iterdir()):
        raise FileExistsError(
            f"{directory} is not empty: files of another data set would falsify the truth; name a new directory"
        )


def _check(transactions: int, users: int, products: int, days: int, files: int, shapes: Sequence[str]) -> None:
    least_one = {"transactions": transactions, "users": users, "products": products, "days": days, "files": files}
    wrong = [f"{name} is {value}" for name, value in least_one.items() if value < 1]
    wrong += [f"shape {shape!r} is not one of {', '.join(SHAPES)}" for shape in shapes if shape not in SHAPES]
    if not shapes:
        wrong.append("no shape is given")
    if files > transactions:
        wrong.append(f"{files} files cannot share {transactions} transactions")
    if wrong:
        raise ValueError(f"cannot generate: {'; '.join(wrong)}; counts must be at least 1")
