"""The generator: what was asked for is written, the truth adds up, and the same seed gives the same bytes."""

import csv
import gzip
import hashlib
import json
import tracemalloc
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local.generate import DIRT_KINDS, Truth, generate
from local.generate.shares import ROWS_PER_KIND, quotas, spread
from local.generate.stream import HEAD

START = date(2026, 1, 10)
QUARANTINE_ONLY = ("missing_amount", "unknown_status", "negative_amount", "timestamp_out_of_range", "not_an_object")


def make(
    directory: Path,
    *,
    transactions: int = 2000,
    users: int = 300,
    products: int = 60,
    dirt: float | Mapping[str, float] = 0.3,
    seed: int = 11,
    days: int = 6,
    files: int = 1,
    shapes: Sequence[str] = ("ndjson",),
) -> Truth:
    return generate(
        directory,
        transactions=transactions,
        users=users,
        products=products,
        dirt=dirt,
        seed=seed,
        days=days,
        start=START,
        files=files,
        shapes=shapes,
    )


def fingerprint(directory: Path) -> dict[str, str]:
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(directory.iterdir())}


def transactions_in(path: Path) -> list[dict[str, str]]:
    rows: list[dict[str, str]] = [json.loads(line) for line in path.read_bytes().splitlines() if line.strip()]
    return rows


def test_the_same_arguments_give_the_same_bytes_in_every_file(tmp_path: Path) -> None:
    for name in ("one", "two"):
        make(tmp_path / name, files=3, shapes=("ndjson", "array", "gz"))
    assert fingerprint(tmp_path / "one") == fingerprint(tmp_path / "two")


def test_another_seed_gives_other_orders_with_other_ids(tmp_path: Path) -> None:
    make(tmp_path / "one", dirt=0, seed=1)
    make(tmp_path / "two", dirt=0, seed=2)
    one, two = (
        {row["transaction_id"] for row in transactions_in(tmp_path / name / "transactions.ndjson")}
        for name in ("one", "two")
    )
    assert len(one) == len(two) == 2000
    assert not one & two


def test_every_received_row_has_exactly_one_outcome(tmp_path: Path) -> None:
    truth = make(tmp_path)
    for source, asked in (("transactions", 2000), ("users", 300), ("products", 60)):
        counts = truth.as_json()[source]
        outcomes = ("inserted", "updated_or_superseded", "unchanged", "quarantined")
        assert counts["received"] == asked == sum(counts[name] for name in outcomes)
        assert counts["quarantined"] == sum(counts["quarantine_reasons"].values())


def test_truth_json_says_what_generate_returns(tmp_path: Path) -> None:
    truth = make(tmp_path)
    assert json.loads((tmp_path / "truth.json").read_text()) == truth.as_json()


def test_clean_data_is_inserted_row_by_row(tmp_path: Path) -> None:
    truth = make(tmp_path, dirt=0)
    assert (truth.transactions.inserted, truth.users.inserted, truth.products.inserted) == (2000, 300, 60)
    assert not truth.dirt
    assert truth.inferred == {"users": 0, "products": 0}


def test_one_share_brings_every_kind_of_dirt(tmp_path: Path) -> None:
    truth = make(tmp_path, transactions=4000, users=600, products=120, dirt=0.4)
    assert set(truth.dirt) == set(DIRT_KINDS)


@pytest.mark.parametrize("kind", DIRT_KINDS)
def test_each_kind_takes_the_share_that_was_chosen(tmp_path: Path, kind: str) -> None:
    source, name = kind.split(".")
    sizes = dict.fromkeys(ROWS_PER_KIND, 1) | {source: 500}
    truth = make(
        tmp_path,
        transactions=sizes["transactions"],
        users=sizes["users"],
        products=sizes["products"],
        dirt={kind: 0.1},
    )
    assert truth.dirt == {kind: int(50 / ROWS_PER_KIND[source][name])}


@pytest.mark.parametrize("name", QUARANTINE_ONLY)
def test_a_kind_that_is_refused_fills_the_quarantine_to_the_row(tmp_path: Path, name: str) -> None:
    truth = make(tmp_path, dirt={f"transactions.{name}": 0.25})
    assert truth.transactions.quarantined == 500
    assert truth.transactions.inserted == 1500


def test_a_source_can_be_given_a_share_beside_one_of_its_kinds(tmp_path: Path) -> None:
    truth = make(tmp_path, users=1000, dirt={"users": 0.14, "users.duplicate": 0.2})
    assert truth.dirt["users.duplicate"] == 100
    assert sum(truth.dirt.values()) - 100 in range(129, 141)
    assert {kind.split(".")[0] for kind in truth.dirt} == {"users"}


@given(dirt=st.floats(0, 1), rows=st.integers(0, 50_000))
def test_whole_numbers_of_each_kind_lose_no_more_than_the_last_few_rows(dirt: float, rows: int) -> None:
    shares = spread(dirt)
    for source, sizes in ROWS_PER_KIND.items():
        taken = sum(count * sizes[kind] for kind, count in quotas(shares, source, rows).items())
        assert 0 <= Fraction(str(dirt)) * rows - taken < max(sizes.values())


@pytest.mark.parametrize(
    ("dirt", "complaint"),
    [
        ({"transactions.lightning": 0.1}, "unknown kinds of dirt: transactions.lightning"),
        ({"users.duplicate": -0.1}, "must not be negative"),
        ({"users.duplicate": 0.7, "users.invalid_tier": 0.6}, "add up to 1.3"),
        (1.5, "add up to 1.5"),
    ],
)
def test_impossible_shares_are_refused_before_anything_is_written(
    tmp_path: Path, dirt: float | Mapping[str, float], complaint: str
) -> None:
    with pytest.raises(ValueError, match=complaint):
        make(tmp_path / "new", dirt=dirt)
    assert not (tmp_path / "new").exists()


