"""`make fuzz`: a million mutated inputs through every reader; a table, and exit code 1 where one of them broke a rule.

python -m tests.fuzz.run --inputs 20000 --seed 7          a quick look
python -m tests.fuzz.run --seed 7 --only 1234             one input again
"""

from __future__ import annotations

import argparse
import os
import secrets
import sys
import time
import traceback
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass, field
from functools import cache
from random import Random

from shared.errors import PipelineError
from tests.fuzz.corpus import Corpus, load_corpus
from tests.fuzz.mutating import heap, mutated
from tests.fuzz.readers import READERS

INPUTS = 1_000_000
PART = 5_000
SHOWN = 5


@dataclass
class Failure:
    """One input that broke a rule."""

    reader: str
    number: int
    told: str
    data: bytes


@dataclass
class Tally:
    """What one reader was given, and what came of it."""

    inputs: int = 0
    bytes: int = 0
    foreign: int = 0
    broken: int = 0
    uncovered: int = 0
    seconds: float = 0.0
    failures: list[Failure] = field(default_factory=list)

    def add(self, other: Tally) -> None:
        """Take in another tally."""
        for name in ("inputs", "bytes", "foreign", "broken", "uncovered", "seconds"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.failures += other.failures[: SHOWN - len(self.failures)]


@cache
def corpus() -> Corpus:
    """The corpus, made once in a process."""
    return load_corpus()


def made(seed: int, number: int) -> tuple[str, bytes, Random]:
    """The input of this number: its reader, its bytes, and the chance with which it is checked."""
    rng = Random(f"{seed}:{number}")  # noqa: S311 (repeatable, not secret)
    name = list(READERS)[number % len(READERS)]
    data = heap(rng, corpus().pieces) if rng.random() < 0.1 else READERS[name][0](corpus(), rng)
    return name, mutated(rng, data, corpus().pieces), rng


def try_one(seed: int, number: int, tallies: dict[str, Tally]) -> None:
    """Give one input to its reader."""
    name, data, rng = made(seed, number)
    tally = tallies.setdefault(name, Tally())
    began = time.process_time()
    told = ""
    try:
        if lost := READERS[name][1](data, rng):
            tally.uncovered += lost
            told = f"{lost} bytes are not accounted for"
    except AssertionError as exc:
        tally.broken += 1
        told = f"{exc or traceback.format_exc(limit=-1)}"
    except (Exception, RecursionError) as exc:
        tally.foreign += not isinstance(exc, PipelineError)
        told = "".join(traceback.format_exception(exc, limit=-3))
    tally.seconds += time.process_time() - began
    tally.inputs += 1
    tally.bytes += len(data)
    if told and len(tally.failures) < SHOWN:
        tally.failures.append(Failure(name, number, told, data))


def run_part(seed: int, numbers: range) -> dict[str, Tally]:
    """Some of the inputs, in this process."""
    tallies: dict[str, Tally] = {}
    for number in numbers:
        try_one(seed, number, tallies)
    return tallies


def run(seed: int, inputs: int, processes: int) -> Iterator[tuple[int, dict[str, Tally]]]:
    """All inputs, split over processes: how many are done, and their tallies so far."""
    totals: dict[str, Tally] = {name: Tally() for name in READERS}
    done = 0
    with ProcessPoolExecutor(processes) as pool:
        parts = [range(at, min(at + PART, inputs)) for at in range(0, inputs, PART)]
        for finished in as_completed([pool.submit(run_part, seed, part) for part in parts]):
            for name, tally in finished.result().items():
                totals[name].add(tally)
            done = sum(tally.inputs for tally in totals.values())
            yield done, totals


def report(totals: dict[str, Tally], seed: int) -> str:
    """The table, and the first failures with how to run them again."""
    head = f"{'reader':14}{'inputs':>10}{'bytes':>14}{'foreign':>9}{'broken':>8}{'uncovered':>11}{'CPU s':>9}"
    whole = Tally()
    lines = [head]
    for name, tally in totals.items():
        whole.add(tally)
        lines.append(_line(name, tally))
    lines.append(_line("all", whole))
    for failure in (f for tally in totals.values() for f in tally.failures):
        lines += [
            "", f"{failure.reader}, input {failure.number}: {failure.told.strip()}", f"  hex {failure.data.hex()}",
            f"  again: python -m tests.fuzz.run --seed {seed} --only {failure.number}",
        ]  # fmt: skip
    return "\n".join(lines) + "\n"


def _line(name: str, t: Tally) -> str:
    return f"{name:14}{t.inputs:>10,}{t.bytes:>14,}{t.foreign:>9}{t.broken:>8}{t.uncovered:>11}{t.seconds:>9.1f}"


def main() -> int:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--inputs", type=int, default=INPUTS, help="how many (default 1000000)")
    parser.add_argument("--seed", type=int, default=None, help="default: a new one, printed")
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--only", type=int, default=None, help="the number of one input")
    given = parser.parse_args()
    seed = secrets.randbelow(1 << 32) if given.seed is None else given.seed
    began = time.perf_counter()
    totals: dict[str, Tally] = {}
    if given.only is not None:
        try_one(seed, given.only, totals)
    else:
        sys.stderr.write(f"seed {seed}\n")
        for done, totals in run(seed, given.inputs, given.processes):  # noqa: B007 (the last one is the whole)
            pace = done / (time.perf_counter() - began)
            sys.stderr.write(f"\r{done:,} of {given.inputs:,} inputs, {pace:,.0f} a second ")
        sys.stderr.write("\n")
    sys.stdout.write(f"seed {seed}, {time.perf_counter() - began:.1f} s\n{report(totals, seed)}")
    return int(any(tally.failures for tally in totals.values()))


if __name__ == "__main__":
    sys.exit(main())
