"""Queries: values, parameters, paging, destinations, and what they are said to read."""

from __future__ import annotations

import datetime as dt
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from typing import Any, cast

import pytest
from google.api_core.exceptions import BadRequest, Conflict, GoogleAPICallError, NotFound
from google.cloud.bigquery import (
    ArrayQueryParameter,
    Client,
    QueryJobConfig,
    ScalarQueryParameter,
    StructQueryParameter,
)

NUMBERS = "UNNEST(GENERATE_ARRAY(1, 100000))"
SOURCE = f"SELECT COUNT(*) AS n FROM {NUMBERS} AS a CROSS JOIN {NUMBERS} AS b"


def dry(client: Client, sql: str) -> int:
    return int(client.query(sql, job_config=QueryJobConfig(dry_run=True)).total_bytes_processed or 0)


def rows(client: Client, sql: str, *parameters: Any, **config: Any) -> list[tuple[Any, ...]]:
    job = client.query(sql, job_config=QueryJobConfig(query_parameters=parameters, **config))
    return [tuple(row) for row in job.result()]


def test_every_type_comes_back_as_itself(client: Client) -> None:
    found = rows(
        client,
        """SELECT 9007199254740993 AS i, 1.5 AS f, NUMERIC '12.50' AS n, TRUE AS b, 'é' AS s, @y AS y,
             DATE '2024-02-29' AS d, TIMESTAMP '2024-01-01 10:00:00.123456+00:00' AS t,
             DATETIME '2024-01-01 10:00:00' AS dt, TIME '10:11:12' AS ti, [1, 2] AS a,
             STRUCT(1 AS x, 'z' AS y) AS st, CAST(NULL AS STRING) AS nothing""",
        ScalarQueryParameter("y", "BYTES", cast(str, b"ab")),
    )
    moment = dt.datetime(2024, 1, 1, 10, 0, 0, 123456, dt.UTC)
    naive = moment.replace(tzinfo=None, microsecond=0)
    plain = (9007199254740993, 1.5, Decimal("12.5"), True, "é", b"ab", dt.date(2024, 2, 29), moment)
    assert found == [(*plain, naive, dt.time(10, 11, 12), [1, 2], {"x": 1, "y": "z"}, None)]


def test_scalar_parameters_keep_their_types(client: Client) -> None:
    moment = dt.datetime(2024, 1, 1, 10, tzinfo=dt.UTC)
    given: list[tuple[str, str, Any]] = [
        ("i", "INT64", 5),
        ("n", "NUMERIC", Decimal("1.25")),
        ("s", "STRING", "it's"),
        ("d", "DATE", dt.date(2024, 1, 1)),
        ("t", "TIMESTAMP", moment),
        ("b", "BOOL", False),
        ("z", "STRING", None),
    ]
    parameters = [ScalarQueryParameter(*each) for each in given]
    found = rows(client, "SELECT @i AS i, @n AS n, @s AS s, @d AS d, @t AS t, @b AS b, @z AS z", *parameters)
    assert found == [tuple(value for _name, _kind, value in given)]


def test_array_and_struct_parameters(client: Client) -> None:
    days = ArrayQueryParameter("days", "DATE", [dt.date(2024, 1, 1), dt.date(2024, 1, 2)])
    pair = StructQueryParameter("pair", ScalarQueryParameter("x", "INT64", 1), ScalarQueryParameter("y", "STRING", "a"))
    assert rows(client, "SELECT ARRAY_LENGTH(@days) AS n, @pair.y AS y", days, pair) == [(2, "a")]


def test_an_array_of_structs_can_be_unnested(client: Client) -> None:
    items = [
        StructQueryParameter(None, ScalarQueryParameter("k", "STRING", key), ScalarQueryParameter("v", "INT64", value))
        for key, value in (("a", 1), ("b", 2))
    ]
    parameter = ArrayQueryParameter("items", "RECORD", items)
    sql = "SELECT s.k AS k, s.v AS v FROM UNNEST(@items) AS s ORDER BY k"
    assert rows(client, sql, parameter) == [
        ("a", 1),
        ("b", 2),
    ]


def test_dry_run_bytes_fall_with_pruning_and_with_fewer_columns(client: Client, sales: str) -> None:
    everything = dry(client, f"SELECT * FROM {sales} WHERE day >= '2024-01-01'")
    one_day = dry(client, f"SELECT * FROM {sales} WHERE day = '2024-01-02'")
    narrow = dry(client, f"SELECT id FROM {sales} WHERE day = '2024-01-02'")
    assert (everything, one_day, narrow) == (30 * 44, 10 * 44, 10 * 16)


