"""The canary goes through every stage and is accounted for, and no figure of the business knows of it."""

from __future__ import annotations

import json
import re
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from cli.cloud import run_job
from cli.doctor import canary
from tests.integration.pipeline.harness import Pipeline, row, wait_until

MONEY = """
    SELECT SUM(orders) AS orders, SUM(gross_revenue_base) AS gross, SUM(refunds_base) AS refunds,
           SUM(net_revenue_base) AS net, SUM(customers) AS customers, SUM(amount) AS amount,
           SUM(transactions_without_rate) AS without_rate, SUM(late_transactions) AS late
    FROM marts.daily_sales_summary WHERE sale_date >= DATE '2020-01-01'
"""
CUSTOMERS = """
    SELECT COUNTIF(NOT is_guest) AS users, SUM(orders) AS orders, SUM(net_base) AS net
    FROM marts.user_analytics WHERE month >= DATE '2020-01-01'
"""
SHARES = "SELECT month, orders, share_of_orders FROM marts.guest_months ORDER BY month"
SEGMENTS = "SELECT COUNT(*) AS customers, SUM(net_base) AS net FROM marts.customer_segments"
BOOKED = """
    SELECT booking_date, entry, status, transactions, net_base FROM marts.financial_reports
    WHERE sale_date >= DATE '2020-01-01' AND is_closed ORDER BY booking_date, entry, status
"""
VERDICTS = """
    SELECT dataset, day, rule, subject, value::text, rows, passed FROM pipeline.quality_result
    WHERE rule <> 'freshness' ORDER BY dataset, day, rule, subject
"""
ARRIVED = "SELECT dataset FROM pipeline.quality_result WHERE rule = 'freshness' ORDER BY dataset"
OUTLIERS = "SELECT day, transaction_id, z::text FROM pipeline.outlier ORDER BY transaction_id"


def send(running: Pipeline) -> str:
    """A whole checkup that is content; the id of its canary."""
    (step,) = [one for one in running.sluice("doctor")["steps"] if one["step"] == "canary"]
    assert (step["verdict"], step["found"].split(" is ")[1][:11]) == ("ok", "in the mart"), step
    identity: str = step["found"].split(" ")[0]
    return identity


def measure(running: Pipeline) -> None:
    """Build the marts of every hour, judge the quality, look for drift."""
    running.feed()
    for job in ("build_marts", "check_quality", "watch_schema"):
        run_job(running.scheduler, job)
    wait_until(lambda: not running.findings(), "all is balanced")


def figures(running: Pipeline) -> dict[str, Any]:
    """Everything that a person or a rule reads off the business."""
    asked = {"money": MONEY, "customers": CUSTOMERS, "shares": SHARES, "segments": SEGMENTS, "booked": BOOKED}
    of_warehouse = {name: [dict(one) for one in running.warehouse.run(sql, {})] for name, sql in asked.items()}
    of_postgres = {"verdicts": VERDICTS, "arrived": ARRIVED, "outliers": OUTLIERS}
    return of_warehouse | {name: running.sql(sql) for name, sql in of_postgres.items()}


def alerts(running: Pipeline) -> list[str]:
    return [f"{one['kind']} {one['subject']}" for one in running.sluice("alerts")]


def test_on_an_empty_installation_canaries_arrive_and_nothing_is_alarmed(running: Pipeline) -> None:
    assert running.sql("SELECT file_id FROM pipeline.file") == []
    assert send(running) != send(running)
    measure(running)
    assert alerts(running) == []
    assert running.sql(ARRIVED) == []  # no source has sent anything: freshness and volume know nothing of it
    assert running.sql("SELECT field FROM pipeline.schema_baseline") == []
    (account,) = [one for name, one in running.sluice("status")["sources"].items() if name == "transactions"]
    assert (account["received"], account["inserted"], account["pending"]) == (2, 2, 0)
    assert running.sluice("verify") == {"balanced": True, "findings": []}


@pytest.fixture
def month() -> date:
    """The first day of last month."""
    return (datetime.now(UTC).date().replace(day=1) - timedelta(days=1)).replace(day=1)


