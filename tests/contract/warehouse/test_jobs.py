"""Jobs: ids, listing, cancelling, deleting."""

from __future__ import annotations

import time
import uuid
from typing import Any

import pytest
from google.api_core.exceptions import BadRequest, Conflict, NotFound
from google.cloud.bigquery import Client, LoadJobConfig, QueryJobConfig

from tests.contract.warehouse.conftest import SALES

SLOW = "SELECT COUNT(*) AS n FROM UNNEST(GENERATE_ARRAY(1, 100000)) AS a CROSS JOIN UNNEST(GENERATE_ARRAY(1, 100000)) AS b WHERE MOD(a * b, 7) = 3"  # noqa: E501


def test_a_job_id_is_used_once(client: Client) -> None:
    name = f"load-{uuid.uuid4().hex}"
    job = client.query("SELECT 1 AS x", job_id=name, job_retry=None)
    job.result()
    with pytest.raises(Conflict, match="Already Exists: Job"):
        client._connection.api_request(  # type: ignore[no-untyped-call]
            method="POST",
            path=f"/projects/{client.project}/jobs",
            data={
                "jobReference": {"projectId": client.project, "jobId": name},
                "configuration": {"query": {"query": "SELECT 2 AS x", "useLegacySql": False}},
            },
        )
    again: Any = client.get_job(name)
    assert [row.x for row in again.result()] == [1]


def test_a_failed_load_keeps_its_id_and_its_reason(client: Client, dataset: str) -> None:
    name = f"load-{uuid.uuid4().hex}"
    job = client.load_table_from_json(
        [{"id": "x", "day": "2024-01-01"}], f"{dataset}.t", job_id=name, job_config=LoadJobConfig(schema=SALES)
    )
    with pytest.raises(BadRequest):
        job.result()
    found = client.get_job(name)
    assert (found.state, found.error_result["reason"]) == ("DONE", "invalid")


def test_a_job_is_found_listed_and_deleted(client: Client) -> None:
    job = client.query("SELECT 1", job_config=QueryJobConfig(labels={"who": "test"}))
    job.result()
    found = client.get_job(job.job_id)
    assert (found.state, found.job_type, found.labels) == ("DONE", "query", {"who": "test"})
    assert job.job_id in [each.job_id for each in client.list_jobs(max_results=20)]
    client.delete_job_metadata(job.job_id)
    with pytest.raises(NotFound, match="Not found: Job"):
        client.get_job(job.job_id)


def test_jobs_are_listed_in_pages(client: Client) -> None:
    for _ in range(3):
        client.query("SELECT 1").result()
    listing = client.list_jobs(max_results=3, state_filter="done")
    assert len(list(listing)) == 3
    pages = client.list_jobs(page_size=2).pages
    first, second = [job.job_id for job in next(pages)], [job.job_id for job in next(pages)]
    assert (len(first), len(second), set(first) & set(second)) == (2, 2, set())


def test_a_running_query_can_be_cancelled(client: Client) -> None:
    job = client.query(SLOW)
    assert job.state == "RUNNING"
    client.cancel_job(job.job_id)
    deadline = time.monotonic() + 60
    while not client.get_job(job.job_id).done() and time.monotonic() < deadline:
        time.sleep(0.05)
    found = client.get_job(job.job_id)
    assert (found.state, found.error_result["reason"]) == ("DONE", "stopped")


def test_an_unknown_path_says_so(client: Client) -> None:
    with pytest.raises(NotFound, match="is not served by the local warehouse"):
        client.get_routine("x.y")