def test_a_dry_run_runs_nothing_and_gives_the_schema(client: Client, sales: str) -> None:
    job = client.query(f"DELETE FROM {sales} WHERE day = '2024-01-01'", job_config=QueryJobConfig(dry_run=True))
    assert job.state == "DONE"
    assert client.get_table(sales).num_rows == 30


def test_a_real_run_reports_the_bytes_that_its_parameters_leave(client: Client, sales: str) -> None:
    days = ArrayQueryParameter("days", "DATE", [dt.date(2024, 1, 1), dt.date(2024, 1, 3)])
    job = client.query(
        f"SELECT id FROM {sales} WHERE day IN UNNEST(@days)",
        job_config=QueryJobConfig(query_parameters=[days]),
    )
    assert job.result().total_rows == 20
    assert job.total_bytes_processed == 20 * 16


def test_filters_on_two_uses_of_a_with_query_do_not_cut_each_others_partitions_away(client: Client, sales: str) -> None:
    both = f"""
        WITH few AS (SELECT id, day FROM {sales} WHERE day IN (DATE '2024-01-01', DATE '2024-01-03'))
        SELECT id FROM few WHERE day < DATE '2024-01-02' UNION ALL SELECT id FROM few WHERE day >= DATE '2024-01-02'
    """
    assert dry(client, both) == 20 * 16


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT * FROM {t}",
        "SELECT * FROM {t} WHERE id = 1",
        "UPDATE {t} SET note = 'x' WHERE id = 1",
        "DELETE FROM {t} WHERE id = 1",
        "MERGE {t} t USING (SELECT 1 AS id) s ON t.id = s.id WHEN MATCHED THEN DELETE",
    ],
)
def test_a_table_that_requires_a_partition_filter_refuses_to_be_read_whole(
    client: Client, sales: str, statement: str
) -> None:
    with pytest.raises(BadRequest, match=r"without a filter over column\(s\) 'day' that can be used for partition"):
        client.query(statement.format(t=sales)).result()


def test_a_query_over_its_bytes_limit_is_refused(client: Client, sales: str) -> None:
    with pytest.raises(GoogleAPICallError, match="exceeded limit for bytes billed") as caught:
        rows(client, f"SELECT * FROM {sales} WHERE day = '2024-01-01'", maximum_bytes_billed=1000)
    assert caught.value.errors[0]["reason"] == "bytesBilledLimitExceeded"


def test_results_are_paged_by_the_jobs_api(client: Client) -> None:
    result = client.query("SELECT n FROM UNNEST(GENERATE_ARRAY(1, 12000)) AS n ORDER BY n").result(page_size=5000)
    pages = [[row.n for row in page] for page in result.pages]
    assert [len(page) for page in pages] == [5000, 5000, 2000]
    assert [n for page in pages for n in page] == list(range(1, 12001))
    assert result.total_rows == 12000


def test_results_can_be_read_from_an_index(client: Client) -> None:
    job = client.query("SELECT n FROM UNNEST(GENERATE_ARRAY(1, 10)) AS n ORDER BY n")
    assert [row.n for row in job.result(start_index=8)] == [9, 10]


def test_query_and_wait_gives_rows_without_a_second_call(client: Client) -> None:
    assert [tuple(row) for row in client.query_and_wait("SELECT 1 AS x, TIMESTAMP '2024-01-01' AS t")] == [
        (1, dt.datetime(2024, 1, 1, tzinfo=dt.UTC))
    ]


def test_a_destination_table_is_filled_by_its_disposition(client: Client, dataset: str) -> None:
    target = f"{client.project}.{dataset}.out"
    assert rows(client, "SELECT 1 AS x", destination=target) == [(1,)]
    with pytest.raises(Conflict):
        rows(client, "SELECT 2 AS x", destination=target, write_disposition="WRITE_EMPTY")
    rows(client, "SELECT 2 AS x", destination=target, write_disposition="WRITE_APPEND")
    assert sorted(row.x for row in client.list_rows(target)) == [1, 2]
    rows(client, "SELECT 'a' AS y", destination=target, write_disposition="WRITE_TRUNCATE")
    assert [row.y for row in client.list_rows(target)] == ["a"]


