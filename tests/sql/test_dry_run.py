"""The warehouse understands every SQL file, with parameters of the right types, and reads no table whole."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import date
from typing import Any

import pytest
from google.api_core.exceptions import BadRequest, GoogleAPICallError
from google.cloud.bigquery import (
    ArrayQueryParameter,
    Client,
    QueryJob,
    QueryJobConfig,
    ScalarQueryParameter,
    SchemaField,
    Table,
)

from tests.sql.files import FILES, TABLES, SqlFile

DAY, DAYS = date(2024, 1, 15), [date(2024, 1, 15), date(2024, 1, 16)]
PARAMETERS: dict[str, tuple[str, Any]] = {
    "base_currency": ("STRING", "GBP"),
    "category": ("STRING", "toys"),
    "country": ("STRING", "GB"),
    "currency": ("STRING", "GBP"),
    "dataset": ("STRING", "transactions"),
    "days": ("DATE", DAYS),
    "feed_id": ("INT64", 1),
    "first_day": ("DATE", DAY),
    "last_day": ("DATE", DAY),
    "months": ("DATE", [date(2024, 1, 1)]),
    "most": ("INT64", 10),
    "most_cover": ("NUMERIC", 14),
    "open_day": ("DATE", DAY),
    "period": ("DATE", DAY),
    "periods": ("DATE", DAYS),
    "transaction_id": ("STRING", "t1"),
    "since": ("TIMESTAMP", "2024-01-15T00:00:00Z"),
    "until": ("TIMESTAMP", "2024-01-16T00:00:00Z"),
}
"""The type of every parameter, by its name: a name means the same in every file."""

LEAST_BILLED = 10 * 2**20
"""BigQuery bills at least 10 MB for each table that a query reads."""

NEW_NAMES = {"INTEGER": "INT64", "BOOLEAN": "BOOL", "FLOAT": "FLOAT64", "STRUCT": "RECORD"}
PARTITIONED = sorted(
    name for name, folder in TABLES.items() if "\npartition:" in (folder / "metadata.yaml").read_text()
)


def parameter(name: str) -> ArrayQueryParameter | ScalarQueryParameter:
    kind, value = PARAMETERS[name]
    return (ArrayQueryParameter if isinstance(value, list) else ScalarQueryParameter)(name, kind, value)


def dry_run(client: Client, sql: str, names: set[str]) -> QueryJob:
    parameters = [parameter(name) for name in sorted(names) if f"@{name}" in sql]
    return client.query(sql, job_config=QueryJobConfig(dry_run=True, query_parameters=parameters))


def columns(table: str) -> list[SchemaField]:
    """The columns that schema.json describes."""
    fields = json.loads((TABLES[table] / "schema.json").read_text(encoding="utf-8"))
    return [SchemaField.from_api_repr(field) for field in fields]


def shape(fields: Sequence[SchemaField]) -> list[Any]:
    """Names and types; a query says nothing of what is required, and gives old names of types."""
    return [(f.name, NEW_NAMES.get(f.field_type, f.field_type), f.mode == "REPEATED", shape(f.fields)) for f in fields]


def name_tables(client: Client, file: SqlFile) -> str:
    """Make an empty table for each that the caller names; the dataset that they are in. A feed has no feed_id."""
    dataset = f"named_{file.table.replace('.', '_')}"
    client.create_dataset(dataset, exists_ok=True)
    for name in file.placeholders:
        shape = [column for column in columns(file.table) if name != "feed" or column.name != "feed_id"]
        client.create_table(Table(f"{client.project}.{dataset}.{name}", shape), exists_ok=True)
    return dataset


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_every_statement_of_a_file_would_run_and_reads_no_whole_table(sql_warehouse: Client, file: SqlFile) -> None:
    """A table that requires a filter on its partition refuses a statement without one, in a dry run too."""
    dataset = name_tables(sql_warehouse, file) if file.placeholders else ""
    for statement in file.statements(dataset):
        assert dry_run(sql_warehouse, statement, file.used).state == "DONE"


@pytest.mark.parametrize("file", [file for file in FILES if file.builds], ids=lambda file: file.name)
def test_the_query_of_a_mart_gives_the_types_of_its_schema(sql_warehouse: Client, file: SqlFile) -> None:
    given = dry_run(sql_warehouse, file.text, file.used).schema
    assert given is not None
    assert shape(given) == shape(columns(file.table))


def test_every_parameter_of_the_table_is_used() -> None:
    assert set(PARAMETERS) >= set().union(*(file.used for file in FILES))


@pytest.mark.parametrize("table", PARTITIONED)
def test_a_query_that_would_read_a_whole_table_is_refused(sql_warehouse: Client, table: str) -> None:
    with pytest.raises(BadRequest, match="without a filter over column"):
        dry_run(sql_warehouse, f"SELECT COUNT(*) AS n FROM {table}", set())


def test_a_query_beyond_its_limit_of_bytes_is_refused(sql_warehouse: Client) -> None:
    sql_warehouse.query("INSERT INTO sales.users (user_key, inferred, feed_id) VALUES (1, FALSE, 7)").result()
    query = "SELECT MAX(feed_id) AS feed_id FROM sales.users"
    with pytest.raises(GoogleAPICallError, match="exceeded limit for bytes billed"):
        sql_warehouse.query(query, job_config=QueryJobConfig(maximum_bytes_billed=LEAST_BILLED - 1)).result()
    (row,) = sql_warehouse.query(query, job_config=QueryJobConfig(maximum_bytes_billed=LEAST_BILLED)).result()
    assert row.feed_id == 7
    sql_warehouse.query("DELETE FROM sales.users WHERE user_key = 1").result()
