"""The real sample in the marts equals what plain Python computes from its files, to the cent."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest

from cli.cloud import run_job
from local.table import ROOT
from tests.integration.pipeline.harness import Pipeline, pipeline
from tests.integration.pipeline.sample_truth import Line, Totals, read, totals

REAL_SAMPLE = ROOT.parent / "shared" / "tools" / "online_retail.py"
FIVE_DAYS = {"first": date(2010, 12, 1), "last": date(2010, 12, 5)}
pytestmark = pytest.mark.skipif(
    not REAL_SAMPLE.exists(), reason="the real sample lies beside the project only where it is developed"
)
DAILY = """
    SELECT sale_date, country, transactions, orders, gross_revenue AS gross, refunds, net_revenue AS net, customers,
           units
    FROM marts.daily_sales_summary WHERE sale_date BETWEEN @first AND @last
"""
PRODUCTS = """
    SELECT sale_date, product_id, transactions, orders, gross_base AS gross, refunds_base AS refunds, net_base AS net,
           units
    FROM marts.product_performance WHERE sale_date BETWEEN @first AND @last AND transactions > 0
"""
BOOKED = """
    SELECT sale_date, status, transactions, gross, refunds, net FROM marts.financial_reports
    WHERE sale_date BETWEEN @first AND @last
"""
COUNTS = """
    SELECT sum(received)::int, sum(inserted)::int, sum(unchanged)::int, sum(quarantined)::int
    FROM pipeline.chunk WHERE source = 'transactions'
"""
REASONS = """
    SELECT reason, count(*)::int FROM pipeline.quarantined_row JOIN pipeline.chunk USING (chunk_key)
    WHERE source = 'transactions' GROUP BY 1
"""
USERS = """
    SELECT user_key, transactions, orders, gross_base AS gross, refunds_base AS refunds, net_base AS net
    FROM marts.user_analytics WHERE month = DATE '2010-12-01' AND @first < @last
"""


@pytest.fixture(scope="module")
def sampled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Pipeline, list[Line]]]:
    folder = tmp_path_factory.mktemp("sample")
    subprocess.run([sys.executable, str(REAL_SAMPLE), str(folder)], check=True)
    with pipeline() as started:
        started.drop_folder(folder, order=("users", "products", "transactions"))
        started.feed()
        run_job(started.scheduler, "build_marts")
        yield started, read(folder)


def mart(running: Pipeline, sql: str, *key: str) -> Totals:
    """The rows of a mart in the five days by their key."""
    rows = [dict(row) for row in running.warehouse.run(sql, FIVE_DAYS)]
    found = {tuple(row.pop(name) for name in key): row for row in rows}
    assert len(found) == len(rows)
    return found


def only(expected: Totals, found: Totals) -> Totals:
    """The measures that the mart has too."""
    names = set(next(iter(found.values())))
    return {key: {name: value for name, value in row.items() if name in names} for key, row in expected.items()}


def test_the_sample_gives_the_known_counts_and_amount(sampled: tuple[Pipeline, list[Line]]) -> None:
    running, _ = sampled
    assert running.sql(COUNTS) == [(9999, 9652, 190, 157)]
    assert running.sql(REASONS) == [("conflicting_duplicate", 157)]
    assert running.sql("SELECT currency, count(*)::int, sum(amount)::text FROM commerce.transactions GROUP BY 1") == [
        ("GBP", 9652, "178941.5400")
    ]
    assert running.findings() == []


def test_the_users_that_the_sample_lacks_are_told_once(sampled: tuple[Pipeline, list[Line]]) -> None:
    running, _ = sampled
    for _ in range(2):
        run_job(running.scheduler, "check_quality")
    (told,) = running.sql("SELECT told FROM pipeline.alert WHERE subject = 'transactions completeness.user_id'")
    assert "of 9,999 rows have user_id; the rule asks for more than 95 %" in told[0]


def test_each_day_and_country_of_daily_sales_summary(sampled: tuple[Pipeline, list[Line]]) -> None:
    running, lines = sampled
    found = mart(running, DAILY, "sale_date", "country")
    assert len(found) > 10
    assert found == only(totals(lines, lambda line: (line.day, line.country)), found)


def test_each_day_and_product_of_product_performance(sampled: tuple[Pipeline, list[Line]]) -> None:
    running, lines = sampled
    found = mart(running, PRODUCTS, "sale_date", "product_id")
    assert len(found) > 1000
    assert found == only(totals(lines, lambda line: (line.day, line.product)), found)


def test_each_day_and_status_of_financial_reports(sampled: tuple[Pipeline, list[Line]]) -> None:
    running, lines = sampled
    found = mart(running, BOOKED, "sale_date", "status")
    assert found == only(totals(lines, lambda line: (line.day, line.status)), found)


def test_each_user_and_the_guests_of_user_analytics(sampled: tuple[Pipeline, list[Line]]) -> None:
    running, lines = sampled
    names: dict[Any, Any] = dict(running.sql("SELECT user_key, user_id FROM commerce.users"))
    found = {(names.get(key),): row for (key,), row in mart(running, USERS, "user_key").items()}
    assert found == only(totals(lines, lambda line: (line.user,)), found)