def sales(month: date) -> bytes:
    """Two weeks of a month: users and guests, late rows, a refund, and one amount out of all proportion."""
    lines = []
    for number in range(120):
        day = month + timedelta(days=number % 14)
        changes: dict[str, Any] = {
            "timestamp": f"{day}T10:{number % 60:02d}:00Z", "product_id": f"p{number % 3}", "user_id": f"u{number % 7}",
            "amount": "5.00" if number != 119 else "90000.00",
        }  # fmt: skip
        if number % 5 == 0:
            changes["user_id"] = None
        if number % 11 == 0:
            changes["status"] = "refunded"
        lines.append(row(f"sale-{number}", **changes))
    return b"\n".join(lines)


def test_no_figure_of_the_business_moves_and_a_closed_month_stays_as_it_is(running: Pipeline, month: date) -> None:
    running.load("transactions/sales.ndjson", sales(month))
    running.feed()
    run_job(running.scheduler, "build_marts")
    running.sluice("close", f"{month:%Y-%m}")
    measure(running)
    before, alarmed = figures(running), alerts(running)
    assert before["outliers"]
    assert before["booked"]
    assert before["arrived"] == [("transactions",)]
    send(running)
    measure(running)
    assert figures(running) == before
    assert alerts(running) == alarmed
    assert running.sluice("verify")["balanced"]
    adjustments = running.sql("SELECT count(*) FROM finance.close_line WHERE currency IS NOT NULL AND entry <> 'sale'")
    assert adjustments == [(0,)]


def test_each_run_leaves_one_row_of_nought_on_the_day_of_the_run(running: Pipeline) -> None:
    rows = running.sql(
        """SELECT t.amount::text, t.status, t.sale_date, t.user_key, p.inferred, c.chunk_id LIKE 'canary-%'
           FROM commerce.transactions AS t JOIN commerce.products AS p USING (product_key)
           JOIN pipeline.chunk AS c ON c.chunk_key = t.source_chunk WHERE p.product_id = 'sluice-canary'"""
    )
    today = datetime.now(UTC).date()
    assert len(rows) == 3
    assert {(*one[:2], *one[3:]) for one in rows} == {("0.0000", "cancelled", None, False, True)}
    assert {one[2] for one in rows} <= {today, today - timedelta(days=1)}
    assert (
        running.one("SELECT count(*) FROM pipeline.file WHERE object_name LIKE $1 AND state = 'cut'", f"{canary.FILE}%")
        == 3
    )


def test_a_canary_that_stays_in_the_pipeline_is_told_with_the_place(running: Pipeline) -> None:
    with running.control() as control:
        control.pause("projects/sluice-local/subscriptions/load_postgres-validated")
        told = running.sluice("doctor", "--timeout", "3", exit_code=1)
        control.resume("projects/sluice-local/subscriptions/load_postgres-validated")
    (step,) = [one for one in told["steps"] if one["step"] == "canary"]
    assert step["verdict"] == "failed"
    assert re.search(r"its file gs://\S+/products/sluice-canary-\S+ was not loaded into Postgres in 3 s", step["found"])
    assert "a-backlog-grows" in step["advice"]
    assert [one["step"] for one in told["steps"] if one["verdict"] == "failed"] == ["canary"]


def test_the_sql_that_leaves_canaries_out_names_them_as_they_are_sent() -> None:
    from shared.adapters.queries import query
    from shared.adapters.warehouse_sql import monitoring_sql

    for name in ("measure_rows", "measure_volume", "last_arrivals", "record_drift"):
        assert f"'{canary.FILE}%'" in query(name).sql, name
        assert f"'{canary.CHUNK}%'" in query(name).sql, name
    assert f"'{canary.CHUNK}%'" in query("measure_facts").sql
    assert monitoring_sql("canary").count(f"'{canary.PRODUCT}'") == 2
    assert json.loads(json.dumps(canary.product()))["category"] == canary.PRODUCT
    assert date.fromisoformat(str(canary.Canary.hatch(datetime(2026, 3, 1, tzinfo=UTC)).at.date())) == date(2026, 3, 1)
