"""Load jobs: formats, dispositions, partitions, and bad data that is refused with its place."""

from __future__ import annotations

import gzip
import io
import json
import time
import uuid
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest
from google.api_core.exceptions import BadRequest, Conflict, GoogleAPICallError, NotFound
from google.cloud import bigquery
from google.cloud.bigquery import Client, DatasetReference, LoadJob, LoadJobConfig, SchemaField

from tests.contract.warehouse.conftest import SALES, MakeClient, Upload
from tests.contract.warehouse.program import Program

JSON, CSV, PARQUET = "NEWLINE_DELIMITED_JSON", "CSV", "PARQUET"


@pytest.fixture(scope="module")
def client_of_little(
    tmp_path_factory: pytest.TempPathFactory, storage_url: str, make_client: MakeClient
) -> Iterator[Client]:
    """A client of a warehouse that takes no more than 60 bytes where BigQuery takes 4 GiB."""
    options = ("--storage", storage_url, "--csv-bytes", "60")
    server = Program("local.warehouse", tmp_path_factory.mktemp("little"), *options)
    server.start()
    yield make_client(server.url)
    server.stop()


@pytest.fixture
def dataset_of_little(client_of_little: Client) -> str:
    name = f"d_{uuid.uuid4().hex}"
    client_of_little.create_dataset(DatasetReference(client_of_little.project, name))
    return name


def ndjson(*rows: dict[str, Any]) -> bytes:
    return b"".join(json.dumps(row).encode() + b"\n" for row in rows)


def load(client: Client, uris: str | list[str], table: str, kind: str = JSON, **config: Any) -> LoadJob:
    config.setdefault("schema", SALES)
    job = client.load_table_from_uri(uris, table, job_config=LoadJobConfig(source_format=kind, **config))
    job.result()
    return job


def days(client: Client, table: str) -> dict[str, int]:
    sql = f"SELECT day, COUNT(*) AS n FROM {table} WHERE day >= '2000-01-01' GROUP BY day"
    return {str(row.day): row.n for row in client.query(sql).result()}


def test_ndjson_from_storage(client: Client, dataset: str, upload: Upload) -> None:
    uri = upload(
        "a.ndjson",
        ndjson({"id": 1, "day": "2024-01-01", "amount": "1.10"}, {"id": "2", "day": "2024-01-02", "amount": 2.5}),
    )
    job = load(client, uri, f"{dataset}.t")
    assert (job.output_rows, job.input_files) == (2, 1)
    found = sorted(tuple(row) for row in client.list_rows(f"{dataset}.t"))
    assert [(row[0], row[2], row[3]) for row in found] == [(1, Decimal("1.1"), None), (2, Decimal("2.5"), None)]


def test_csv_with_header_quoted_newline_and_null_marker(client: Client, dataset: str, upload: Upload) -> None:
    uri = upload("a.csv", b'id;day;amount;note\n1;2024-01-01;1.5;"two\nlines; ""q"""\n2;2024-01-02;NULL;""\n')
    options = {"skip_leading_rows": 1, "field_delimiter": ";", "null_marker": "NULL", "allow_quoted_newlines": True}
    assert load(client, uri, f"{dataset}.t", CSV, **options).output_rows == 2
    found = sorted(tuple(row) for row in client.list_rows(f"{dataset}.t"))
    assert [(row[2], row[3]) for row in found] == [(Decimal("1.5"), 'two\nlines; "q"'), (None, "")]


def test_csv_with_a_quoted_newline_is_refused_unless_allowed(client: Client, dataset: str, upload: Upload) -> None:
    uri = upload("q.csv", b'1,2024-01-01,1,"two\nlines"\n')
    with pytest.raises(BadRequest, match="quoted newline"):
        load(client, uri, f"{dataset}.t", CSV)


