"""DML, DDL and scripts: counts, transactions, child jobs."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from google.api_core.exceptions import BadRequest, InternalServerError, NotFound
from google.cloud.bigquery import ArrayQueryParameter, Client, LoadJobConfig, QueryJobConfig

ALL = "day >= '2024-01-01'"


def count(client: Client, sales: str) -> int:
    return int(next(iter(client.query(f"SELECT COUNT(*) AS n FROM {sales} WHERE {ALL}").result())).n)


def run(client: Client, sql: str, *parameters: Any) -> Any:
    job = client.query(sql, job_config=QueryJobConfig(query_parameters=parameters))
    job.result()
    return job


def test_insert_update_and_delete_count_their_rows(client: Client, sales: str) -> None:
    job = run(client, f"INSERT INTO {sales} (id, day) VALUES (100, '2024-01-09'), (101, '2024-01-09')")
    assert (job.num_dml_affected_rows, job.dml_stats.inserted_row_count, job.statement_type) == (2, 2, "INSERT")
    job = run(client, f"UPDATE {sales} SET note = 'x' WHERE day = '2024-01-09'")
    assert (job.num_dml_affected_rows, job.dml_stats.updated_row_count) == (2, 2)
    job = run(client, f"DELETE FROM {sales} WHERE day = '2024-01-09' AND id = 100")
    assert (job.num_dml_affected_rows, job.dml_stats.deleted_row_count) == (1, 1)
    assert count(client, sales) == 31


def test_merge_with_a_list_of_days_counts_inserts_and_updates(client: Client, dataset: str, sales: str) -> None:
    staged = [
        {"id": number, "day": f"2024-01-0{number % 3 + 1}", "amount": "9", "note": "new"} for number in range(25, 40)
    ]
    client.load_table_from_json(staged, f"{dataset}.staged", job_config=_config(client, sales)).result()
    days = ArrayQueryParameter("days", "DATE", ["2024-01-01", "2024-01-02", "2024-01-03"])
    job = run(
        client,
        f"""
        MERGE {sales} AS target
        USING (SELECT id, day, amount, note FROM {dataset}.staged) AS source
        ON target.id = source.id AND target.day = source.day AND target.day IN UNNEST(@days)
        WHEN MATCHED THEN UPDATE SET amount = source.amount, note = source.note
        WHEN NOT MATCHED THEN INSERT (id, day, amount, note) VALUES (source.id, source.day, source.amount, source.note)
        """,
        days,
    )
    stats = job.dml_stats
    assert (stats.inserted_row_count, stats.updated_row_count, stats.deleted_row_count) == (10, 5, 0)
    assert (job.num_dml_affected_rows, job.statement_type) == (15, "MERGE")
    assert count(client, sales) == 40


REPLACE = """
    MERGE INTO {sales} AS t
    USING (SELECT id, day, amount FROM {staged} WHERE day IN UNNEST(@periods)) AS s
    ON FALSE
    WHEN NOT MATCHED BY SOURCE {bound} THEN DELETE
    WHEN NOT MATCHED BY TARGET THEN INSERT (id, day, amount) VALUES (s.id, s.day, {amount})
