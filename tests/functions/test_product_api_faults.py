"""The simulated product API goes wrong on the wire as it is told to, and the extraction gets through it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import httpx
import msgspec
import pytest

from functions.extract_products.main import run
from local.product_api.plan import make_plan
from local.stack import PRODUCT_DATA
from shared.adapters.memory import MemoryPublisher, MemoryStore
from shared.adapters.postgres import Session
from shared.adapters.product_api import ProductApi
from shared.entrypoint import Outcome
from shared.events import ScheduledCall
from shared.messages import Validated
from tests.functions.extracting import clear_extractions
from tests.functions.harness import LAKE, LANDING, Cloud, settings
from tests.functions.validating import Bench as Validating
from tests.functions.validating import cells

ITEMS = [
    f'{{"product_id":"p{number}","name":"P","category":"C","price":"{number}.10","inventory_count":1,'
    f'"supplier_id":"s","updated_at":"2026-03-01T00:00:00Z"}}'
    for number in range(1, 6)
]


class Api:
    """The simulation by HTTP; `url` is what PRODUCT_API_URL would be."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._control = f"{url}/simulation"
        self._client = httpx.Client()

    def tell(self, *faults: str, **more: Any) -> None:
        assert (
            self._client.put(self._control, content=msgspec.json.encode(make_plan(faults, **more))).status_code == 200
        )

    def close(self) -> None:
        self.clear()
        self._client.close()

    def clear(self) -> None:
        assert self._client.delete(self._control).status_code == 200

    def served(self) -> dict[str, Any]:
        told: dict[str, Any] = self._client.get(self._control).json()["served"]
        return told

    def get(self, timeout: float = 5.0) -> httpx.Response:
        return self._client.get(f"{self.url}/products", params={"page_size": 2}, timeout=timeout)


@pytest.fixture
def api(cloud: Cloud, product_api_url: str) -> Iterator[Api]:
    """Five products, and all well again behind the test."""
    cloud.put(PRODUCT_DATA, "\n".join(ITEMS).encode(), LAKE)
    made = Api(product_api_url)
    made.clear()
    yield made
    made.close()


def extract(session: Session, api: Api, store: MemoryStore, timeout: float = 0.3) -> Outcome:
    """One run by the adapters as they are, two products a page."""
    clear_extractions(session)
    at = datetime(2026, 3, 1, 3, tzinfo=UTC)
    with ProductApi(api.url, timeout_seconds=timeout) as adapter:
        return run(
            ScheduledCall("extract_products", at), now=at, session=session, store=store, api=adapter,
            publisher=MemoryPublisher(), settings=settings(PRODUCT_PAGE_SIZE="2"),
        )  # fmt: skip


def validated(store: MemoryStore) -> tuple[Validated, list[list[str]], list[list[str]]]:
    """What validate says of the catalogue that landed: its message, the good and the bad rows."""
    (name,) = store.names(LANDING)
    bench = Validating()
    bench.run(bench.chunk(store.read(LANDING, name), "products", rows=5))
    told = bench.told()

    def rows(part: Any) -> list[list[str]]:
        return cells(bench.store.read(LAKE, part.object).decode() if part.object else part.inline) if part else []

    return told, rows(told.rows), rows(told.bad)


def test_without_a_plan_it_answers_as_the_function_does(cloud: Cloud, api: Api) -> None:
    assert api.get().content == cloud.get("product_api", "/products?page_size=2").get_data()
    assert httpx.get(f"{api.url}/products?page=0").status_code == 400
    assert httpx.get(f"{api.url}/nothing").status_code == 404
    assert api.served()["requests"] == 1


def test_a_429_tells_how_long_to_wait_and_an_early_request_is_counted(api: Api) -> None:
    for seconds, waited, early in ((30, 0, 1), (0.2, 0.2, 0)):
        api.tell(script="429,ok", retry_after=seconds)
        answer = api.get()
        assert (answer.status_code, answer.headers["Retry-After"]) == (429, f"{seconds}")
        time.sleep(waited)
        assert api.get().status_code == 200
        assert api.served()["early_requests"] == early