@pytest.mark.parametrize(
    ("data", "config"),
    [
        (b'1,2024-01-01,1,"two\nlines"\n' * 3, {"allow_quoted_newlines": True}),
        (gzip.compress(b"1,2024-01-01,1,n\n", compresslevel=0) * 2, {}),
    ],
    ids=["quoted newlines", "gzip"],  # the bytes of gzip hold the time, which no two processes of the tests share
)
def test_a_csv_that_cannot_be_split_is_refused_where_it_is_too_large(
    client_of_little: Client, dataset_of_little: str, upload: Upload, data: bytes, config: dict[str, Any]
) -> None:  # fmt: skip
    uri, table = upload("large.csv", data), f"{dataset_of_little}.t"
    told = "Input CSV files are not splittable and at least one of the files is larger than the maximum allowed size."
    with pytest.raises(BadRequest, match=rf"{told} Size is: {len(data)}\. Max allowed size is: 60\."):
        load(client_of_little, uri, table, CSV, **config)
    with pytest.raises(NotFound):
        client_of_little.get_table(table)


def test_a_csv_that_can_be_split_and_parts_that_are_small_are_taken(
    client_of_little: Client, dataset_of_little: str, upload: Upload
) -> None:
    plain = upload("plain.csv", b"1,2024-01-01,1,n\n" * 10)
    assert load(client_of_little, plain, f"{dataset_of_little}.plain", CSV).output_rows == 10
    parts = [upload(f"part.{number}.csv", b'1,2024-01-01,1,"two\nlines"\n' * 2) for number in range(3)]
    done = load(client_of_little, parts, f"{dataset_of_little}.parts", CSV, allow_quoted_newlines=True)
    assert (done.output_rows, done.input_files) == (6, 3)


