"""validate: good rows and bad rows of a chunk each find their place, once."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from functions.validate.main import run
from shared.domain.copytext import BAD_COLUMNS, TRANSACTION_COLUMNS, USER_COLUMNS
from shared.entrypoint import Outcome
from shared.errors import DependencyUnavailable, Inconsistent, MalformedRecord
from shared.messages import INLINE_BYTES, ObjectRange
from tests.functions.failing import Failing
from tests.functions.harness import (
    LAKE,
    LANDING,
    PUBLISHED,
    QUARANTINE,
    Cloud,
    envelope,
    lines,
    push,
    sale,
    settings,
    unique,
)
from tests.functions.validating import BAD, Bench, cells, chunk_of


def test_good_rows_of_a_chunk_travel_on_with_their_line_numbers() -> None:
    bench = Bench()
    message = bench.chunk(lines([sale(transaction_id=f"t{number}") for number in range(3)]))
    assert bench.run(message) == Outcome("validated", 3, 3, 0)
    told = bench.told()
    assert (told.received, told.valid, told.quarantined, told.state) == (3, 3, 0, "valid")
    assert (told.chunk_id, told.file_id, told.landed_at) == ("c-000000", "c", PUBLISHED)
    assert told.rows is not None
    assert told.bad is None
    header, *rows = cells(told.rows.inline)
    assert header == list(TRANSACTION_COLUMNS)
    assert [(row[0], row[5]) for row in rows] == [("11", "t0"), ("12", "t1"), ("13", "t2")]
    assert bench.quarantine() == {}


def test_a_bad_row_is_kept_as_it_came_and_told_with_its_reason_and_place() -> None:
    bench = Bench()
    good, torn = sale(), b'{"transaction_id": "torn", \n'
    assert bench.run(bench.chunk(lines([good, BAD]) + torn)) == Outcome("validated", 3, 1, 2)
    ((name, raw),) = bench.quarantine().items()
    told = bench.told()
    assert told.bad is not None
    header, *bad = cells(told.bad.inline)
    assert header == list(BAD_COLUMNS)
    assert [(row[0], row[1]) for row in bad] == [("12", "unknown_currency"), ("13", "malformed_json")]
    places = [(row[4], int(row[5]), int(row[6])) for row in bad]
    assert {place for place, _, _ in places} == {f"gs://{QUARANTINE}/{name}"}
    kept = [raw[start : start + length] for _, start, length in places]
    assert kept == [lines([BAD]).strip(), torn.strip()]


def test_rows_of_users_never_travel_in_a_message() -> None:
    bench = Bench()
    data = b'["u1","a@example.com"]\n["u2","nobody"]\n'
    bench.run(bench.chunk(data, "users", header=["user_id", "email"]))
    told = bench.told()
    assert told.rows is not None
    assert told.bad is not None
    assert told.rows.inline is None
    assert told.bad.inline is None
    assert b"@" not in msgspec.json.encode(told)
    assert b"nobody" not in msgspec.json.encode(told)
    header, row = cells(bench.store.read(LAKE, told.rows.object or "").decode())
    assert header == list(USER_COLUMNS)
    assert "a@example.com" in row


def test_many_rows_travel_as_an_object() -> None:
    bench = Bench()
    bench.run(bench.chunk(lines([sale() for _ in range(INLINE_BYTES // 100)])))
    told = bench.told()
    assert told.rows is not None
    assert told.rows.inline is None
    assert len(cells(bench.store.read(LAKE, told.rows.object or "").decode())) == 1 + INLINE_BYTES // 100


@pytest.mark.parametrize(
    ("rows", "bad", "held"), [(100, 51, True), (100, 50, False), (99, 99, False), (1_000, 501, True)]
)
def test_a_chunk_of_a_hundred_rows_or_more_is_held_when_most_are_bad(rows: int, bad: int, held: bool) -> None:
    bench = Bench()
    outcome = bench.run(bench.chunk(lines([BAD] * bad + [sale() for _ in range(rows - bad)])))
    assert outcome == Outcome("held" if held else "validated", rows, rows - bad, bad)
    told = bench.told()
    assert told.state == ("held" if held else "valid")
    if held:
        assert told.rows is None
        assert told.bad is None
        assert bench.quarantine() == {}
        assert told.raw is not None
        assert told.raw.name == "transactions/a"


def test_a_broken_stretch_is_one_bad_row_that_lies_where_it_came_in() -> None:
    bench = Bench()
    assert bench.run(bench.chunk(b"\x00" * 50, broken="truncated", rows=1)) == Outcome("validated", 1, 0, 1)
    told = bench.told()
    assert told.rows is None
    assert told.bad is not None
    _, row = cells(told.bad.inline)
    assert row[:2] == ["11", "truncated"]
    assert row[4:] == [f"gs://{LANDING}/transactions/a#1", "7", "50", "7", "50"]
    assert bench.quarantine() == {}


@pytest.mark.parametrize(
    "data", [lines([sale(), BAD]), lines([BAD] * 120), b'["u1","x"]\n'], ids=["mixed", "held", "users"]
)
def test_a_redelivery_writes_the_same_names_and_tells_the_same(data: bytes) -> None:
    bench = Bench()
    message = bench.chunk(data, "users", header=["user_id", "email"]) if data.startswith(b"[") else bench.chunk(data)
    bench.run(message)
    written = dict(bench.store.objects)
    bench.run(message)
    assert bench.store.objects == written
    first, second = bench.publisher.of("validated")
    assert first == second


@pytest.mark.parametrize(("part", "method"), [("store", "read"), ("store", "write_once"), ("publisher", "publish")])
def test_a_crash_is_completed_by_the_redelivery(part: str, method: str) -> None:
    bench = Bench()
    message = bench.chunk(lines([sale(), BAD]))
    parts: dict[str, Any] = {"store": bench.store, "publisher": bench.publisher}
    with pytest.raises(DependencyUnavailable):
        run(message, settings=settings(), **{**parts, part: Failing(parts[part], method)})
    assert bench.run(message) == Outcome("validated", 2, 1, 1)
    assert len(bench.quarantine()) == 1


def test_a_chunk_whose_object_is_gone_cannot_be_read() -> None:
    bench = Bench()
    message = bench.chunk(lines([sale()]))
    bench.store.delete(LANDING, "transactions/a")
    with pytest.raises(Inconsistent, match="transactions/a"):
        bench.run(message)


def test_a_message_that_is_no_chunk_is_malformed() -> None:
    with pytest.raises(MalformedRecord, match="Chunk"):
        Bench().run(push(b'{"chunk_id": 1}', "validate-chunks"))


@pytest.mark.parametrize(
    "body", [{}, {"message": 1}, {"message": {"data": "%%%", "messageId": "1", "publishTime": "2026-03-01T00:00:00Z"}}]
)
def test_a_malformed_envelope_is_acknowledged_and_refused(cloud: Cloud, body: dict[str, object]) -> None:
    answer = cloud.post("validate", body)
    assert answer.status_code == 200
    assert answer.get_json()["outcome"] == "refused"
    assert answer.get_json()["detail"].startswith("malformed_envelope")


def test_a_chunk_whose_object_is_gone_is_never_acknowledged_because_its_rows_are_pending(cloud: Cloud) -> None:
    raw = ObjectRange(bucket=LANDING, name=unique("transactions/"), generation=1, length=5)
    answer = cloud.post("validate", envelope(push(chunk_of(raw), "validate-chunks")))
    assert answer.status_code == 500
    assert "is not there" in answer.get_json()["detail"]
