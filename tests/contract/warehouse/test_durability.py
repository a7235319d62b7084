"""What survives a stop, a start and a kill."""

from __future__ import annotations

import threading
import time
from typing import Any

import pytest
from google.cloud.bigquery import Client

from tests.contract.warehouse.conftest import MakeClient, make_sales
from tests.contract.warehouse.program import Program

COUNT = "SELECT COUNT(*) AS n FROM d.sales WHERE day >= '2024-01-01'"


def count(client: Client) -> int:
    return int(next(iter(client.query(COUNT).result())).n)


@pytest.fixture
def own_client(own_server: Program, make_client: MakeClient) -> Client:
    client = make_client(own_server.url)
    client.create_dataset("d")
    make_sales(client, "d.sales")
    return client


def test_everything_is_there_after_stop_and_start(own_server: Program, own_client: Client) -> None:
    job = own_client.query("UPDATE d.sales SET note = 'kept' WHERE day = '2024-01-01'")
    job.result()
    assert own_server.stop() == 0
    own_server.start()
    assert count(own_client) == 30
    assert own_client.get_table("d.sales").require_partition_filter is True
    again: Any = own_client.get_job(job.job_id)
    assert again.num_dml_affected_rows == 10


def test_what_was_answered_is_there_after_a_kill(own_server: Program, own_client: Client) -> None:
    job = own_client.query("DELETE FROM d.sales WHERE day = '2024-01-01'")
    job.result()
    own_server.kill()
    own_server.start()
    assert count(own_client) == 20
    assert own_client.get_job(job.job_id).state == "DONE"


def test_a_job_that_was_killed_has_failed_and_left_nothing(own_server: Program, own_client: Client) -> None:
    script = """
        BEGIN TRANSACTION;
        DELETE FROM d.sales WHERE day = '2024-01-01';
        SELECT COUNT(*) FROM UNNEST(GENERATE_ARRAY(1, 100000)) AS a CROSS JOIN UNNEST(GENERATE_ARRAY(1, 100000)) AS b
        WHERE MOD(a * b, 7) = 3;
        COMMIT TRANSACTION;
    """
    starter = threading.Thread(target=own_client.query, args=(script,), kwargs={"job_id": "killed", "job_retry": None})
    starter.start()
    starter.join()
    while own_client.get_job("killed").state == "PENDING":
        time.sleep(0.01)
    time.sleep(0.3)
    assert own_client.get_job("killed").state == "RUNNING"
    own_server.kill()
    own_server.start()
    found = own_client.get_job("killed")
    assert (found.state, found.error_result["reason"]) == ("DONE", "backendError")
    assert count(own_client) == 30


def test_a_stop_does_not_wait_for_a_long_query(own_server: Program, own_client: Client) -> None:
    numbers = "UNNEST(GENERATE_ARRAY(1, 100000))"
    sql = f"SELECT COUNT(*) AS n FROM {numbers} AS a CROSS JOIN {numbers} AS b WHERE MOD(a * b, 7) = 3"
    job = own_client.query(sql)
    started = time.monotonic()
    assert own_server.stop() == 0
    assert time.monotonic() - started < 25
    own_server.start()
    assert own_client.get_job(job.job_id).error_result["reason"] == "stopped"
