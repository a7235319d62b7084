"""close_month by HTTP is as docs/api/close-month.openapi.yaml says, and its lines come to BigQuery once."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from typing import Any, cast

import jsonschema
import pytest
import yaml
from flask.testing import FlaskClient
from openapi_spec_validator import OpenAPIV31SpecValidator
from werkzeug.test import TestResponse

from functions.build_marts import main as build_marts
from functions.load_warehouse import main as load_warehouse
from local.stack import PROJECT, Endpoints
from local.table import ROOT
from shared.adapters.closing import open_day, publish_closes
from shared.adapters.feeds import mark_feed
from shared.adapters.memory import MemoryPublisher
from shared.adapters.migrations import migrate
from shared.adapters.ports import Warehouse
from shared.adapters.postgres import Session, connect
from shared.adapters.queries import rows_of
from shared.adapters.storage import CloudStorage
from shared.adapters.warehouse import BigQueryWarehouse
from shared.adapters.warehouse_sql import marts
from shared.errors import DependencyUnavailable, Inconsistent
from shared.settings import Settings
from tests.functions.harness import LAKE, push, sale, settings, unique
from tests.functions.lines import kept_lines
from tests.functions.stages import Feeding, load

DOCUMENT: dict[str, Any] = yaml.safe_load((ROOT / "docs/api/close-month.openapi.yaml").read_text(encoding="utf-8"))
POST: dict[str, Any] = DOCUMENT["paths"]["/"]["post"]
MAY = date(2003, 5, 1)
FILL_MART = """
    INSERT INTO marts.financial_reports (
        sale_date, booking_date, entry, is_closed, currency, payment_method, status, transactions, amount, gross,
        refunds, net, gross_base, refunds_base, net_base, rate, transactions_without_rate)
    SELECT sale_date, sale_date AS booking_date, 'sale' AS entry, FALSE AS is_closed, currency, payment_method,
        status, COUNT(*) AS transactions, SUM(amount) AS amount, SUM(gross) AS gross,
        SUM(refunds), SUM(net), SUM(gross_base), SUM(refunds_base), SUM(net_base), MAX(rate), COUNTIF(rate IS NULL)
    FROM sales.transactions WHERE sale_date = @day
    GROUP BY sale_date, currency, payment_method, status
"""
CLOSE_MART = "UPDATE marts.financial_reports SET is_closed = TRUE WHERE sale_date IN UNNEST(@days)"
LINES = """
    SELECT sale_date, entry, net, net_base, rate FROM sales.close_lines
    WHERE sale_date >= '2000-01-01' AND period = @period
"""
WAITING = "SELECT period FROM finance.close WHERE published_at IS NULL"
FORGET = "DELETE FROM sales.close_lines WHERE sale_date >= '2000-01-01' AND period = @period"
Give = Callable[..., TestResponse]


@dataclass
class Shop:
    """A database of the test's own beside the warehouse of all tests, whose sales are of other years."""

    session: Session
    warehouse: BigQueryWarehouse
    give: Give

    def sell(self, day: date, feed_mart: bool = True) -> None:
        feeding = Feeding(self.session, CloudStorage(PROJECT))
        load(self.session, [sale(timestamp=f"{day}T10:00:00Z", amount="12.50")])
        feed = feeding.feed()
        load_warehouse.run(
            push(feed, "load_warehouse-enriched"), session=self.session, warehouse=self.warehouse,
            publisher=MemoryPublisher(), settings=settings(),
        )  # fmt: skip
        mark_feed(self.session, feed.feed_id, "built")
        if feed_mart:
            self.fill_mart(day)

    def fill_mart(self, day: date) -> None:
        self.warehouse.run(FILL_MART, {"day": day})

    def publish(self, warehouse: Warehouse | None = None) -> list[date]:
        """The days that publishing has built anew."""
        days: list[date] = []
        publish_closes(self.session, CloudStorage(PROJECT), warehouse or self.warehouse, LAKE, touched=days.extend)
        if days:
            self.warehouse.run(CLOSE_MART, {"days": days})
        return days


