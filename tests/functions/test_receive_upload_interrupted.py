"""receive_upload, interrupted: it goes on where it stopped, and nothing is lost or doubled."""

from __future__ import annotations

import itertools

import pytest

from shared.errors import DependencyUnavailable, LockTimeout
from shared.messages import Upload
from tests.functions.cutting import FILES, ROWS, Bench, identity, whole
from tests.functions.failing import Failing
from tests.functions.harness import LANDING, landed, lines, push


@pytest.mark.parametrize("name", FILES)
def test_a_file_that_takes_longer_than_the_budget_goes_on_where_it_stopped_with_the_same_chunks(name: str) -> None:
    bench = Bench()
    message = landed(bench.drop(name, FILES[name]))
    runs = 1
    while bench.run(message, clock=map(float, itertools.count()).__next__).outcome == "continued":
        assert bench.publisher.of("uploads")[runs - 1] == Upload(bucket=LANDING, name=name, generation=1)
        message = push(bench.publisher.of("uploads")[-1], "receive_upload-uploads")
        runs += 1
    assert runs > 2
    assert len(bench.publisher.of("chunks")) == 10
    assert bench.chunks() == whole(name, FILES[name]).chunks()
    (state,) = bench.ledger.files.values()
    assert (state.state, state.rows) == ("cut", 95)


CRASHES = [
    ("store", "read", 1), ("store", "write_once", 4), ("ledger", "begin", 1), ("ledger", "record_chunks", 3),
    ("publisher", "publish", 1), ("publisher", "publish", 3), ("ledger", "checkpoint", 1), ("ledger", "checkpoint", 3),
    ("ledger", "finish", 1),
]  # fmt: skip
IN_PLACE = "transactions/lines.ndjson"  # its chunks are ranges of the landing object: nothing is written


@pytest.mark.parametrize(
    ("name", "part", "method", "at"),
    [(name, *crash) for name in FILES for crash in CRASHES if (name, crash[1]) != (IN_PLACE, "write_once")],
)
def test_a_crash_at_any_point_is_completed_by_the_redelivery(name: str, part: str, method: str, at: int) -> None:
    bench = Bench(cut_seconds=1_000)
    message = landed(bench.drop(name, FILES[name]))
    broken = {part: Failing(getattr(bench, part), method, at)}
    flushing_each_chunk = map(float, itertools.count(0, 2)).__next__
    with pytest.raises(DependencyUnavailable):
        bench.run(message, clock=flushing_each_chunk, **broken)
    assert bench.run(message).outcome == "cut"
    expected = whole(name, FILES[name])
    assert bench.chunks().keys() == bench.ledger.chunks.keys() == expected.chunks().keys()
    assert bench.rows() == expected.rows()
    assert [state.state for state in bench.ledger.files.values()] == ["cut"]


def test_a_second_delivery_meanwhile_comes_again_later() -> None:
    bench = Bench()
    info = bench.drop("transactions/a.ndjson", lines(ROWS))
    with bench.ledger.cutting(identity(info), info), pytest.raises(LockTimeout):
        bench.run(landed(info))


@pytest.mark.parametrize("method", ["checkpoint", "finish"])
@pytest.mark.parametrize("name", [name for name in FILES if name.endswith(".gz")])
def test_a_file_that_breaks_off_tells_it_once_whatever_crashes_behind_it(name: str, method: str) -> None:
    bench, data = Bench(cut_seconds=1_000), FILES[name][:-12]
    message = landed(bench.drop(name, data))
    broken = {"ledger": Failing(bench.ledger, method, 1 if method == "finish" else 2)}
    flushing_each_chunk = map(float, itertools.count(0, 2)).__next__
    with pytest.raises(DependencyUnavailable):
        bench.run(message, clock=flushing_each_chunk, **broken)
    assert bench.run(message).outcome == "cut"
    assert [chunk.broken for chunk in bench.chunks().values() if chunk.broken] == ["truncated"]
    assert bench.chunks().keys() == whole(name, data).chunks().keys()
