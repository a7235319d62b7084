"""A bounded slice of `make fuzz`, and that the fuzzer sees what it is there to see."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from random import Random
from typing import Any

import pytest

from shared.domain import records
from shared.domain.cutting import Piece, pieces_of_lines
from shared.errors import UnsupportedFile
from tests.fuzz import readers
from tests.fuzz.run import made, report, run_part

SEED = 20_260_301
INPUTS = 3_000
LINES = range(0, 600, len(readers.READERS))
"""Inputs of the reader of lines."""


def test_no_input_of_the_slice_loses_a_byte_or_raises_what_is_not_ours() -> None:
    totals = run_part(SEED, range(INPUTS))
    assert not any(tally.failures for tally in totals.values()), report(totals, SEED)
    assert {name: tally.inputs for name, tally in totals.items()} == dict.fromkeys(readers.READERS, 250)


def test_an_input_is_the_same_each_time_and_another_with_another_seed() -> None:
    def data(seed: int) -> list[bytes]:
        return [made(seed, number)[1] for number in range(30)]

    assert data(SEED) == data(SEED) != data(SEED + 1)


def test_a_byte_that_is_passed_over_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    between = b'[{"a":1}:{"b":2}]'
    assert readers.records(between, Random(1)) == 0  # noqa: S311
    monkeypatch.setattr(records, "_GAP", re.compile(r"[\s,:\ufeff]*"))
    assert readers.records(between, Random(1)) > 0  # noqa: S311


def test_pieces_that_depend_on_the_blocks_are_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    def block_by_block(blocks: Iterable[bytes], limits: Any, start: Any, broken: Any) -> Iterator[Piece]:
        for block in blocks:
            yield from pieces_of_lines([block], limits, start, broken)

    monkeypatch.setattr(readers, "pieces_of_lines", block_by_block)
    assert run_part(SEED, LINES)["lines"].broken > 10


@pytest.mark.parametrize(("error", "foreign"), [(KeyError("x"), len(LINES)), (UnsupportedFile("x", "y"), 0)])
def test_an_exception_is_a_failure_and_one_that_is_not_ours_is_counted_so(
    monkeypatch: pytest.MonkeyPatch, error: Exception, foreign: int
) -> None:
    def refuse(*_: object) -> int:
        raise error

    monkeypatch.setitem(readers.READERS, "lines", (readers.READERS["lines"][0], refuse))
    tally = run_part(SEED, LINES)["lines"]
    assert (tally.foreign, len(tally.failures)) == (foreign, 5)
    assert f"--seed {SEED} --only {LINES[0]}" in report({"lines": tally}, SEED)