@pytest.fixture(scope="module")
def shop(endpoints: Endpoints, clients: dict[str, FlaskClient]) -> Iterator[Shop]:
    with pytest.MonkeyPatch.context() as patch:
        made = _own_database(endpoints)
        patch.setenv("DATABASE_URL", made.database_url)
        session = connect(made, "tests")
        migrate(session)
        session.rows("ALTER TABLE pipeline.feed_batch ALTER COLUMN feed_id RESTART WITH 9000001")  # ids name jobs

        def give(body: Any, key: str = "", email: str = "operator@localhost", method: str = "POST") -> TestResponse:
            claims = base64.urlsafe_b64encode(json.dumps({"email": email, "email_verified": True}).encode()).decode()
            headers = {"Authorization": f"Bearer e30.{claims.rstrip('=')}.x", "Idempotency-Key": key or unique("key")}
            data = json.dumps(body).encode()
            return clients["close_month"].open("/", method=method, data=data, headers=headers)

        yield Shop(session, BigQueryWarehouse(made), give)
        session.close()


def _own_database(endpoints: Endpoints) -> Settings:
    shared = settings(**endpoints.environment())
    admin = connect(shared, "tests")
    admin.rows("CREATE DATABASE close_month")
    admin.close()
    base, _, query = shared.database_url.partition("?")
    url = f"{base.rpartition('/')[0]}/close_month" + (f"?{query}" if query else "")
    return replace(shared, database_url=url)


def check(body: object, schema: dict[str, Any]) -> None:
    jsonschema.validate(body, {**schema, "components": DOCUMENT["components"]}, cls=jsonschema.Draft202012Validator)


def answered(answer: TestResponse) -> tuple[int, dict[str, Any]]:
    """Status and body, as the description has them."""
    body: dict[str, Any] = answer.get_json()
    check(body, POST["responses"][str(answer.status_code)]["content"]["application/json"]["schema"])
    return answer.status_code, body


def test_it_is_valid_openapi_and_its_examples_fit() -> None:
    OpenAPIV31SpecValidator(DOCUMENT).validate()
    asked = POST["requestBody"]["content"]["application/json"]
    check(asked["example"], asked["schema"])
    told = POST["responses"]["200"]["content"]["application/json"]
    check(told["example"], told["schema"])
    with pytest.raises(jsonschema.ValidationError):
        check({"month": "2026-13"}, asked["schema"])


def test_only_a_month_ordered_by_an_operator_is_an_order(shop: Shop, clients: dict[str, FlaskClient]) -> None:
    for body in ({}, {"month": "may"}, {"month": "2003-05", "force": True}):
        assert answered(shop.give(body))[0] == 400
    assert answered(shop.give({"month": "2003-05"}, email="guest@localhost"))[0] == 403
    assert answered(shop.give({"month": "2003-05"}, method="GET"))[0] == 405
    assert answered(clients["close_month"].post("/", data=b"{}"))[0] == 401


def test_a_month_is_closed_once_and_only_when_the_mart_is_built(shop: Shop) -> None:
    shop.sell(MAY, feed_mart=False)
    status, refusal = answered(shop.give({"month": "2003-05"}))
    assert (status, refusal["error"]) == (409, "mart_behind")
    shop.fill_mart(MAY)
    assert answered(shop.give({"month": "2003-05", "dry_run": True}))[1]["net_base"] == "12.50"
    key = unique("key")
    status, first = answered(shop.give({"month": "2003-05"}, key))
    assert (status, first["lines"], first["transactions"], first["net_base"]) == (200, 1, 1, "12.50")
    repeated = answered(shop.give({"month": "2003-05"}, key))[1]
    assert repeated.pop("repeated") is True
    assert {**repeated, "closed_at": ""} == {**first, "closed_at": ""}
    assert answered(shop.give({"month": "2003-06"}, key))[1]["error"] == "request_reused"
    assert answered(shop.give({"month": "2003-05"}))[1]["error"] == "already_closed"
    assert open_day(shop.session) == date(2000, 1, 1)  # until BigQuery has the lines


@dataclass
class Dying:
    """A warehouse behind which the function is killed after some calls."""

    to: BigQueryWarehouse
    calls: int

    def _live(self) -> None:
        self.calls -= 1
        if self.calls < 0:
            raise DependencyUnavailable("killed")

    def load_csv(
        self, table: str, uris: list[str], schema: Sequence[Mapping[str, Any]], job_id: str, *, label: str = ""
    ) -> int:
        self._live()
        return self.to.load_csv(table, uris, schema, job_id, label=label)

    def run(
        self, sql: str, params: Mapping[str, Any], job_id: str | None = None, *, table: str = "", into: str = "",
        most_bytes: int | None = None,
    ) -> list[Mapping[str, Any]]:  # fmt: skip
        self._live()
        return self.to.run(sql, params, job_id, table=table, into=into, most_bytes=most_bytes)