def test_5xx_are_errors_of_the_server(api: Api) -> None:
    api.tell("5xx=1")
    assert {api.get().status_code for _ in range(5)} <= {500, 502, 503, 504}


def test_a_truncated_body_is_shorter_than_its_length_says(api: Api) -> None:
    api.tell("truncate=1")
    with pytest.raises(httpx.RemoteProtocolError, match="without sending complete message body"):
        api.get()


def test_a_reset_is_one_on_the_wire(api: Api) -> None:
    api.tell("reset=1")
    with pytest.raises(httpx.ReadError, match="reset"):
        api.get()


def test_a_timeout_gives_no_answer(api: Api) -> None:
    api.tell("timeout=1", hang_seconds=0.5)
    with pytest.raises(httpx.ReadTimeout):
        api.get(timeout=0.1)


def test_a_body_may_be_no_json_and_a_total_may_be_wrong(api: Api) -> None:
    api.tell(script="not_json,wrong_total,ok")
    assert api.get().text.startswith("<html>")
    wrong, right = api.get().json(), api.get().json()
    assert (wrong.pop("total"), right.pop("total")) == (6, 5)
    assert wrong == right


@pytest.mark.parametrize(
    "body", [b"{", b'{"rates": {"418": 1}}', b'{"script": ["teapot"]}', b'{"rates": {"429": 2}}', b'{"color": 1}']
)
def test_a_plan_that_means_nothing_is_refused_and_changes_nothing(api: Api, body: bytes) -> None:
    answer = httpx.put(f"{api.url}/simulation", content=body)
    assert (answer.status_code, list(answer.json())) == (400, ["error"])
    assert api.get().status_code == 200


@pytest.mark.parametrize("kind", ["429", "5xx", "truncate", "timeout", "reset", "not_json", "wrong_total"])
def test_the_extraction_gets_through_each_kind_of_fault(session: Session, api: Api, kind: str) -> None:
    store = MemoryStore()
    api.tell(script=f"ok,{kind},ok,ok,ok,{kind if kind != 'wrong_total' else 'ok'}", retry_after=0.1, hang_seconds=0.5)
    assert extract(session, api, store) == Outcome("extracted", 5, 5)
    (name,) = store.names(LANDING)
    assert store.read(LANDING, name).decode().splitlines() == ITEMS
    served = api.served()
    assert served["faults"][kind] >= 1
    assert served["early_requests"] == 0


def test_a_renamed_and_an_added_field_are_kept_as_extra(session: Session, api: Api) -> None:
    store = MemoryStore()
    api.tell(schema=["rename:supplier_id=vendor", "add:colour=string"])
    extract(session, api, store)
    told, (names, *rows), _ = validated(store)
    assert (told.valid, told.quarantined) == (5, 0)
    assert {row[names.index("supplier_id")] for row in rows} == {r"\N"}
    assert rows[0][names.index("extra")] == '{"colour":"simulated","vendor":"s"}'


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ("drop:product_id", "missing_field"),
        ("rename:product_id=id", "missing_field"),
        ("retype:price=object", "invalid_value"),
    ],
)
def test_a_field_that_vanished_or_cannot_be_read_ends_in_quarantine(
    session: Session, api: Api, change: str, reason: str
) -> None:
    store = MemoryStore()
    api.tell(schema=[change])
    assert extract(session, api, store) == Outcome("extracted", 5, 5)
    told, _, (_, *bad) = validated(store)
    assert (told.received, told.valid) == (5, 0)
    assert {row[1] for row in bad} == {reason}


def test_a_price_that_became_a_number_is_the_same_price(session: Session, api: Api) -> None:
    store = MemoryStore()
    api.tell(schema=["retype:price=number"])
    extract(session, api, store)
    told, (names, *rows), _ = validated(store)
    assert told.valid == 5
    assert rows[0][names.index("price")] in ("1.1", "1.10")
