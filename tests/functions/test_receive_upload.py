"""receive_upload: what is refused, and that every row of what is cut is in exactly one chunk."""

from __future__ import annotations

import gzip
import json

import pytest

from shared.entrypoint import Outcome
from shared.errors import MalformedRecord
from shared.messages import Chunk
from tests.functions.cutting import FILES, ROWS, Bench, identity, whole
from tests.functions.harness import LAKE, LANDING, Cloud, landed, lines, push, sale, unique


@pytest.mark.parametrize(
    ("name", "data", "reason"),
    [
        ("orders/a.ndjson", b"{}\n", "unknown_source"),
        ("a.ndjson", b"{}\n", "unknown_source"),
        ("transactions/a.csv", b"{}\n", "unknown_type"),
        ("users/a.json", b"{}\n", "unknown_type"),
        ("transactions/a.ndjson", b"", "empty_file"),
        ("transactions/b.ndjson", b" \n\n", "empty_file"),
        ("transactions/c.ndjson.gz", gzip.compress(b"", mtime=0), "empty_file"),
        ("users/a.csv", b"\n", "empty_file"),
        ("transactions/a.json", '{"a": 1}'.encode("utf-16"), "wrong_encoding"),
        ("transactions/d.ndjson.gz", b'{"a": 1}\n', "wrong_encoding"),
        ("transactions/../a.ndjson", b"{}\n", "unsafe_name"),
        ("transactions//a.ndjson", b"{}\n", "unsafe_name"),
        ("users/b.csv", b"name,email\nA,a@example.com\n", "missing_columns"),
        ("fx_rates/a.csv", b"date,rate\n2026-03-01,1.1\n", "missing_columns"),
        ("transactions/e.ndjson.gz", gzip.compress(lines(ROWS), mtime=0)[:9], "truncated"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused_as_a_whole(name: str, data: bytes, reason: str) -> None:
    bench = Bench()
    info = bench.drop(name, data)
    assert bench.run(landed(info)) == Outcome("rejected", detail=reason)
    assert bench.ledger.reasons == {identity(info): reason}
    assert bench.publisher.messages == []
    assert bench.run(landed(info)).outcome == "repeated"


@pytest.mark.parametrize("name", FILES)
def test_every_row_of_a_file_is_in_exactly_one_chunk(name: str) -> None:
    bench = whole(name, FILES[name])
    rows = bench.rows()
    if name.startswith("users"):
        assert [json.loads(row)[0] for row in rows] == [f"u{number}" for number in range(95)]
        assert all(chunk.header == ["user_id", "email"] for chunk in bench.chunks().values())
    else:
        assert [json.loads(row)["transaction_id"] for row in rows] == [f"t{number}" for number in range(95)]
    assert [chunk.rows for chunk in bench.chunks().values()] == [10] * 9 + [5]
    assert [chunk.ordinal for chunk in bench.chunks().values()] == list(range(10))
    assert bench.ledger.chunks == bench.chunks()
    (state,) = bench.ledger.files.values()
    assert (state.state, state.rows) == ("cut", 95)


def test_lines_are_ranges_of_the_landing_object_and_what_cannot_be_split_goes_to_the_lake() -> None:
    assert whole("transactions/a.ndjson", lines(ROWS)).store.names(LAKE) == []
    assert len(whole("transactions/a.json", FILES["transactions/array.json"]).store.names(LAKE)) == 10


def test_the_line_number_of_a_row_goes_on_over_the_chunks() -> None:
    firsts = [chunk.first_line for chunk in whole("transactions/a.ndjson", lines(ROWS)).chunks().values()]
    assert firsts == [1 + 10 * number for number in range(10)]


@pytest.mark.parametrize("end", [".ndjson", ".json", ".ndjson.gz"])
def test_lines_that_end_in_a_lone_carriage_return_are_read_one_by_one(end: str) -> None:
    data = lines(ROWS).replace(b"\n", b"\r")
    bench = whole(f"transactions/a{end}", gzip.compress(data, mtime=0) if end.endswith("gz") else data)
    assert [json.loads(row)["transaction_id"] for row in bench.rows()] == [f"t{number}" for number in range(95)]


def test_pages_of_an_api_are_opened_also_where_each_stands_on_a_line_of_its_own() -> None:
    pages = [{"page": 1, "items": ROWS[:50]}, {"items": ROWS[50:], "next": None}]
    data = b"\n".join(json.dumps(page).encode() for page in pages)
    bench = whole("transactions/a.json", data)
    chunks = list(bench.chunks().values())
    assert [chunk.broken for chunk in chunks if chunk.broken] == ["envelope_member"] * 2
    said = [data[c.raw.offset : c.raw.offset + c.raw.length] for c in chunks if c.broken]
    assert said == [b'"page": 1', b'"next": null']
    assert sum(chunk.rows for chunk in chunks if not chunk.broken) == 95


def test_a_header_under_other_names_is_the_header_of_the_fields() -> None:
    bench = whole("users/a.csv", b"Customer ID,E-Mail,tier\nu1,a@example.com,gold\n")
    assert [chunk.header for chunk in bench.chunks().values()] == [["user_id", "email", "customer_tier"]]


def test_a_gzip_file_that_breaks_off_gives_its_rows_and_one_broken_stretch() -> None:
    data = gzip.compress(lines([sale() for _ in range(95)]))
    bench = whole("transactions/a.ndjson.gz", data[: len(data) * 2 // 3])
    chunks = list(bench.chunks().values())
    assert [chunk.broken for chunk in chunks if chunk.broken] == ["truncated"]
    assert chunks[-1].rows == 1
    assert 0 < sum(chunk.rows for chunk in chunks[:-1]) < 95


def test_a_redelivery_of_a_file_that_is_cut_does_nothing() -> None:
    bench = Bench()
    info = bench.drop("transactions/a.ndjson", lines(ROWS))
    bench.run(landed(info))
    sent = list(bench.publisher.messages)
    assert bench.run(landed(info)) == Outcome("repeated", 95)
    assert bench.publisher.messages == sent


def test_the_same_name_again_is_a_new_file() -> None:
    bench = Bench()
    for _ in range(2):
        bench.run(landed(bench.drop("transactions/a.ndjson", lines(ROWS))))
    assert len(bench.ledger.files) == 2
    assert len(bench.chunks()) == 20


def test_a_file_that_was_replaced_before_it_was_read_is_refused_as_missing() -> None:
    bench = Bench()
    old = bench.drop("transactions/a.ndjson", lines(ROWS))
    bench.drop("transactions/a.ndjson", lines(ROWS))
    assert bench.run(landed(old)) == Outcome("rejected", detail="object_missing")
    assert bench.ledger.reasons == {identity(old): "object_missing"}


def test_a_file_that_is_cut_stays_so_when_its_object_is_gone() -> None:
    bench = Bench()
    info = bench.drop("transactions/a.ndjson", lines(ROWS))
    bench.run(landed(info))
    bench.store.delete(info.bucket, info.name)
    bench.run(landed(info))
    assert bench.ledger.files[identity(info)].state == "cut"


@pytest.mark.parametrize("change", [{"eventType": "OBJECT_DELETE"}, {"bucketId": LAKE}])
def test_what_is_no_arrival_in_the_landing_bucket_is_ignored(change: dict[str, str]) -> None:
    bench = Bench()
    known = landed(bench.drop("transactions/a.ndjson", lines(ROWS)))
    other = push(b"{}", "receive_upload-uploads", {**known.attributes, **change})
    assert bench.run(other) == Outcome("ignored")
    assert bench.ledger.files == {}


def test_a_notification_without_a_generation_is_malformed() -> None:
    facts = {"eventType": "OBJECT_FINALIZE", "bucketId": LANDING, "objectId": "transactions/a.ndjson"}
    with pytest.raises(MalformedRecord):
        Bench().run(push(b"{}", "receive_upload-uploads", facts))


def test_on_the_local_cloud_a_file_is_registered_cut_and_published_once(cloud: Cloud) -> None:
    info = cloud.put(f"transactions/{unique()}.ndjson", lines(ROWS))
    assert cloud.deliver("receive_upload", landed(info)) == (200, "cut")
    assert cloud.deliver("receive_upload", landed(info)) == (200, "repeated")
    (chunk,) = cloud.take("chunks", Chunk, lambda message: message.file_id == identity(info))
    assert chunk.rows == 95
    assert cloud.sql(
        """SELECT f.state, f.rows_received, c.received, c.state
           FROM pipeline.file f JOIN pipeline.chunk c USING (file_id) WHERE file_id = $1""",
        identity(info),
    ) == [("cut", 95, 95, "registered")]


def test_on_the_local_cloud_a_refused_file_says_why_in_the_ledger(cloud: Cloud) -> None:
    info = cloud.put(f"transactions/{unique()}.csv", b"a\n")
    assert cloud.deliver("receive_upload", landed(info)) == (200, "rejected")
    ((reason, told),) = cloud.sql("SELECT reason, told FROM pipeline.file WHERE file_id = $1", identity(info))
    assert reason == "unknown_type"
    assert ".ndjson" in told