def test_parquet_brings_its_own_schema(client: Client, dataset: str, upload: Upload, tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    with duckdb.connect() as scratch:
        scratch.execute(f"COPY (SELECT 1::BIGINT AS id, 2.5::DECIMAL(10, 2) AS n, 'a' AS s) TO '{path}'")
    job = load(client, upload("a.parquet", path.read_bytes()), f"{dataset}.t", PARQUET, schema=None)
    assert job.output_rows == 1
    assert [(item.name, item.field_type) for item in client.get_table(f"{dataset}.t").schema] == [
        ("id", "INTEGER"),
        ("n", "NUMERIC"),
        ("s", "STRING"),
    ]
    assert [tuple(row) for row in client.list_rows(f"{dataset}.t")] == [(1, Decimal("2.5"), "a")]


def test_nested_and_repeated_fields(client: Client, dataset: str, upload: Upload) -> None:
    lines = SchemaField(
        "lines", "RECORD", "REPEATED", fields=[SchemaField("sku", "STRING"), SchemaField("qty", "INTEGER")]
    )
    schema = [SchemaField("id", "INTEGER"), SchemaField("tags", "STRING", "REPEATED"), lines]
    uri = upload(
        "n.ndjson", ndjson({"id": 1, "tags": ["a"], "lines": [{"sku": "x", "qty": 2}, {"sku": "y"}]}, {"id": 2})
    )
    load(client, uri, f"{dataset}.t", schema=schema)
    assert sorted((tuple(row) for row in client.list_rows(f"{dataset}.t")), key=lambda row: row[0]) == [
        (1, ["a"], [{"sku": "x", "qty": 2}, {"sku": "y", "qty": None}]),
        (2, [], []),
    ]


def test_wildcards_and_gzip(client: Client, dataset: str, upload: Upload) -> None:
    for number in range(3):
        data = gzip.compress(ndjson({"id": number, "day": "2024-01-01"}))
        uri = upload(f"many/part-{number}.ndjson.gz", data)
    assert load(client, uri.replace("part-2", "part-*"), f"{dataset}.t").output_rows == 3


def test_dispositions_append_truncate_empty(client: Client, dataset: str, upload: Upload) -> None:
    uri, table = upload("d.ndjson", ndjson({"id": 1, "day": "2024-01-01"})), f"{dataset}.t"
    for disposition, rows in (("WRITE_APPEND", 1), ("WRITE_APPEND", 2), ("WRITE_TRUNCATE", 1)):
        load(client, uri, table, write_disposition=disposition)
        assert client.get_table(table).num_rows == rows
    with pytest.raises(Conflict):
        load(client, uri, table, write_disposition="WRITE_EMPTY")
    with pytest.raises(NotFound):
        load(client, uri, f"{dataset}.other", create_disposition="CREATE_NEVER")


def test_a_partition_decorator_replaces_one_day_and_takes_no_other(client: Client, sales: str, upload: Upload) -> None:
    uri = upload("p.ndjson", ndjson({"id": 100, "day": "2024-01-02"}))
    load(client, uri, f"{sales}$20240102", write_disposition="WRITE_TRUNCATE")
    assert days(client, sales) == {"2024-01-01": 10, "2024-01-02": 1, "2024-01-03": 10}
    with pytest.raises(BadRequest, match="different partitions rather than destination partition 20240103"):
        load(client, uri, f"{sales}$20240103", write_disposition="WRITE_TRUNCATE")
    assert days(client, sales) == {"2024-01-01": 10, "2024-01-02": 1, "2024-01-03": 10}


def test_a_new_field_needs_leave_to_be_added(client: Client, sales: str, upload: Upload) -> None:
    schema = [*SALES, SchemaField("extra", "STRING")]
    uri = upload("x.ndjson", ndjson({"id": 1, "day": "2024-01-01", "extra": "e"}))
    with pytest.raises(BadRequest, match="Cannot add fields"):
        load(client, uri, sales, schema=schema)
    load(client, uri, sales, schema=schema, schema_update_options=["ALLOW_FIELD_ADDITION"])
    assert client.get_table(sales).schema[-1].name == "extra"


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"id": 1.5, "day": "2024-01-01"}, "'1.5' as INTEGER for field id.*row 2"),
        ({"id": 1, "day": "2024-01-01 10:00"}, "as DATE for field day.*row 2"),
        ({"id": 1, "day": "2024-02-30"}, "as DATE for field day.*row 2"),
        ({"id": 1, "day": "2024-01-01", "amount": "12,5"}, "as NUMERIC for field amount.*row 2"),
        ({"id": 1, "day": "2024-01-01", "note": {"a": 1}}, "object.*line 2"),
        ({"id": 1, "day": "2024-01-01", "other": 1}, "No such field: other.*line 2"),
        ({"day": "2024-01-01"}, "missing required field `id`.*line 2"),
        ({"id": None, "day": "2024-01-01"}, "cannot be null"),
    ],
)
def test_a_bad_json_record_is_refused_with_its_place(
    client: Client, dataset: str, upload: Upload, row: dict[str, Any], message: str
) -> None:
    uri = upload("bad.ndjson", ndjson({"id": 7, "day": "2024-01-01"}, row))
    with pytest.raises(BadRequest, match=message):
        load(client, uri, f"{dataset}.t")
    with pytest.raises(NotFound):
        client.get_table(f"{dataset}.t")


@pytest.mark.parametrize(
    "line", [b"1,2024-01-01,1", b"1,2024-01-01,1,n,more", b"x,2024-01-01,1,n", b'1,2024-01-01,1,"n']
)
def test_a_bad_csv_line_is_refused(client: Client, dataset: str, upload: Upload, line: bytes) -> None:
    uri = upload("bad.csv", b"7,2024-01-01,1,n\n" + line + b"\n8,2024-01-01,1,n\n")
    with pytest.raises(BadRequest):
        load(client, uri, f"{dataset}.t", CSV)