def test_a_destination_partition_is_replaced_alone(client: Client, sales: str) -> None:
    target = f"{client.project}.{sales}$20240102"
    sql = "SELECT 100 AS id, DATE '2024-01-02' AS day"
    client.query(sql, job_config=QueryJobConfig(destination=target, write_disposition="WRITE_TRUNCATE")).result()
    assert rows(
        client, f"SELECT day, COUNT(*) AS n FROM {sales} WHERE day >= '2024-01-01' GROUP BY day ORDER BY day"
    ) == [
        (dt.date(2024, 1, 1), 10),
        (dt.date(2024, 1, 2), 1),
        (dt.date(2024, 1, 3), 10),
    ]


def test_the_default_dataset_completes_names(client: Client, dataset: str, sales: str) -> None:
    default = f"{client.project}.{dataset}"
    assert sales.endswith(".sales")
    assert rows(client, "SELECT COUNT(*) AS n FROM sales WHERE day = '2024-01-01'", default_dataset=default) == [(10,)]


def test_a_statement_that_can_not_be_is_an_invalid_query(client: Client) -> None:
    with pytest.raises(BadRequest) as caught:
        client.query("SELEC 1").result()
    assert caught.value.errors[0]["reason"] == "invalidQuery"


def test_a_missing_table_is_not_found(client: Client, dataset: str) -> None:
    with pytest.raises(NotFound, match="Not found: Table"):
        client.query(f"SELECT 1 FROM {dataset}.nothing").result()


def test_a_view_over_a_table_that_requires_a_filter_needs_one_too(client: Client, dataset: str, sales: str) -> None:
    client.query(f"CREATE VIEW {dataset}.open_view AS SELECT id, day FROM {sales}").result()
    with pytest.raises(BadRequest, match="without a filter"):
        rows(client, f"SELECT id FROM {dataset}.open_view")
    assert dry(client, f"SELECT id FROM {dataset}.open_view WHERE day = '2024-01-01'") == 160


def test_a_query_over_its_time_limit_is_stopped(client: Client) -> None:
    sql = f"{SOURCE} WHERE MOD(a * b, 7) = 3"
    config = QueryJobConfig(job_timeout_ms=200)
    with pytest.raises(GoogleAPICallError, match="cancelled"):
        client.query(sql, job_config=config, job_retry=None).result()


def test_legacy_sql_and_positional_parameters_are_refused(client: Client) -> None:
    with pytest.raises(BadRequest, match="Legacy SQL is not supported"):
        client.query("SELECT 1", job_config=QueryJobConfig(use_legacy_sql=True)).result()
    with pytest.raises(BadRequest, match="POSITIONAL is not supported"):
        rows(client, "SELECT ?", ScalarQueryParameter(None, "INT64", 1))


def test_division_by_zero_and_overflow_are_errors(client: Client) -> None:
    for sql in ("SELECT 1 / 0 AS x", "SELECT SUM(n) AS x FROM UNNEST([9223372036854775807, 1]) AS n"):
        with pytest.raises(GoogleAPICallError):
            client.query(sql).result()


def test_fifty_small_queries_at_once_all_answer(client: Client, sales: str) -> None:
    sql = f"SELECT COUNT(*) AS n FROM {sales} WHERE day = '2024-01-01'"
    with ThreadPoolExecutor(50) as threads:
        found = list(threads.map(lambda _: [row.n for row in client.query_and_wait(sql)], range(50)))
    assert found == [[10]] * 50


def test_information_schema_tells_partitions_columns_and_jobs(client: Client, dataset: str, sales: str) -> None:
    job = client.query(f"SELECT id FROM {sales} WHERE day = '2024-01-01'")
    job.result()
    partitions = f"SELECT partition_id, total_rows FROM {dataset}.INFORMATION_SCHEMA.PARTITIONS ORDER BY 1"
    assert rows(client, partitions) == [("20240101", 10), ("20240102", 10), ("20240103", 10)]
    columns = f"SELECT column_name, data_type FROM {dataset}.INFORMATION_SCHEMA.COLUMNS WHERE is_nullable = 'NO'"
    assert sorted(rows(client, columns)) == [("day", "DATE"), ("id", "INT64")]
    jobs = "SELECT statement_type, total_bytes_processed FROM `region-eu`.INFORMATION_SCHEMA.JOBS WHERE job_id = @id"
    assert rows(client, jobs, ScalarQueryParameter("id", "STRING", job.job_id)) == [("SELECT", 160)]
