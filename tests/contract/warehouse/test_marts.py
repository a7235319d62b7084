"""What the marts ask of the warehouse: repeated records, filters through views, job labels and slot time."""

from __future__ import annotations

from typing import Any

import pytest
from google.api_core.exceptions import BadRequest
from google.cloud.bigquery import (
    ArrayQueryParameter,
    Client,
    QueryJobConfig,
    ScalarQueryParameter,
    SchemaField,
    Table,
    TimePartitioning,
)

CATEGORIES = SchemaField(
    "categories",
    "RECORD",
    "REPEATED",
    fields=[SchemaField("category", "STRING", "REQUIRED"), SchemaField("orders", "INTEGER")],
)
MONTH = ScalarQueryParameter("month", "DATE", "2024-01-01")
PERIODS = ArrayQueryParameter("periods", "DATE", ["2024-01-01"])


def rows(client: Client, sql: str, *parameters: Any, **options: Any) -> list[tuple[Any, ...]]:
    config = QueryJobConfig(query_parameters=parameters, **options)
    return [tuple(row.values()) for row in client.query(sql, job_config=config).result()]


@pytest.fixture
def users(client: Client, dataset: str) -> str:
    """A mart with a repeated record: two users in January, one in February."""
    name = f"{dataset}.users"
    table = Table(
        f"{client.project}.{name}",
        schema=[SchemaField("month", "DATE", "REQUIRED"), SchemaField("user", "STRING"), CATEGORIES],
    )
    table.time_partitioning = TimePartitioning(field="month")
    table.require_partition_filter = True
    client.create_table(table)
    rows(
        client,
        f"""
        INSERT INTO {name} (month, user, categories)
        SELECT month, user, ARRAY_AGG(STRUCT(category AS category, orders AS orders) ORDER BY orders DESC)
        FROM (
          SELECT DATE '2024-01-01' AS month, 'a' AS user, 'x' AS category, 1 AS orders
          UNION ALL SELECT DATE '2024-01-01', 'a', 'y', 2
          UNION ALL SELECT DATE '2024-01-01', 'b', 'x', 3
          UNION ALL SELECT DATE '2024-02-01', 'a', 'x', 4
        )
        GROUP BY month, user
        """,
    )
    return name


def test_repeated_records_come_back_and_are_unnested(client: Client, users: str) -> None:
    found = rows(client, f"SELECT user, categories FROM {users} WHERE month = @month ORDER BY user", MONTH)
    assert found[0] == ("a", [{"category": "y", "orders": 2}, {"category": "x", "orders": 1}])
    counted = f"""
        SELECT c.category, SUM(c.orders) AS orders FROM {users}, UNNEST(categories) AS c
        WHERE month = @month GROUP BY c.category ORDER BY c.category
    """
    assert rows(client, counted, MONTH) == [("x", 4), ("y", 2)]


def test_a_merge_replaces_rows_with_repeated_records(client: Client, users: str) -> None:
    sql = f"""
        MERGE INTO {users} AS t
        USING (
          SELECT month, user, categories FROM {users} WHERE month IN UNNEST(@periods) AND user = 'b'
        ) AS s
        ON FALSE
        WHEN NOT MATCHED BY SOURCE AND t.month IN UNNEST(@periods) THEN DELETE
        WHEN NOT MATCHED BY TARGET THEN INSERT (month, user, categories) VALUES (s.month, s.user, s.categories)
    """
    rows(client, sql, PERIODS)
    found = rows(client, f"SELECT month, user, categories FROM {users} WHERE month >= @month ORDER BY month", MONTH)
    assert [(str(month), user, len(categories)) for month, user, categories in found] == [
        ("2024-01-01", "b", 1),
        ("2024-02-01", "a", 1),
    ]


@pytest.mark.parametrize(
    "query",
    [
        "SELECT month, user, c.category AS category FROM {users}, UNNEST(categories) AS c",
        "SELECT month, COUNT(*) AS n FROM {users} GROUP BY month",
        "SELECT month, user FROM {users} QUALIFY ROW_NUMBER() OVER (PARTITION BY month ORDER BY user) = 1",
    ],
)
def test_a_filter_on_a_view_reaches_the_table(client: Client, dataset: str, users: str, query: str) -> None:
    rows(client, f"CREATE VIEW {dataset}.seen AS {query.format(users=users)}")
    whole = client.query(f"SELECT * FROM {dataset}.seen WHERE month >= '2000-01-01'")
    part = client.query(f"SELECT * FROM {dataset}.seen WHERE month = '2024-02-01'")
    assert len(list(part.result())) == 1
    assert len(list(whole.result())) > 1
    assert 0 < part.total_bytes_processed < whole.total_bytes_processed
    with pytest.raises(BadRequest, match="without a filter over column"):
        rows(client, f"SELECT * FROM {dataset}.seen")


@pytest.mark.parametrize(
    "query",
    [
        "SELECT month, LAG(month) OVER (PARTITION BY user ORDER BY month) AS earlier FROM {users}",
        "SELECT month, user FROM {users} ORDER BY month LIMIT 1",
    ],
)
def test_a_filter_that_would_change_a_view_does_not_reach_the_table(client: Client, users: str, query: str) -> None:
    with pytest.raises(BadRequest, match="without a filter over column"):
        rows(client, f"SELECT * FROM ({query.format(users=users)}) WHERE month = '2024-02-01'")


def test_jobs_tells_labels_slot_time_and_destination(client: Client, dataset: str) -> None:
    config = QueryJobConfig(
        labels={"app": "sluice", "table": "marts__x"}, destination=f"{client.project}.{dataset}.made"
    )
    job = client.query("SELECT 1 AS x", job_config=config)
    job.result()
    assert job.slot_millis is not None
    assert job.slot_millis > 0
    sql = """
        SELECT l.value AS mart, total_slot_ms, destination_table.dataset_id, destination_table.table_id
        FROM `region-eu`.INFORMATION_SCHEMA.JOBS_BY_PROJECT, UNNEST(labels) AS l
        WHERE job_id = @id AND l.key = 'table'
    """
    found = rows(client, sql, ScalarQueryParameter("id", "STRING", job.job_id))
    assert found == [("marts__x", job.slot_millis, dataset, "made")]


def test_a_limit_of_bytes_leaves_no_destination(client: Client, dataset: str, users: str) -> None:
    config = QueryJobConfig(destination=f"{client.project}.{dataset}.made", maximum_bytes_billed=1)
    job = client.query(f"SELECT user FROM {users} WHERE month = '2024-01-01'", job_config=config)
    assert job.exception() is not None
    assert job.error_result is not None
    assert job.error_result["reason"] == "bytesBilledLimitExceeded"
    assert f"{dataset}.made" not in [f"{dataset}.{each.table_id}" for each in client.list_tables(dataset)]


def test_a_query_sees_what_was_written_since_it_was_first_translated(client: Client, dataset: str) -> None:
    rows(client, f"CREATE TABLE {dataset}.t AS SELECT 1 AS x")
    assert rows(client, f"SELECT * FROM {dataset}.t") == [(1,)]
    rows(client, f"INSERT INTO {dataset}.t (x) VALUES (2)")
    assert len(rows(client, f"SELECT * FROM {dataset}.t")) == 2
    rows(client, f"CREATE OR REPLACE TABLE {dataset}.t AS SELECT 'a' AS y, 1 AS x")
    assert rows(client, f"SELECT * FROM {dataset}.t") == [("a", 1)]
