"""BigQuery's adapter and the meter: what is told of each job, and whose jobs are outwaited."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import pytest

from shared.adapters import storage
from shared.adapters.meter import FinishedJob, PlannedJob
from shared.adapters.warehouse import BigQueryWarehouse, bigquery_client
from shared.adapters.warehouse_sql import monitoring_sql
from shared.errors import NotInWarehouse, QueryRefused
from tests.contract.adapters.servers import BUCKET, PROJECT, settings_for
from tests.contract.adapters.test_warehouse import SCHEMA, THREE_ROWS, cloud

__all__ = ["cloud"]


@dataclass
class Told:
    """A meter that keeps what it is told."""

    planned: list[PlannedJob] = field(default_factory=list)
    finished: list[FinishedJob] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)

    def admit(self, job: PlannedJob) -> None:
        self.planned.append(job)

    def record(self, job: FinishedJob) -> None:
        self.finished.append(job)

    def running(self, target: str) -> list[str]:
        return self.unknown if target else []


@pytest.fixture
def told() -> Told:
    return Told()


@pytest.fixture
def metered(cloud: BigQueryWarehouse, told: Told) -> BigQueryWarehouse:
    assert cloud, "the server that the client finds"
    return BigQueryWarehouse(settings_for(""), "a_stage", patience=5, meter=told)


def test_the_meter_is_told_of_each_job_before_and_after_it(metered: BigQueryWarehouse, told: Told) -> None:
    name = f"metered_{uuid.uuid4().hex}"
    storage.client(PROJECT).bucket(BUCKET).blob(f"{name}.csv").upload_from_string(THREE_ROWS)
    metered.load_csv(f"staging.{name}", [f"gs://{BUCKET}/{name}.csv"], SCHEMA, f"{name}-load", label="sales.users")
    metered.run(f"SELECT id, name FROM staging.{name}", {}, table="marts.m")
    metered.run(f"SELECT id FROM staging.{name}", {}, f"{name}-into", table="marts.m", into=f"staging.{name}_2")
    metered.run(
        f"-- Two.\nUPDATE staging.{name} SET name = 'x' WHERE id > 1", {}, f"{name}-dml", table=f"staging.{name}"
    )
    assert [(job.table, job.target, job.kind) for job in told.planned] == [
        ("sales.users", f"staging.{name}", "load"),
        ("marts.m", "", "query"),
        ("marts.m", f"staging.{name}_2", "query"),
        (f"staging.{name}", f"staging.{name}", "dml"),
    ]
    assert [job.job_id for job in told.finished] == [job.job_id for job in told.planned]
    assert [job.state for job in told.finished] == ["done"] * 4
    assert [job.bytes_billed for job in told.finished] == [0, *[10 * 2**20] * 3]
    assert [told.finished[0].rows, told.finished[3].rows] == [3, 2]
    assert {job.stage for job in told.planned} == {"a_stage"}


def test_rows_that_a_statement_deletes_are_not_counted_as_written(metered: BigQueryWarehouse, told: Told) -> None:
    table = f"staging.replaced_{uuid.uuid4().hex}"
    metered.run(f"CREATE TABLE {table} AS SELECT n FROM UNNEST([1, 2, 3]) AS n", {}, table=table)
    metered.run(
        f"MERGE INTO {table} AS t USING (SELECT n FROM UNNEST([7, 8]) AS n) AS s ON FALSE "
        "WHEN NOT MATCHED BY SOURCE THEN DELETE WHEN NOT MATCHED BY TARGET THEN INSERT (n) VALUES (s.n)",
        {}, table=table,
    )  # fmt: skip
    metered.run(f"UPDATE {table} SET n = 9 WHERE n = 7", {}, table=table)
    metered.run(f"DELETE FROM {table} WHERE TRUE", {}, table=table)
    assert [job.rows for job in told.finished[1:]] == [2, 1, 0]


def test_the_meter_is_told_of_a_failure_and_of_each_attempt(metered: BigQueryWarehouse, told: Told) -> None:
    job = f"failing-{uuid.uuid4().hex}"
    for _ in range(2):
        with pytest.raises(NotInWarehouse):
            metered.run("INSERT INTO staging.no_such_table (n) VALUES (1)", {}, job)
    failed = [(one.job_id, one.state, one.error) for one in told.finished]
    assert {found for found in failed if found[0] == f"{job}-1"} == {(f"{job}-1", "failed", "notFound")}
    assert {state for _, state, _ in failed} == {"failed"}


def test_what_a_dead_process_left_running_is_outwaited_before_its_table_is_written(
    metered: BigQueryWarehouse, told: Told
) -> None:
    name = f"orphan-{uuid.uuid4().hex}"
    table = f"staging.{name.replace('-', '_')}"
    metered.run(f"CREATE TABLE {table} (n INT64)", {})
    many = "UNNEST(GENERATE_ARRAY(1, 5000))"
    slow = f"INSERT INTO {table} (n) SELECT COUNT(*) FROM {many} AS a CROSS JOIN {many} AS b WHERE MOD(a * b, 7) = 3"
    client = bigquery_client(settings_for(""))
    client.query(slow, job_id=f"{name}-slow-1", job_retry=None)
    client.query("INSERT INTO staging.no_such_table (n) VALUES (1)", job_id=f"{name}-failed-1", job_retry=None)
    told.finished.clear()
    told.unknown = [f"{name}-slow-1", f"{name}-never-made-1", f"{name}-failed-1"]
    metered.run(f"INSERT INTO {table} (n) VALUES (1)", {}, f"{name}-next", table=table)
    assert [(job.job_id, job.state) for job in told.finished] == [
        (f"{name}-slow-1", "done"), (f"{name}-failed-1", "failed"), (f"{name}-next-1", "done"),
    ]  # fmt: skip
    client.close()  # type: ignore[no-untyped-call]


def test_without_a_limit_of_its_own_a_query_has_that_of_the_setting(cloud: BigQueryWarehouse, told: Told) -> None:
    table = f"staging.wide_{uuid.uuid4().hex}"
    cloud.run(f"CREATE TABLE {table} AS SELECT n FROM UNNEST(GENERATE_ARRAY(1, 2000000)) AS n", {})
    narrow = BigQueryWarehouse(replace(settings_for(""), max_bytes_billed=10 * 2**20), patience=5, meter=told)
    with pytest.raises(QueryRefused, match="MAX_BYTES_BILLED"):
        narrow.run(f"SELECT SUM(n) AS n FROM {table}", {})
    assert narrow.run(f"SELECT SUM(n) AS n FROM {table}", {}, most_bytes=20 * 2**20)
    assert [one.state for one in told.finished] == ["failed", "done"]


def test_what_ran_is_read_from_the_system_view_with_its_labels(metered: BigQueryWarehouse, told: Told) -> None:
    metered.run("SELECT 1 AS n", {}, table="marts.m")
    script = "DECLARE v_n INT64 DEFAULT 1; SELECT v_n AS n; SELECT v_n + 1 AS n;"
    metered.run(script, {}, f"script-{uuid.uuid4().hex}", table="marts.m")
    now = datetime.now(UTC)
    sql = monitoring_sql("jobs").replace("${region}", "eu")
    span = {"since": now - timedelta(minutes=5), "until": now + timedelta(minutes=5)}
    found = {row["job_id"]: row for row in metered.run(sql, span)}
    ours = [found[job.job_id] for job in told.finished[:2]]
    labels = [{one["key"]: one["value"] for one in row["labels"]} for row in ours]
    assert labels == [{"app": "sluice", "stage": "a_stage", "table": "marts__m"}] * 2
    assert [row["statement_type"] for row in ours] == ["SELECT", "SCRIPT"]
    assert all(row["total_slot_ms"] is not None and row["end_time"] >= row["creation_time"] for row in ours)
    assert not [row for row in found.values() if row["query"] in ("SELECT v_n AS n", "SELECT v_n AS n;")], "children"
    assert metered.run(sql, {**span, "until": span["since"]}) == []