def test_impossible_sizes_are_named_all_at_once(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"users is 0.*days is -1.*shape 'xml'.*7 files cannot share 3"):
        make(tmp_path, transactions=3, users=0, days=-1, files=7, shapes=("xml",))


def test_a_directory_with_other_files_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "transactions.ndjson").write_text("mine")
    with pytest.raises(FileExistsError, match="name a new directory"):
        make(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["transactions.ndjson"]


def test_files_take_their_shapes_in_turn_and_share_the_rows(tmp_path: Path) -> None:
    truth = make(tmp_path, transactions=1001, files=4, shapes=("ndjson", "array", "gz"), dirt=0)
    files = {name: rows for name, rows in truth.files.items() if name.startswith("transactions")}
    assert set(files) == {
        "transactions-0001.ndjson",
        "transactions-0002.json",
        "transactions-0003.ndjson.gz",
        "transactions-0004.ndjson",
    }
    assert sum(files.values()) == 1001
    assert len(json.loads((tmp_path / "transactions-0002.json").read_text())) == files["transactions-0002.json"]
    packed = gzip.decompress((tmp_path / "transactions-0003.ndjson.gz").read_bytes())
    assert packed.count(b"\n") == files["transactions-0003.ndjson.gz"]


def test_a_json_array_stays_readable_whatever_dirt_is_asked_for(tmp_path: Path) -> None:
    truth = make(tmp_path, dirt=1.0, shapes=("array",))
    assert len(json.loads((tmp_path / "transactions.json").read_text())) == 2000
    assert "transactions.cut_off_line" not in truth.dirt
    assert truth.dirt["transactions.not_an_object"] > 0


def test_dirt_that_no_array_can_hold_goes_to_the_other_files(tmp_path: Path) -> None:
    truth = make(tmp_path, dirt={"transactions.cut_off_line": 0.1}, files=2, shapes=("ndjson", "array"))
    assert truth.dirt == {"transactions.cut_off_line": 200}
    assert json.loads((tmp_path / "transactions-0002.json").read_text())


def test_disputed_amounts_stand_side_by_side_near_the_head_of_a_file(tmp_path: Path) -> None:
    files = 12
    make(tmp_path, transactions=12_000, files=files, dirt={"transactions.conflicting_duplicate": 0.5})
    places: dict[str, list[tuple[int, int, str]]] = {}
    for file in range(1, files + 1):
        for line, row in enumerate(transactions_in(tmp_path / f"transactions-{file:04d}.ndjson")):
            places.setdefault(row["transaction_id"], []).append((file, line, row["amount"]))
    pairs = [pair for pair in places.values() if len(pair) > 1]
    disputed = [(one, two) for one, two in pairs if one[2] != two[2]]
    assert len(pairs) == 3000
    assert len(disputed) > 500
    assert all(one[:2] == (two[0], two[1] - 1) and two[1] <= HEAD for one, two in disputed)


def test_far_from_the_head_of_a_file_no_amount_is_disputed(tmp_path: Path) -> None:
    make(tmp_path, transactions=HEAD + 2000, dirt={"transactions.conflicting_duplicate": 0.5})
    rows = transactions_in(tmp_path / "transactions.ndjson")
    amounts = {row["transaction_id"]: row["amount"] for row in rows[:HEAD]}
    later = [
        row for row in rows[HEAD + 1 :] if amounts.setdefault(row["transaction_id"], row["amount"]) != row["amount"]
    ]
    assert not later


def test_all_times_lie_in_the_period_and_every_day_has_sales(tmp_path: Path) -> None:
    truth = make(tmp_path, days=5, dirt={"transactions.lifecycle": 0.3, "transactions.late": 0.3})
    moments = [datetime.fromisoformat(row["timestamp"]) for row in transactions_in(tmp_path / "transactions.ndjson")]
    first = datetime(START.year, START.month, START.day, tzinfo=UTC)
    assert first <= min(moments)
    assert max(moments) < first + timedelta(days=5)
    assert truth.days == 5


def test_sales_look_like_a_shop(tmp_path: Path) -> None:
    make(tmp_path, transactions=20_000, users=2000, products=500, dirt=0)
    rows = transactions_in(tmp_path / "transactions.ndjson")
    by_product = Counter(row["product_id"] for row in rows).most_common()
    hours = Counter(row["timestamp"][11:13] for row in rows)
    assert sum(count for _, count in by_product[:50]) > len(rows) * 0.4
    assert hours["20"] > 5 * hours["04"]
    assert {row["currency"] for row in rows} == {"GBP", "EUR", "USD", "SEK", "JPY"}
    yen = [row["amount"] for row in rows if row["currency"] == "JPY"]
    assert all(isinstance(amount, int) for amount in yen)


def test_every_sale_day_has_a_rate_on_it_or_before_it(tmp_path: Path) -> None:
    make(tmp_path, days=10)
    with (tmp_path / "fx_rates.csv").open(newline="") as file:
        rates = list(csv.DictReader(file))
    assert {row["currency"] for row in rates} == {"EUR", "USD", "SEK", "JPY"}
    assert min(row["date"] for row in rates) < START.isoformat()
    assert all(float(row["rate"]) > 0 for row in rates)


def test_memory_does_not_grow_with_the_number_of_transactions(tmp_path: Path) -> None:
    peaks = []
    for rows in (1_000, 3_000):
        tracemalloc.start()
        make(tmp_path / str(rows), transactions=rows, users=50, products=20, dirt=0.4)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < peaks[0] + 100_000