"""
BOUND = "AND t.day IN UNNEST(@periods)"
PERIODS = ArrayQueryParameter("periods", "DATE", ["2024-01-02", "2024-01-07"])


def stage(client: Client, dataset: str, sales: str) -> str:
    rows = [{"id": 1, "day": "2024-01-02", "amount": "9"}, {"id": 2, "day": "2024-01-03"}]
    client.load_table_from_json(rows, f"{dataset}.staged", job_config=_config(client, sales)).result()
    return f"{dataset}.staged"


def test_a_merge_on_false_replaces_days_and_is_billed_for_them_alone(client: Client, dataset: str, sales: str) -> None:
    sql = REPLACE.format(sales=sales, staged=stage(client, dataset, sales), bound=BOUND, amount="s.amount")
    whole = client.get_table(sales).num_bytes
    assert whole is not None
    job = run(client, sql, PERIODS)
    stats = job.dml_stats
    assert (stats.inserted_row_count, stats.updated_row_count, stats.deleted_row_count) == (1, 0, 10)
    assert (job.num_dml_affected_rows, job.statement_type) == (11, "MERGE")
    assert whole / 3 < job.total_bytes_processed < whole / 2 + 100
    assert count(client, sales) == 21


def test_a_merge_on_false_without_a_bound_is_refused(client: Client, dataset: str, sales: str) -> None:
    sql = REPLACE.format(sales=sales, staged=stage(client, dataset, sales), bound="AND t.id > 0", amount="s.amount")
    with pytest.raises(BadRequest, match="without a filter over column"):
        run(client, sql, PERIODS)


def test_a_merge_on_false_that_fails_leaves_the_old_rows(client: Client, dataset: str, sales: str) -> None:
    sql = REPLACE.format(
        sales=sales, staged=stage(client, dataset, sales), bound=BOUND, amount="CAST(1 / (s.id - 1) AS NUMERIC)"
    )
    with pytest.raises(BadRequest):
        run(client, sql, PERIODS)
    assert count(client, sales) == 30


def test_too_dear_a_merge_is_refused_before_it_starts(client: Client, dataset: str, sales: str) -> None:
    sql = REPLACE.format(sales=sales, staged=stage(client, dataset, sales), bound=BOUND, amount="s.amount")
    job = client.query(sql, job_config=QueryJobConfig(query_parameters=[PERIODS], maximum_bytes_billed=1))
    with pytest.raises((BadRequest, InternalServerError)):
        job.result()
    assert job.error_result is not None
    assert job.error_result["reason"] == "bytesBilledLimitExceeded"
    assert count(client, sales) == 30


def _config(client: Client, table: str) -> LoadJobConfig:
    return LoadJobConfig(schema=client.get_table(table).schema)


def test_a_merge_whose_source_repeats_a_key_is_refused(client: Client, sales: str) -> None:
    with pytest.raises(BadRequest):
        run(
            client,
            f"""MERGE {sales} t USING (SELECT 1 AS id, n FROM UNNEST([1, 2]) AS n) s
            ON t.id = s.id AND t.day IN ('2024-01-02') WHEN MATCHED THEN UPDATE SET note = 'twice'""",
        )


def test_a_null_for_a_required_column_is_refused(client: Client, sales: str) -> None:
    with pytest.raises(BadRequest, match="null"):
        run(client, f"INSERT INTO {sales} (day) VALUES ('2024-01-09')")
    assert count(client, sales) == 30


def test_a_committed_transaction_stays(client: Client, sales: str) -> None:
    script = f"""
        BEGIN TRANSACTION;
        DELETE FROM {sales} WHERE day = '2024-01-01';
        INSERT INTO {sales} (id, day) VALUES (1000, '2024-01-01');
        COMMIT TRANSACTION;
    """
    job = run(client, script)
    assert job.statement_type == "SCRIPT"
    assert count(client, sales) == 21


def test_a_rolled_back_transaction_leaves_nothing(client: Client, sales: str) -> None:
    run(client, f"BEGIN TRANSACTION; DELETE FROM {sales} WHERE day = '2024-01-01'; ROLLBACK TRANSACTION;")
    assert count(client, sales) == 30


def test_a_failure_inside_a_transaction_rolls_it_back(client: Client, sales: str) -> None:
    script = f"""
        BEGIN TRANSACTION;
        DELETE FROM {sales} WHERE day = '2024-01-01';
        SELECT 1 / 0;
        COMMIT TRANSACTION;
    """
    with pytest.raises(BadRequest):
        run(client, script)
    assert count(client, sales) == 30
    assert run(client, f"DELETE FROM {sales} WHERE day = '2024-01-01'").num_dml_affected_rows == 10


def test_a_transaction_left_open_is_rolled_back_and_said_so(client: Client, sales: str) -> None:
    with pytest.raises(BadRequest, match="not committed"):
        run(client, f"BEGIN TRANSACTION; DELETE FROM {sales} WHERE day = '2024-01-01';")
    assert count(client, sales) == 30


def test_a_script_has_a_child_job_for_each_statement(client: Client, sales: str) -> None:
    script = f"""
        DECLARE v_day DATE DEFAULT DATE '2024-01-02';
        UPDATE {sales} SET note = 'x' WHERE day = v_day;
        SELECT COUNT(*) AS n FROM {sales} WHERE day = v_day AND note = 'x';
    """
    job = client.query(script)
    assert [row.n for row in job.result()] == [10]
    children = list(client.list_jobs(parent_job=job))
    assert sorted(str(child.statement_type) for child in children) == ["SELECT", "UPDATE"]
    assert {child.parent_job_id for child in children} == {job.job_id}
    assert job.job_id not in [each.job_id for each in children]


def test_writers_wait_for_each_other_and_lose_nothing(client: Client, sales: str) -> None:
    def add(number: int) -> None:
        run(client, f"INSERT INTO {sales} (id, day) VALUES ({number}, '2024-01-05')")

    threads = [threading.Thread(target=add, args=(number,)) for number in range(100, 116)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert count(client, sales) == 46


def test_ddl_makes_changes_and_drops_tables(client: Client, dataset: str) -> None:
    run(
        client,
        f"""CREATE TABLE {dataset}.made (id INT64 NOT NULL, day DATE, amount NUMERIC)
        PARTITION BY day CLUSTER BY id OPTIONS (description = 'by SQL', require_partition_filter = TRUE)""",
    )
    table = client.get_table(f"{dataset}.made")
    assert table.time_partitioning is not None
    assert (table.time_partitioning.field, table.clustering_fields, table.description) == ("day", ["id"], "by SQL")
    assert table.require_partition_filter is True
    run(client, f"ALTER TABLE {dataset}.made ADD COLUMN note STRING")
    assert [item.name for item in client.get_table(f"{dataset}.made").schema] == ["id", "day", "amount", "note"]
    run(client, f"CREATE OR REPLACE TABLE {dataset}.copy AS SELECT 1 AS x, NUMERIC '2.5' AS y")
    assert [tuple(map(str, row)) for row in client.list_rows(f"{dataset}.copy")] == [("1", "2.5")]
    run(client, f"CREATE VIEW {dataset}.seen AS SELECT x FROM {dataset}.copy")
    assert client.get_table(f"{dataset}.seen").table_type == "VIEW"
    run(client, f"DROP TABLE {dataset}.made")
    with pytest.raises(NotFound):
        client.get_table(f"{dataset}.made")
