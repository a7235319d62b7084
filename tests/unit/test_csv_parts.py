"""A CSV in parts: each is whole and none too large, and together they hold each record once, in its order."""

from __future__ import annotations

import csv
import io
import itertools
from collections.abc import Iterable, Iterator, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.adapters.csv_parts import PART_BYTES, Parts
from shared.adapters.memory import MemoryStore
from shared.errors import Inconsistent
from tests.unit.judging import few

HEADER = ["id", "note"]
TWO = [["1", "one"], ["2", "two"]]
LAKE = "lake"
NASTY = st.text(alphabet='a",\n\r\\é', max_size=12)
"""Texts of what a cut could break: quotes, line ends, commas, letters of two bytes."""


def line(record: Sequence[str]) -> bytes:
    out = io.StringIO()
    csv.writer(out, quoting=csv.QUOTE_ALL, lineterminator="\n").writerow(record)
    return out.getvalue().encode()


def write(store: MemoryStore, records: Iterable[Sequence[str]], most: int) -> list[str]:
    with Parts(store, LAKE, "feed/7/users", most) as parts:
        for record in itertools.chain([HEADER], records):
            assert parts.write(line(record)) == len(line(record))
    return parts.names


def written(records: Iterable[Sequence[str]], most: int) -> tuple[MemoryStore, list[str]]:
    store = MemoryStore()
    return store, write(store, records, most)


def read(data: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(data.decode(), newline="")))


@few
@given(st.lists(st.tuples(NASTY, NASTY), max_size=20), st.integers(1, 120))
def test_the_parts_hold_each_record_once_and_in_order_each_with_the_header(
    records: list[tuple[str, str]], most: int
) -> None:
    store, names = written(records, most)
    assert names == sorted(store.names(LAKE), key=names.index)
    parts = [store.read(LAKE, name) for name in names]
    tables = [read(part) for part in parts]
    assert all(table[0] == HEADER for table in tables)
    assert [tuple(row) for table in tables for row in table[1:]] == records
    assert all(len(part) <= most or len(table) <= 2 for part, table in zip(parts, tables, strict=True))
    for table, following in itertools.pairwise(tables):  # no part ends before it must
        assert sum(len(line(row)) for row in (*table, following[1])) > most


@pytest.mark.parametrize("spare", [-1, 0, 1])
def test_a_record_with_line_ends_and_quotes_at_the_cut_goes_to_one_part_as_a_whole(spare: int) -> None:
    first, at_the_cut, last = ["1", "one"], ["2", 'two\n"lines",\n'], ["3", "x"]
    most = sum(len(line(record)) for record in (HEADER, first, at_the_cut)) + spare
    store, names = written([first, at_the_cut, last], most)
    there = [[row[0] for row in read(store.read(LAKE, name))[1:]] for name in names]
    assert there == ([["1"], ["2", "3"]] if spare < 0 else [["1", "2"], ["3"]])


def test_the_first_part_has_the_name_that_an_only_one_has() -> None:
    assert written(TWO, PART_BYTES)[1] == ["feed/7/users.csv"]
    assert written(TWO, 1)[1] == ["feed/7/users.csv", "feed/7/users.2.csv"]


def test_a_part_that_is_being_written_when_something_fails_is_never_there() -> None:
    def failing() -> Iterator[list[str]]:
        yield from TWO
        raise ZeroDivisionError

    store = MemoryStore()
    with pytest.raises(ZeroDivisionError):
        write(store, failing(), 1)
    assert store.names(LAKE) == ["feed/7/users.csv"]


def test_a_part_whose_name_is_taken_is_not_written_over() -> None:
    store = MemoryStore()
    store.put(LAKE, "feed/7/users.csv", b"theirs")
    with pytest.raises(Inconsistent, match="written before"):
        write(store, TWO, 1)
    assert store.read(LAKE, "feed/7/users.csv") == b"theirs"
    assert store.names(LAKE) == ["feed/7/users.csv"]