def test_lines_come_to_bigquery_once_wherever_their_way_is_cut_off(shop: Shop) -> None:
    for calls in range(5):
        with pytest.raises(DependencyUnavailable):
            shop.publish(cast(Warehouse, Dying(shop.warehouse, calls)))
    assert shop.publish() == [MAY]
    assert open_day(shop.session) == date(2003, 6, 1)
    booked = [
        (line[0], line[2], line[10], line[13], line[14])
        for line in rows_of(shop.session, "list_close_lines", period=MAY)
    ]
    assert [tuple(row.values()) for row in shop.warehouse.run(LINES, {"period": MAY})] == booked
    assert shop.publish() == []


def test_an_adjustment_names_the_earlier_day_to_be_built_anew(shop: Shop) -> None:
    late = date(2003, 4, 30)
    shop.sell(late)
    status, result = answered(shop.give({"month": "2003-06"}))
    assert (status, result["lines"], result["adjustments"]) == (200, 1, 1)
    assert shop.publish() == [late]


def test_lines_that_bigquery_has_otherwise_are_never_taken_for_published(shop: Shop) -> None:
    july = date(2003, 7, 1)
    shop.sell(july)
    assert answered(shop.give({"month": "2003-07"}))[0] == 200
    stray = """
        INSERT INTO sales.close_lines (sale_date, period, entry, currency, payment_method, status, transactions, amount,
            gross, refunds, net, gross_base, refunds_base, net_base, transactions_without_rate)
        VALUES (@period, @period, 'sale', 'USD', 'card', 'completed', 1, 1, 1, 0, 1, 1, 0, 1, 0)
    """
    shop.warehouse.run(stray, {"period": july})
    with pytest.raises(Inconsistent, match="2003-07"):
        shop.publish()
    assert shop.session.rows(WAITING) == [(july,)]


def test_a_close_that_differs_keeps_back_no_other_close_and_not_how_late_the_marts_are(shop: Shop) -> None:
    august = date(2003, 8, 1)
    shop.sell(august)
    assert answered(shop.give({"month": "2003-08"}))[0] == 200
    with kept_lines() as lines, pytest.raises(Inconsistent, match="2003-07"):
        build_marts.run(
            None, now=datetime.now(UTC), session=shop.session, store=CloudStorage(PROJECT), warehouse=shop.warehouse,
            publisher=MemoryPublisher(), settings=settings(),
        )  # fmt: skip
    assert shop.session.rows(WAITING) == [(date(2003, 7, 1),)]
    assert len(shop.warehouse.run(LINES, {"period": august})) == 1
    assert (august, True) in shop.session.rows("SELECT period, urgent FROM pipeline.mart_dirty")
    assert {line["name"] for line in lines if line["event"] == "freshness"} == {mart.name for mart in marts()}
    shop.warehouse.run(CLOSE_MART, {"days": [august]})  # as the next build does


def test_lines_that_the_owner_deleted_are_written_again(shop: Shop) -> None:
    september = date(2003, 9, 1)
    for (waiting,) in shop.session.rows(WAITING):
        shop.warehouse.run(FORGET, {"period": waiting})
    shop.publish()
    shop.sell(september)
    assert answered(shop.give({"month": "2003-09"}))[0] == 200
    with pytest.raises(DependencyUnavailable):
        shop.publish(cast(Warehouse, Dying(shop.warehouse, 3)))  # the lines are there, but not compared
    assert len(shop.warehouse.run(LINES, {"period": september})) == 1
    shop.warehouse.run(FORGET, {"period": september})
    assert shop.publish() == [september]
    assert len(shop.warehouse.run(LINES, {"period": september})) == 1


def test_lines_that_bigquery_lost_after_they_were_published_come_back_and_their_days_are_built(shop: Shop) -> None:
    before = shop.warehouse.run(LINES, {"period": MAY})
    shop.warehouse.run(FORGET, {"period": MAY})
    assert shop.publish() == [MAY]
    assert shop.warehouse.run(LINES, {"period": MAY}) == before
    assert shop.publish() == []


def test_a_published_line_that_somebody_changed_is_told(shop: Shop) -> None:
    change = "UPDATE sales.close_lines SET gross_base = gross_base + {} "
    sql = f"{change} WHERE sale_date >= '2000-01-01' AND period = @period"
    shop.warehouse.run(sql.format(1), {"period": MAY})
    with pytest.raises(Inconsistent, match="2003-05"):
        shop.publish()
    shop.warehouse.run(sql.format(-1), {"period": MAY})
    assert shop.publish() == []