def test_tolerated_bad_records_are_left_out_and_counted(client: Client, dataset: str, upload: Upload) -> None:
    good = {"id": 1, "day": "2024-01-01"}
    uri = upload("some.ndjson", ndjson(good, {"id": "x", "day": "2024-01-01"}, {"other": 1}) + b"{broken\n")
    job = load(client, uri, f"{dataset}.t", max_bad_records=3)
    assert (job.output_rows, job._properties["statistics"]["load"]["badRecords"]) == (1, "3")
    with pytest.raises(BadRequest):
        load(client, uri, f"{dataset}.t", max_bad_records=2)
    csv = upload("some.csv", b"1,2024-01-01,1,n\nx,2024-01-01,1,n\n2,2024-01-01\n")
    assert load(client, csv, f"{dataset}.c", CSV, max_bad_records=2).output_rows == 1


def test_unknown_values_are_left_out_when_asked(client: Client, dataset: str, upload: Upload) -> None:
    uri = upload("u.ndjson", ndjson({"id": 1, "day": "2024-01-01", "other": 1}))
    assert load(client, uri, f"{dataset}.t", ignore_unknown_values=True).output_rows == 1


def test_a_missing_object_and_a_missing_schema_are_refused(client: Client, dataset: str, upload: Upload) -> None:
    uri = upload("here.ndjson", ndjson({"id": 1}))
    with pytest.raises(NotFound, match="Not found: URI"):
        load(client, uri.replace("here", "gone"), f"{dataset}.t")
    with pytest.raises(BadRequest, match="auto-detection is not supported"):
        load(client, uri, f"{dataset}.t", schema=None, autodetect=True)
    with pytest.raises(GoogleAPICallError, match="sourceFormat AVRO"):
        load(client, uri, f"{dataset}.t", "AVRO")


def test_uploads_of_both_kinds(client: Client, dataset: str) -> None:
    data = ndjson(*({"id": number, "day": "2024-01-01"} for number in range(100)))
    config = LoadJobConfig(source_format=JSON, schema=SALES)
    known: Any = client.load_table_from_file(io.BytesIO(data), f"{dataset}.t", size=len(data), job_config=config)
    assert known.result().output_rows == 100
    unknown: Any = client.load_table_from_file(io.BytesIO(data), f"{dataset}.t", job_config=config)
    assert unknown.result().output_rows == 100


def test_a_copy_job_copies_schema_and_rows(client: Client, dataset: str, sales: str) -> None:
    client.copy_table(sales, f"{dataset}.copied").result()
    copied = client.get_table(f"{dataset}.copied")
    assert (copied.num_rows, copied.schema) == (30, list(SALES))
    with pytest.raises(Conflict):
        client.copy_table(sales, f"{dataset}.copied").result()


def test_an_extract_job_is_refused(client: Client, sales: str) -> None:
    with pytest.raises(BadRequest, match="extract job is not supported"):
        client.extract_table(sales, "gs://somewhere/out.csv").result()


def test_a_hundred_thousand_wide_rows_load_fast(client: Client, dataset: str, upload: Upload) -> None:
    schema = [SchemaField(f"s{n}", "STRING") for n in range(10)] + [SchemaField(f"i{n}", "INTEGER") for n in range(5)]
    schema += [SchemaField(f"n{n}", "NUMERIC") for n in range(5)]
    line = ",".join([*(f"text {n}" for n in range(10)), *("12345" for _ in range(5)), *("12.34" for _ in range(5))])
    uri = upload("wide.csv", (line + "\n").encode() * 100_000)
    started = time.monotonic()
    job = load(client, uri, f"{dataset}.wide", CSV, schema=schema)
    assert job.output_rows == 100_000
    assert time.monotonic() - started < 20, "the goal is under a second; a busy machine gets some room"


def test_a_typed_table_needs_no_schema_in_the_job(client: Client, sales: str, upload: Upload) -> None:
    uri = upload("s.ndjson", ndjson({"id": 5, "day": "2024-01-04"}))
    assert load(client, uri, sales, schema=None).output_rows == 1
    assert isinstance(client.get_table(sales), bigquery.Table)
