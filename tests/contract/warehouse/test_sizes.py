"""The bytes that a query is said to read: by type, by day, and after a write."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from google.cloud.bigquery import Client, QueryJobConfig, ScalarQueryParameter

DAY = 10 * (8 + 8)


def size(client: Client, sql: str, *parameters: Any) -> int:
    config = QueryJobConfig(dry_run=True, query_parameters=parameters)
    return int(client.query(sql, job_config=config).total_bytes_processed or 0)


def between(client: Client, sales: str, first: int, last: int) -> int:
    days = [ScalarQueryParameter(name, "DATE", dt.date(2024, 1, day)) for name, day in (("a", first), ("b", last))]
    return size(client, f"SELECT id FROM {sales} WHERE day BETWEEN @a AND @b", *days)


@pytest.mark.parametrize(
    ("kind", "values", "expected"),
    [
        ("INT64", ("1", "NULL", "2"), 16),
        ("FLOAT64", ("1.5", "NULL"), 8),
        ("NUMERIC", ("NUMERIC '1.5'", "NULL"), 16),
        ("BOOL", ("TRUE", "NULL", "FALSE"), 2),
        ("DATE", ("DATE '2024-01-01'", "NULL"), 8),
        ("TIMESTAMP", ("TIMESTAMP '2024-01-01 00:00:00+00'", "NULL"), 8),
        ("STRING", ("'é'", "NULL", "''", "'abc'"), 4 + 2 + 5),
        ("BYTES", ("MD5('ab')", "NULL"), 2 + 16),
        ("ARRAY<INT64>", ("[1, 2]", "NULL", "[3]"), 24),
        ("STRUCT<x INT64, y STRING>", ("STRUCT(1 AS x, 'ab' AS y)", "NULL"), 8 + 4),
        ("ARRAY<STRUCT<x INT64, y STRING>>", ("[STRUCT(1 AS x, 'ab' AS y), STRUCT(2 AS x, 'c' AS y)]",), 12 + 11),
    ],
)
def test_every_type_has_its_size_and_a_null_has_none(
    client: Client, dataset: str, kind: str, values: tuple[str, ...], expected: int
) -> None:
    table = f"{dataset}.sized"
    client.query(f"CREATE TABLE {table} (v {kind})").result()
    for value in values:
        client.query(f"INSERT INTO {table} (v) VALUES ({value})").result()
    assert client.get_table(table).num_bytes == size(client, f"SELECT v FROM {table}") == expected


def test_periods_that_overlap_count_each_day_alike_in_whatever_order_they_are_asked_for(
    client: Client, sales: str
) -> None:
    asked = ((2, 2), (1, 2), (2, 3), (1, 3), (3, 3), (1, 1))
    assert [between(client, sales, *days) for days in asked] == [DAY, 2 * DAY, 2 * DAY, 3 * DAY, DAY, DAY]


def test_days_without_rows_count_nothing(client: Client, sales: str) -> None:
    assert between(client, sales, 3, 9) == DAY
    assert between(client, sales, 4, 9) == 0


def test_a_write_is_counted_at_once_also_on_a_day_that_was_asked_for_before(client: Client, sales: str) -> None:
    assert between(client, sales, 1, 3) == 3 * DAY
    client.query(f"INSERT INTO {sales} (id, day) VALUES (99, '2024-01-02'), (100, '2024-01-04')").result()
    assert [between(client, sales, 2, 2), between(client, sales, 1, 9)] == [DAY + 16, 3 * DAY + 2 * 16]


@pytest.mark.parametrize(
    ("condition", "days"),
    [
        ("day = DATE '2024-01-02'", 1),
        ("day < DATE_ADD(@a, INTERVAL 1 DAY)", 1),
        ("day IN (@a, DATE '2024-01-03')", 2),
        ("day >= @a AND day <= CAST('2024-01-02' AS DATE)", 2),
        ("day > @nothing", 0),
        ("day IN (@a, @nothing)", 1),
        ("day >= DATE '2000-01-01'", 3),
        ("day >= DATE(2024, 1, 2)", 2),
    ],
)
def test_only_the_days_that_a_filter_leaves_are_counted(client: Client, sales: str, condition: str, days: int) -> None:
    given = [ScalarQueryParameter("a", "DATE", dt.date(2024, 1, 1)), ScalarQueryParameter("nothing", "DATE", None)]
    assert size(client, f"SELECT id FROM {sales} WHERE {condition}", *given) == days * DAY


def test_a_row_without_a_day_is_in_no_period(client: Client, dataset: str) -> None:
    client.query(f"CREATE TABLE {dataset}.dated (id INT64, day DATE) PARTITION BY day").result()
    client.query(f"INSERT INTO {dataset}.dated (id, day) VALUES (1, NULL), (2, '2024-01-01')").result()
    assert size(client, f"SELECT id FROM {dataset}.dated WHERE day >= DATE '2000-01-01'") == 8 + 8
    assert size(client, f"SELECT id FROM {dataset}.dated") == 2 * 8
