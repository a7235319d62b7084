"""Bad files: what is known before the first chunk refuses the file, what is found later costs its stretch alone."""

from __future__ import annotations

import gzip

import pytest
from google.cloud import pubsub_v1  # type: ignore[attr-defined]

from tests.integration.pipeline.harness import Pipeline, row, wait_until
from tests.long import size

MEGABYTE = 1 << 20


def rows(prefix: str, count: int) -> bytes:
    return b"".join(row(f"{prefix}-{n}") + b"\n" for n in range(count))


@pytest.mark.parametrize(
    ("name", "data", "reason"),
    [
        ("invoices/a.json", b"{}", "unknown_source"),
        ("transactions/a.xlsx", b"PK", "unknown_type"),
        ("transactions/a.ndjson", b"", "empty_file"),
        ("transactions/blank.ndjson", b"\n \n", "empty_file"),
        ("transactions/utf16.ndjson", '{"a":1}'.encode("utf-16"), "wrong_encoding"),
        ("transactions/not.json.gz", b"plain text", "wrong_encoding"),
        ("transactions/cut.json.gz", gzip.compress(rows("g", 3), mtime=0)[:12], "truncated"),
        ("users/../secret.csv", b"user_id\n1\n", "unsafe_name"),
        ("users/other.csv", b"name,mail\nx,y\n", "missing_columns"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_file_that_cannot_be_read_is_rejected_with_its_reason(
    running: Pipeline, name: str, data: bytes, reason: str
) -> None:
    identity = running.load(name, data)
    state, found, told = running.sql("SELECT state, reason, told FROM pipeline.file WHERE file_id = $1", identity)[0]
    assert (state, found) == ("rejected", reason)
    assert len(told) > 10


def test_a_gzip_file_cut_off_in_the_middle_loads_what_is_whole_and_quarantines_the_rest(running: Pipeline) -> None:
    packed = gzip.compress(rows("cut", 20_000))
    identity = running.load("transactions/cut.ndjson.gz", packed[: len(packed) // 2])
    counts = running.counts(identity)
    assert running.reasons(identity) == {"truncated": 1}
    assert counts["inserted"] == counts["received"] - 1 > 1000


def test_a_bomb_is_stopped_at_the_limit_and_the_rows_before_it_load(running: Pipeline) -> None:
    bomb = gzip.compress(rows("bomb", 5)) + gzip.compress((b" " * 999 + b"\n") * (size(80, 200) * MEGABYTE // 1000))
    identity = running.load("transactions/bomb.ndjson.gz", bomb)
    assert running.reasons(identity) == {"expansion_limit": 1}
    assert running.counts(identity)["inserted"] == 5


def test_a_line_far_over_the_limit_costs_only_itself(running: Pipeline) -> None:
    data = rows("before", 3) + b'{"transaction_id":"' + b"x" * (size(40, 200) * MEGABYTE) + b'"}\n' + rows("after", 4)
    identity = running.load("transactions/long-line.ndjson", data)
    assert running.reasons(identity) == {"line_too_long": 1}
    assert running.counts(identity) == {"received": 8, "inserted": 7, "quarantined": 1}
    line = running.one("SELECT line FROM pipeline.quarantined_row WHERE reason = 'line_too_long'")
    assert line == 4


def test_a_chunk_of_which_more_than_half_is_bad_is_held_and_nothing_of_it_loads(running: Pipeline) -> None:
    bad = b"".join(row(f"held-{n}", amount="x" if n % 3 else "1") + b"\n" for n in range(150))
    identity = running.load("transactions/wrong-export.ndjson", bad)
    assert running.counts(identity) == {"received": 150, "held": 150}
    assert running.one("SELECT count(*) FROM commerce.transactions WHERE transaction_id LIKE 'held-%'") == 0


def test_messages_of_one_of_many_and_of_nonsense_are_each_accounted_for(running: Pipeline) -> None:
    publisher = pubsub_v1.PublisherClient()
    topic = publisher.topic_path("sluice-local", "transactions")
    messages = [
        row("stream-1"),
        b"[" + row("stream-2") + b"," + row("stream-3", amount="1.2.3") + b"]",
        row("stream-4") + b"\n" + row("stream-5"),
        b"not json at all",
        row("stream-1", amount="6.00"),
    ]
    ids = [publisher.publish(topic, data).result(timeout=30) for data in messages]
    known = "SELECT count(*) FROM pipeline.chunk WHERE chunk_id = ANY($1::text[])"
    wait_until(lambda: running.one(known, ids) == len(ids), "every message is in the ledger")
    received, quarantined = running.sql(
        "SELECT sum(received)::int, sum(quarantined)::int FROM pipeline.chunk WHERE chunk_id = ANY($1::text[])", ids
    )[0]
    assert (received, quarantined) == (7, 3)
    kept = """SELECT bool_and(q.raw_object IS NOT NULL)
              FROM pipeline.quarantined_row q JOIN pipeline.chunk c USING (chunk_key)
              WHERE c.chunk_id = ANY($1::text[])"""
    wait_until(lambda: running.one(kept, ids), "the raw text of every bad row is kept")
    raw = running.sql(
        """SELECT q.reason, q.raw_object IS NOT NULL
           FROM pipeline.quarantined_row q JOIN pipeline.chunk c USING (chunk_key)
           WHERE c.chunk_id = ANY($1::text[]) ORDER BY 1""",
        ids,
    )
    assert [tuple(r) for r in raw] == [
        ("conflicting_duplicate", True),
        ("invalid_value", True),
        ("malformed_json", True),
    ]


def test_after_all_of_this_everything_is_accounted_for(running: Pipeline) -> None:
    running.feed()
    assert running.findings() == []
