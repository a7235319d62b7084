"""product_api: the simulated catalogue answers page by page, with its numbers as they were written."""

from __future__ import annotations

import json
import time
from datetime import datetime
from typing import Any

import pytest

from local.stack import PRODUCT_DATA
from shared.adapters.product_api import Page, ProductApi
from shared.events import parse_time
from tests.functions.harness import LAKE, Cloud

ITEMS = [
    f'{{"product_id":"p{number}","price":{number}.10,"updated_at":"2026-03-0{number}T00:00:00Z"}}'
    for number in range(1, 6)
]


@pytest.fixture(autouse=True)
def served(cloud: Cloud) -> None:
    """Five products, one changed each day."""
    cloud.put(PRODUCT_DATA, ("\n".join(ITEMS) + "\n\n").encode(), LAKE)


def page(cloud: Cloud, query: str) -> dict[str, Any]:
    answer = cloud.get("product_api", f"/products{query}")
    assert answer.status_code == 200
    body: dict[str, Any] = answer.get_json()
    body["ids"] = [item["product_id"] for item in body.pop("items")]
    return body


@pytest.mark.parametrize(
    ("query", "ids", "pages"),
    [
        ("", ["p1", "p2", "p3", "p4", "p5"], 1),
        ("?page_size=2", ["p1", "p2"], 3),
        ("?page=2&page_size=2", ["p3", "p4"], 3),
        ("?page=3&page_size=2", ["p5"], 3),
        ("?page=4&page_size=2", [], 3),
    ],
)
def test_the_catalogue_is_served_page_by_page(cloud: Cloud, query: str, ids: list[str], pages: int) -> None:
    body = page(cloud, query)
    assert (body["ids"], body["pages"], body["total"]) == (ids, pages, 5)


def test_only_what_changed_since_is_served_and_counted(cloud: Cloud) -> None:
    body = page(cloud, "?updated_since=2026-03-04T00:00:00%2B00:00&page_size=1&page=2")
    assert body == {"ids": ["p5"], "page": 2, "pages": 2, "total": 2}


def test_a_product_without_a_time_counts_as_changed(cloud: Cloud) -> None:
    cloud.put(PRODUCT_DATA, b'{"product_id":"p9"}\n', LAKE)
    assert page(cloud, "?updated_since=2026-03-04T00:00:00Z")["ids"] == ["p9"]


def test_another_catalogue_is_served_from_its_arrival_on(cloud: Cloud) -> None:
    assert page(cloud, "")["total"] == 5
    cloud.put(PRODUCT_DATA, (ITEMS[0] + "\n").encode(), LAKE)
    assert page(cloud, "")["total"] == 1


def test_prices_are_served_as_they_were_written(cloud: Cloud) -> None:
    assert '"price":1.10' in cloud.get("product_api", "/products").get_data(as_text=True)


@pytest.mark.parametrize(
    "query",
    ["page=0", "page=x", "page=-1", "page_size=0", "page_size=1001", "page_size=1.5", "updated_since=yesterday"],
)
def test_a_parameter_that_makes_no_sense_is_refused_and_explained(cloud: Cloud, query: str) -> None:
    answer = cloud.get("product_api", f"/products?{query}")
    assert answer.status_code == 400
    assert "page" in json.loads(answer.get_data())["error"]


@pytest.mark.parametrize("path", ["/", "/product", "/products/p1"])
def test_any_other_path_is_not_found(cloud: Cloud, path: str) -> None:
    assert cloud.get("product_api", path).status_code == 404


def test_a_catalogue_that_is_not_there_is_empty(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PRODUCT_API_DATA", f"gs://{LAKE}/not/there.ndjson")
    assert page(cloud, "") == {"ids": [], "page": 1, "pages": 0, "total": 0}


def test_a_setting_that_names_no_object_is_a_failure(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PRODUCT_API_DATA", "products.ndjson")
    assert cloud.get("product_api", "/products").status_code == 500


def test_the_adapter_reads_the_simulation_as_it_reads_the_shop(cloud: Cloud, product_api_url: str) -> None:
    assert cloud.get("product_api", "/products").status_code == 200

    def read(number: int, since: datetime | None = None) -> Page:
        with ProductApi(product_api_url) as api:
            return api.page(number, since=since, page_size=2, label="-", deadline=time.monotonic() + 30)

    assert [read(1), read(3)] == [Page([i.encode() for i in items], 3, 5) for items in (ITEMS[:2], ITEMS[4:])]
    assert read(1, parse_time("2026-03-05T00:00:00Z")) == Page([ITEMS[4].encode()], 1, 1)
