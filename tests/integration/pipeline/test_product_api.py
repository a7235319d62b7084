"""The whole catalogue through an API that fails at every turn, with the functions killed in the middle of it."""

from __future__ import annotations

import contextlib
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest
from google.cloud import storage

from cli.cloud import run_job
from local.product_api.plan import make_plan
from local.stack import BUCKETS, PROJECT
from tests.integration.pipeline.harness import Pipeline, pipeline, wait_until

PRODUCTS = 10_000
PAGE_SIZE = 250
KILLS = 3


def catalogue(count: int) -> str:
    return "".join(
        json.dumps(
            {
                "product_id": f"P-{n:05d}", "name": f"Product {n}", "category": "Books", "price": f"{n % 90 + 1}.99",
                "inventory_count": n % 7, "supplier_id": f"S-{n % 50}", "updated_at": "2026-03-01T00:00:00Z",
            }
        ) + "\n"
        for n in range(count)
    )  # fmt: skip


@pytest.fixture
def running(monkeypatch: pytest.MonkeyPatch) -> Iterator[Pipeline]:
    monkeypatch.setenv("PRODUCT_PAGE_SIZE", str(PAGE_SIZE))
    with pipeline() as started:
        yield started


def control(running: Pipeline) -> str:
    assert running.run.cloud.endpoints
    return f"{running.run.cloud.endpoints.product_api}/simulation"


def served(running: Pipeline) -> dict[str, Any]:
    answer: dict[str, Any] = httpx.get(control(running)).json()["served"]
    return answer


@contextmanager
def called(running: Pipeline) -> Iterator[None]:
    """The function is called as the Scheduler does, again while it is busy; inside the `with` it is killed."""
    assert running.run.cloud.endpoints
    url = f"{running.run.cloud.endpoints.functions}/extract_products/"

    def call() -> None:
        with contextlib.suppress(httpx.HTTPError):
            while httpx.post(url, timeout=600).status_code == 503:
                time.sleep(0.1)

    caller = threading.Thread(target=call)
    caller.start()
    yield
    caller.join()


def test_ten_thousand_products_come_exactly_through_faults_and_three_kills(running: Pipeline, tmp_path: Path) -> None:
    (tmp_path / "products.ndjson").write_text(catalogue(PRODUCTS))
    running.serve_products(tmp_path / "products.ndjson")
    plan = make_plan(["429=0.2", "5xx=0.2", "truncate=0.05"], retry_after=0.2, seed=7)
    assert httpx.put(control(running), content=msgspec.json.encode(plan)).status_code == 200

    def reached(pages: int) -> bool:
        return bool(running.one("SELECT coalesce(max(pages_stored), 0) FROM pipeline.extraction") >= pages)

    for kill in range(1, KILLS + 1):
        with called(running):
            wait_until(partial(reached, 4 * kill), "some pages are stored")
            running.run.cloud.servers["functions"].kill()
        assert not reached(PRODUCTS // PAGE_SIZE)
        running.run.cloud.restart("functions")
    run_job(running.scheduler, "extract_products")
    wait_until(lambda: len(running.file_ids()) == 1, "the file is registered")
    running.run.wait_for(running.file_ids())

    assert running.one("SELECT count(*) FROM commerce.products WHERE NOT inferred") == PRODUCTS
    assert running.one("SELECT count(*) FROM commerce.products") == PRODUCTS
    (landed,) = running.file_ids()
    assert running.counts(landed) == {"received": PRODUCTS, "inserted": PRODUCTS}
    runs = running.sql("SELECT round, pages_stored, products, finished_at IS NOT NULL FROM pipeline.extraction")
    assert [list(run) for run in runs] == [[1, PRODUCTS // PAGE_SIZE, PRODUCTS, True]]
    assert running.one("SELECT count(*) FROM pipeline.alert") == 0

    told = served(running)
    assert set(told["faults"]) == {"429", "5xx", "truncate"}
    assert told["early_requests"] == 0
    pages = {page["page"]: page for page in told["pages"]}
    assert sorted(pages) == list(range(1, PRODUCTS // PAGE_SIZE + 1))
    assert sum(page["whole"] for page in pages.values()) <= len(pages) + KILLS  # a kill may come before the storing
    for blob in storage.Client(project=PROJECT).list_blobs(BUCKETS["LAKE_BUCKET"], prefix="extraction/products/"):
        page = pages.pop(int(blob.name.rpartition("/")[2].removesuffix(".ndjson")))
        assert datetime.fromisoformat(page["last_asked_at"]) < blob.time_created
    assert pages == {}
