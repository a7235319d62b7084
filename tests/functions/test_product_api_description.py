"""docs/api/product-api.openapi.yaml is valid OpenAPI, and the simulation answers as it says."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import httpx
import jsonschema
import msgspec
import pytest
import yaml
from openapi_spec_validator import OpenAPIV31SpecValidator

from functions.product_api.main import MAX_PAGE_SIZE
from local.product_api.plan import make_plan
from local.stack import PRODUCT_DATA
from local.table import ROOT
from shared.schemas.rows import SCHEMAS
from tests.functions.harness import LAKE, Cloud

DOCUMENT: dict[str, Any] = yaml.safe_load((ROOT / "docs/api/product-api.openapi.yaml").read_text(encoding="utf-8"))
GET: dict[str, Any] = DOCUMENT["paths"]["/products"]["get"]
FULL = (
    '{"product_id":"p1","name":"N","category":"C","price":"1.10","inventory_count":3,"supplier_id":"s",'
    '"updated_at":"2026-03-01T00:00:00Z"}'
)
ITEMS = [FULL, '{"product_id":"p2","price":2.5,"colour":"red"}', '{"product_id":3,"name":null}']


@pytest.fixture(scope="module")
def client(product_api_url: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=product_api_url, follow_redirects=False) as made:
        yield made
        made.delete("/simulation")


@pytest.fixture(autouse=True)
def served(cloud: Cloud, client: httpx.Client) -> None:
    """Three products, and all well."""
    cloud.put(PRODUCT_DATA, "\n".join(ITEMS).encode(), LAKE)
    client.delete("/simulation")


def check(body: object, schema: dict[str, Any]) -> None:
    """Raises where the body is not as the description says."""
    jsonschema.validate(
        body,
        {**schema, "components": DOCUMENT["components"]},
        cls=jsonschema.Draft202012Validator,
        format_checker=jsonschema.Draft202012Validator.FORMAT_CHECKER,
    )


def check_answer(answer: httpx.Response) -> None:
    """Status, headers and body are those of a response in the description."""
    code = str(answer.status_code)
    described = GET["responses"].get(code) or GET["responses"][f"{code[0]}XX"]
    content = described["content"][answer.headers["Content-Type"].partition(";")[0]]
    check(answer.json(), content["schema"])


def test_it_is_valid_openapi() -> None:
    OpenAPIV31SpecValidator(DOCUMENT).validate()
    broken = json.loads(json.dumps(DOCUMENT))
    del broken["paths"]["/products"]["get"]["responses"]["200"]["description"]
    assert not OpenAPIV31SpecValidator(broken).is_valid()


@pytest.mark.parametrize(
    "query",
    ["", "page=2&page_size=2", "page=9", "updated_since=2026-03-02T00:00:00Z", "page=0", "page_size=1001", "page=x",
     "updated_since=yesterday"],
)  # fmt: skip
def test_every_answer_of_the_simulation_is_described(client: httpx.Client, query: str) -> None:
    check_answer(client.get(f"/products?{query}"))


def test_another_path_is_answered_as_described(client: httpx.Client) -> None:
    answer = client.get("/nothing")
    assert answer.status_code == 404
    check_answer(answer)


@pytest.mark.parametrize("kind", ["429", "5xx"])
def test_refusals_are_answered_as_described(client: httpx.Client, kind: str) -> None:
    client.put("/simulation", content=msgspec.json.encode(make_plan(script=kind)))
    answer = client.get("/products")
    assert answer.status_code >= 429
    check_answer(answer)
    assert ("Retry-After" in answer.headers) == (kind == "429")


@pytest.mark.parametrize(
    "body",
    [{"items": [], "pages": 1}, {"items": [{"name": "x"}], "pages": 1, "total": 1},
     {"items": [], "pages": -1, "total": 0}, {"items": [{"product_id": "p", "price": True}], "pages": 1, "total": 1}],
)  # fmt: skip
def test_the_description_refuses_what_is_no_page(body: dict[str, Any]) -> None:
    with pytest.raises(jsonschema.ValidationError):
        check(body, {"$ref": "#/components/schemas/Page"})


def test_its_example_fits() -> None:
    content = GET["responses"]["200"]["content"]["application/json"]
    check(content["example"], content["schema"])


def test_a_product_has_the_fields_of_its_schema() -> None:
    product = DOCUMENT["components"]["schemas"]["Product"]
    fields = SCHEMAS["products"].fields
    assert set(product["properties"]) == set(fields)
    assert set(product["required"]) == {name for name, field in fields.items() if field.required}


def test_its_limits_are_those_of_the_simulation() -> None:
    parameters = {parameter["name"]: parameter["schema"] for parameter in GET["parameters"]}
    assert parameters["page_size"]["maximum"] == MAX_PAGE_SIZE
