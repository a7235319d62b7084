"""validate: a message of the stream is a chunk without a file."""

from __future__ import annotations

import json

import pytest

from shared.entrypoint import Outcome
from shared.messages import Validated
from tests.functions.harness import (
    PUBLISHED,
    Cloud,
    Row,
    lines,
    sale,
    unique,
)
from tests.functions.validating import BAD, Bench, stream


@pytest.mark.parametrize(
    ("rows", "received"),
    [
        (sale(), 1),
        ([sale()], 1),
        ([sale(), sale(), sale()], 3),
        (lines([sale(), sale()]), 2),
        (json.dumps(sale(), indent=2).encode(), 1),
    ],
    ids=["one", "array of one", "array", "lines", "one over several lines"],
)
def test_a_message_of_the_stream_is_a_chunk_named_by_its_message_id(
    rows: Row | list[Row] | bytes, received: int
) -> None:
    bench = Bench()
    message = stream(rows)
    assert bench.run(message) == Outcome("validated", received, received, 0)
    told = bench.told()
    assert (told.chunk_id, told.file_id, told.raw) == (message.message_id, None, None)
    assert told.landed_at == PUBLISHED


@pytest.mark.parametrize("data", [b"", b"  ", b"hello", b"[1]", b'"x"', b"\xff\xfe"])
def test_a_message_without_a_row_counts_as_one_bad_row_and_is_kept(data: bytes) -> None:
    bench = Bench()
    assert bench.run(stream(data)) == Outcome("validated", 1, 0, 1)
    assert len(bench.quarantine()) == 1


def test_a_held_message_of_the_stream_keeps_its_rows_until_an_operator_decides() -> None:
    bench = Bench()
    message = stream([BAD] * 100)
    assert bench.run(message).outcome == "held"
    raw = bench.told().raw
    assert raw is not None
    assert raw.name == f"held/{message.message_id}.ndjson"
    assert len(bench.store.read(raw.bucket, raw.name, generation=raw.generation).splitlines()) == 100


def test_on_the_local_cloud_a_message_of_the_stream_is_judged_and_sent_on(cloud: Cloud) -> None:
    message = stream([sale(), {**BAD, "transaction_id": unique()}])
    for _ in range(2):
        assert cloud.deliver("validate", message) == (200, "validated")
    first, second = cloud.take("validated", Validated, lambda told: told.chunk_id == message.message_id, 2)
    assert first == second
    assert (first.received, first.valid, first.quarantined) == (2, 1, 1)
