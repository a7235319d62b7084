"""report: the standard reports by HTTP, as docs/api/report.openapi.yaml describes them."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal
from typing import Any

import jsonschema
import pytest
import yaml
from flask import Request
from flask.testing import FlaskClient
from openapi_spec_validator import OpenAPIV31SpecValidator
from werkzeug.test import EnvironBuilder, TestResponse

from functions.report.main import run
from local.table import ROOT
from shared.adapters.memory import MemoryStore, MemoryWarehouse
from shared.adapters.reports import catalogue, report_sql
from shared.adapters.warehouse import BigQueryWarehouse
from shared.errors import OrderRefused
from shared.settings import Settings, load_settings

DOCUMENT: dict[str, Any] = yaml.safe_load((ROOT / "docs/api/report.openapi.yaml").read_text(encoding="utf-8"))
MARTS = {f"marts.{path.name}" for path in (ROOT / "sql/bigquery/marts").iterdir()}
REPORTS = {name: report for name, report in catalogue().reports.items() if set(report.marts) <= MARTS}
TODAY = date(2026, 3, 2)
DAY = date(2011, 5, 3)
Get = Callable[..., TestResponse]

SALES = f"""INSERT INTO marts.daily_sales_summary (sale_date, category, country, payment_method, currency, transactions,
amount, orders, units, transactions_with_units, gross_revenue, refunds, net_revenue, gross_revenue_base, refunds_base,
net_revenue_base, average_order_value, customers, guest_transactions, late_transactions, transactions_without_rate,
quality_score) VALUES
(DATE '{DAY}', 'Toys', 'DE', 'card', 'EUR', 4, 100, 3, 3, 2, 100, 10, 90, 80, 8, 72, NUMERIC '33.33', 3, 0, 1, 0, 99),
(DATE '{DAY}', 'Home', 'GB', 'paypal', 'GBP', 2, 28, 2, 2, 2, 28, 0, 28, 28, 0, 28, 14, 2, 0, 0, 1, 98)"""
GIVEN_BACK = """INSERT INTO marts.daily_sales_summary (sale_date, category, country, payment_method, currency,
transactions, amount, orders, units, transactions_with_units, gross_revenue, refunds, net_revenue, gross_revenue_base,
refunds_base, net_revenue_base, average_order_value, customers, guest_transactions, late_transactions,
transactions_without_rate, quality_score) VALUES
(DATE '2011-07-01', 'Toys', 'DE', 'card', 'EUR', 1, 10, 1, 1, 1, 10, 0, 10, 10, 0, 10, 10, 1, 0, 0, 0, 99),
(DATE '2011-07-01', 'Home', 'FR', 'wallet', 'EUR', 1, 30, 1, 1, 1, 30, 60, -30, 30, 60, -30, 30, 1, 0, 0, 0, 99)"""
PRODUCTS = f"""INSERT INTO marts.product_performance (sale_date, product_key, product_id, product_name, category,
transactions, orders, units, transactions_with_units, gross_base, refunds_base, net_base, transactions_without_rate,
list_price, inventory_count, inventory_observed_at) VALUES
(DATE '{DAY}', 1, 'P-1', 'Lamp', 'Home', 2, 2, 2, 2, 28, 0, 28, 0, 14, 3, TIMESTAMP '2011-05-03 10:00:00'),
(DATE '{DAY}', 2, 'P-2', '=Bear', 'Toys', 4, 3, 3, 2, 80, 8, 72, 0, 30, NULL, NULL)"""
MOVED = """INSERT INTO marts.product_performance (sale_date, product_key, product_id, product_name, category,
transactions, orders, units, transactions_with_units, gross_base, refunds_base, net_base, transactions_without_rate,
list_price, inventory_count, inventory_observed_at) VALUES
(DATE '2011-06-01', 9, 'P-9', 'Mug', 'Toys', 3, 3, 3, 3, 42, 0, 42, 0, 14, 5, TIMESTAMP '2011-06-01 10:00:00'),
(DATE '2011-06-04', 9, 'P-9', 'Mug', 'Home', 1, 1, 1, 1, 14, 0, 14, 0, 14, 2, TIMESTAMP '2011-06-04 10:00:00')"""
BOUGHT = """INSERT INTO marts.user_analytics (month, user_key, is_guest, transactions, orders, refunded_transactions,
gross_base, refunds_base, net_base, transactions_without_rate) VALUES
(DATE '2011-05-01', 1, FALSE, 1, 1, 0, 9, 0, 9, 0)"""
BOOKED = f"""INSERT INTO marts.financial_reports (sale_date, booking_date, entry, is_closed, currency, payment_method,
status, transactions, amount, gross, refunds, net, gross_base, refunds_base, net_base, rate, transactions_without_rate)
VALUES
(DATE '2011-05-31', DATE '2011-05-31', 'sale', TRUE, 'EUR', 'card', 'completed', 1, 5, 5, 0, 5, 4, 0, 4, 1, 0),
(DATE '{DAY}', DATE '{DAY}', 'sale', TRUE, 'EUR', 'card', 'completed', 3, 90, 90, 0, 90, 72, 0, 72, NUMERIC '0.8', 0),
(DATE '{DAY}', DATE '2011-06-01', 'adjustment', FALSE, 'EUR', 'card', 'refunded', 1, 10, 10, 10, 0, 8, 8, 0,
NUMERIC '0.8', 0)"""
JUDGED = f"""INSERT INTO marts.quality_metrics (day, dataset, rule, subject, value, threshold, severity, passed,
row_count, score, measured_at) VALUES
(DATE '{DAY}', 'sales', 'volume', 'GBP', 1, 1, 'warning', TRUE, 6, NUMERIC '87.5', TIMESTAMP '2011-05-04 00:00:00'),
(DATE '{DAY}', 'sales', 'completeness', NULL, NUMERIC '0.5', NUMERIC '0.95', 'critical', FALSE, 6, NUMERIC '87.5',
TIMESTAMP '2011-05-04 00:00:00')"""
EXPECTED: dict[str, list[list[Any]]] = {
    "revenue_by_day": [["2011-05-03", 5, "108", "8", "100", 1]],
    "revenue_by_country": [["DE", 3, "80", "8", "72", "0.72", 0], ["GB", 2, "28", "0", "28", "0.28", 1]],
    "revenue_by_payment_method": [["card", 3, "80", "8", "72", "0.72", 0], ["paypal", 2, "28", "0", "28", "0.28", 1]],
    "revenue_by_category": [
        ["Toys", 3, 3, 2, "80", "8", "72", "0.72", 0], ["Home", 2, 2, 2, "28", "0", "28", "0.28", 1]
    ],
    "top_products": [
        ["P-2", "=Bear", "Toys", 3, 3, "80", "8", "72", 0], ["P-1", "Lamp", "Home", 2, 2, "28", "0", "28", 0]
    ],
    "inventory_at_risk": [["P-1", "Lamp", "Home", 3, "2011-05-03", 2, "1.5"]],
    "refunds": [["2011-05-03", 1, "80", "8", "0.1", 0]],
    "financial_close": [
        ["2011-05-01", "2011-05-01", "sale", True, "EUR", 4, "95", "0", "95", "76", 0],
        ["2011-05-01", "2011-06-01", "adjustment", False, "EUR", 1, "10", "10", "0", "0", 0],
    ],
    "data_quality": [["2011-05-03", "sales", "87.5", 2, 1, 1]],
    "late_arrivals": [["2011-05-03", 6, 1, "0.1667"]],
}  # fmt: skip


@pytest.fixture
def get(clients: dict[str, FlaskClient], cloud_settings: Settings) -> Get:  # noqa: ARG001  # there is a cloud
    """Ask as a person of the local cloud; the answer is one that the description knows."""

    def ask(path: str, email: str = "operator@localhost", method: str = "GET") -> TestResponse:
        claims = base64.urlsafe_b64encode(json.dumps({"email": email, "email_verified": True}).encode()).decode()
        headers = {"Authorization": f"Bearer e30.{claims.rstrip('=')}.x"}
        answer = clients["report"].open(f"/{path}", method=method, headers=headers)
        check(answer, "/{report}" if path else "/")
        return answer

    return ask


@pytest.fixture(scope="module")
def filled(endpoints: Any) -> None:  # noqa: ARG001  # there is a cloud
    """A day of the distant past in the marts, which no other test looks at."""
    warehouse = BigQueryWarehouse(load_settings(), "test")
    for statement in (SALES, GIVEN_BACK, PRODUCTS, BOUGHT, BOOKED, JUDGED):
        warehouse.run(statement, {})


def check(answer: TestResponse, path: str) -> None:
    """Raises where the answer is not as the description says."""
    described: dict[str, Any] = DOCUMENT["paths"][path]["get"]["responses"][str(answer.status_code)]
    if "$ref" in described:
        described = DOCUMENT["components"]["responses"][described["$ref"].rpartition("/")[2]]
    schema = described["content"][answer.mimetype]["schema"]
    body = answer.get_json() if answer.mimetype == "application/json" else answer.text
    jsonschema.validate(
        body, {**schema, "components": DOCUMENT["components"]}, cls=jsonschema.Draft202012Validator
    )  # fmt: skip


def asked(path: str) -> Request:
    return Request(EnvironBuilder(path=path.partition("?")[0], query_string=path.partition("?")[2]).get_environ())


def fake(rows: list[Mapping[str, Any]]) -> MemoryWarehouse:
    return MemoryWarehouse(MemoryStore(), lambda _sql, _params: rows)


def test_the_description_is_valid_openapi_and_knows_every_parameter() -> None:
    OpenAPIV31SpecValidator(DOCUMENT).validate()
    parameters = {one["name"]: one["schema"] for one in DOCUMENT["paths"]["/{report}"]["get"]["parameters"]}
    assert set(parameters) == {"report", "format", *catalogue().parameters}
    for name, known in catalogue().parameters.items():
        if known.type == "integer":
            assert (parameters[name]["minimum"], parameters[name]["maximum"]) == (known.least, known.most)


def test_its_example_fits() -> None:
    content = DOCUMENT["paths"]["/{report}"]["get"]["responses"]["200"]["content"]["application/json"]
    jsonschema.validate(content["example"], {**content["schema"], "components": DOCUMENT["components"]})


def test_the_sql_is_run_with_the_parameters_that_were_read() -> None:
    warehouse = fake([{"sale_date": date(2026, 3, 1), "net": Decimal("1.50")}])
    answer = run(asked("/revenue_by_day?limit=5&from=2026-02-01"), TODAY, warehouse, 10)
    assert warehouse.ran == [
        (
            report_sql("revenue_by_day"),
            {"first_day": date(2026, 2, 1), "last_day": date(2026, 3, 1), "currency": "", "most": 6},
        )
    ]
    assert json.loads(answer.get_data())["rows"] == [["2026-03-01", "1.50"]]


@pytest.mark.parametrize(("there", "told"), [(2, False), (3, True)])
@pytest.mark.parametrize("form", ["json", "csv"])
def test_rows_that_the_limit_leaves_out_are_told(there: int, told: bool, form: str) -> None:
    warehouse = fake([{"sale_date": date(2026, 3, day + 1)} for day in range(there)])
    answer = run(asked(f"/revenue_by_day?limit=2&format={form}"), TODAY, warehouse, 10)
    assert answer.headers["Sluice-Has-More"] == str(told).lower()
    if form == "json":
        body = json.loads(answer.get_data())
        assert (body["has_more"], body["rows"]) == (told, [["2026-03-01"], ["2026-03-02"]])
    else:
        assert len(answer.get_data(as_text=True).splitlines()) == 1 + 2


def test_nothing_is_run_where_the_request_makes_no_sense() -> None:
    warehouse = fake([])
    with pytest.raises(OrderRefused, match=r"format must be json or csv.*limit must be"):
        run(asked("/revenue_by_day?limit=0&format=xml"), TODAY, warehouse, 10)
    assert warehouse.ran == []


def test_csv_has_a_header_and_makes_formulas_safe() -> None:
    answer = run(
        asked("/top_products?format=csv"), TODAY, fake([{"id": "P-1", "name": "=1+1", "net": Decimal(-3)}]), 10
    )
    assert answer.mimetype == "text/csv"
    assert answer.get_data(as_text=True).splitlines()[1:] == ["P-1,'=1+1,-3"]


def test_without_a_name_the_catalogue_is_answered(get: Get) -> None:
    assert [one["report"] for one in get("").get_json()["reports"]] == list(catalogue().reports)


def test_only_readers_and_operators_may_read(get: Get, clients: dict[str, FlaskClient], monkeypatch: Any) -> None:
    assert clients["report"].get("/").status_code == 401
    assert get("", email="guest@localhost").status_code == 403
    monkeypatch.setenv("REPORT_READERS", "guest@localhost")
    assert get("", email="guest@localhost").status_code == 200
    assert get("", method="POST").status_code == 405


@pytest.mark.parametrize(
    ("path", "status", "error"),
    [
        ("nothing", 404, "unknown_report"),
        ("revenue_by_day?from=2026-03-02&to=2026-03-01", 400, "bad_parameters"),
        ("revenue_by_day?cover=1", 400, "bad_parameters"),
        ("revenue_by_day?format=xml", 400, "bad_parameters"),
        ("revenue_by_day?format=csv&format=json", 400, "bad_parameters"),
        ("revenue_by_day?from=1999-01-01", 400, "bad_parameters"),
    ],
)
def test_a_request_that_makes_no_sense_is_told_what_to_write(get: Get, path: str, status: int, error: str) -> None:
    answer = get(path)
    assert (answer.status_code, answer.get_json()["error"]) == (status, error)


@pytest.mark.usefixtures("filled")
@pytest.mark.parametrize("name", REPORTS)
def test_a_report_gives_the_columns_of_the_catalogue(get: Get, name: str) -> None:
    period = f"?from={DAY}&to={DAY}" if "from" in REPORTS[name].parameters else ""
    answer = get(name + period)
    assert answer.status_code == 200, answer.text
    body = answer.get_json()
    if name in EXPECTED:
        assert body["rows"] == EXPECTED[name]
        assert body["bytes_processed"] > 0
    types = {"integer": int, "boolean": bool}
    for row in body["rows"]:
        assert len(row) == len(body["columns"])
        for value, column in zip(row, body["columns"], strict=True):
            assert value is None or type(value) is types.get(column["type"], str), column


@pytest.mark.usefixtures("filled")
def test_a_filter_and_a_limit_are_kept_to(get: Get) -> None:
    period = f"from={DAY}&to={DAY}"
    assert [row[0] for row in get(f"revenue_by_country?{period}&currency=EUR").get_json()["rows"]] == ["DE"]
    assert [row[0] for row in get(f"top_products?{period}&category=Home").get_json()["rows"]] == ["P-1"]
    cut = get(f"top_products?{period}&limit=1").get_json()
    assert (len(cut["rows"]), cut["has_more"]) == (1, True)
    assert get(f"top_products?{period}&limit=2").get_json()["has_more"] is False
    assert get(f"inventory_at_risk?{period}&cover=1").get_json()["rows"] == []
    assert get("revenue_by_day?from=1990-01-01&to=1990-01-02").get_json()["rows"] == []


@pytest.mark.usefixtures("filled")
@pytest.mark.parametrize("by", ["country", "category", "payment_method"])
def test_where_more_was_given_back_than_sold_nobody_has_a_share(get: Get, by: str) -> None:
    report = get(f"revenue_by_{by}?from=2011-07-01&to=2011-07-01").get_json()
    share = [column["name"] for column in report["columns"]].index("share_of_net")
    assert [row[share] for row in report["rows"]] == [None, None]


@pytest.mark.usefixtures("filled")
def test_the_stock_at_risk_in_a_category_is_that_of_the_products_that_are_in_it_now(get: Get) -> None:
    warehouse = BigQueryWarehouse(load_settings(), "test")
    warehouse.run(MOVED, {})
    period = "from=2011-06-01&to=2011-06-04"
    moved = [["P-9", "Mug", "Home", 2, "2011-06-04", 4, "2"]]
    assert get(f"inventory_at_risk?{period}").get_json()["rows"] == moved
    assert get(f"inventory_at_risk?{period}&category=Home").get_json()["rows"] == moved
    assert get(f"inventory_at_risk?{period}&category=Toys").get_json()["rows"] == []


@pytest.mark.usefixtures("filled")
@pytest.mark.parametrize(
    ("asked", "instead"),
    [(f"revenue_by_day?from={DAY}&to={DAY}", "fewer days"), ("customer_segments", "the setting must be raised")],
)
def test_a_report_that_would_read_too_much_is_refused(get: Get, monkeypatch: Any, asked: str, instead: str) -> None:
    monkeypatch.setenv("REPORT_MAX_BYTES", "1")
    answer = get(asked)
    assert (answer.status_code, answer.get_json()["error"]) == (400, "too_many_bytes")
    assert answer.get_json()["told"].endswith(instead)
