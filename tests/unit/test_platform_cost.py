"""The estimate of what the platform costs: each price as it is worked out by hand, and no kind forgotten."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from benchmarks.free_kinds import FREE
from benchmarks.platform_cost import HEADINGS, estimate, read_usage, table
from benchmarks.platform_prices import PRICED
from deploy.planned import Plan, Resource
from local.table import read_table

PROD = read_usage("prod")


def planned(kind: str, **values: Any) -> Resource:
    return Resource(f"{kind}.one", kind, "one", None, values)


def dollars(kind: str, **values: Any) -> Decimal:
    return sum(estimate([planned(kind, **values)], PROD).values(), Decimal(0)).quantize(Decimal("0.01"))


def function(name: str, memory: str, cpu: str) -> Decimal:
    service = {"available_memory": memory, "available_cpu": cpu}
    return dollars("google_cloudfunctions2_function", service_config=[service], build_config=[{"entry_point": name}])


def test_every_function_has_a_usage() -> None:
    assert set(PROD.functions) == {one.name for one in read_table().functions}


def test_a_call_costs_its_processor_memory_request_and_log_line() -> None:
    calls, seconds = 100_000 * 30, Decimal("0.1") * 100_000 * 30
    compute = seconds * (Decimal("0.333") * Decimal("0.000024") + Decimal("0.5") * Decimal("0.0000025"))
    logs = Decimal(calls) * 1500 / 2**30 * Decimal("0.50")
    assert function("validate", "512Mi", "0.333") == (compute + Decimal("1.20") + logs).quantize(Decimal("0.01"))
    assert function("validate", "512Mi", "1") > function("validate", "512Mi", "0.333")


def test_a_schedule_is_counted_over_thirty_days() -> None:
    assert PROD.calls("enrich") == 30 * 24 * 30
    assert PROD.calls("extract_products") == 30
    assert PROD.calls("build_marts") == 720 * 30 + 24 * 30


def test_a_standby_doubles_the_database_but_not_its_backups() -> None:
    def database(kind: str) -> Decimal:
        settings = {"tier": "db-custom-2-7680", "availability_type": kind, "disk_size": 100}
        return dollars("google_sql_database_instance", settings=[settings])

    one = 730 * (2 * Decimal("0.0413") + Decimal("7.5") * Decimal("0.007")) + 17
    assert database("ZONAL") == (one + 8).quantize(Decimal("0.01"))
    assert database("REGIONAL") == (2 * one + 8).quantize(Decimal("0.01"))


def test_an_alert_policy_costs_each_of_its_conditions() -> None:
    assert dollars("google_monitoring_alert_policy", conditions=[{}, {}]) == Decimal("3.00")


def test_bigquery_is_counted_once_by_its_model() -> None:
    fact = dollars("google_bigquery_table", dataset_id="sales", table_id="transactions")
    assert fact == Decimal("29.99")  # the model's row of docs/cost.md for 100,000 rows a day
    assert dollars("google_bigquery_table", dataset_id="sales", table_id="users") == 0


def test_a_kind_without_a_price_is_an_error_that_says_what_to_do() -> None:
    with pytest.raises(KeyError, match="google_redis_instance: give it a price"):
        estimate([planned("google_redis_instance")], PROD)
    assert not FREE.keys() & PRICED.keys()


def test_the_table_has_a_row_for_each_heading_and_a_column_for_each_environment() -> None:
    job = planned("google_cloud_scheduler_job")
    lines = table([Plan("prod", (job, job)), Plan("dev", (job,))])
    assert len(lines) == 2 + len(HEADINGS) + 1
    assert (lines[0], lines[-1]) == ("| USD a month | prod | dev |", "| **together** | 0.20 | 0.10 |")


def test_more_messages_cost_more() -> None:
    day = {**PROD.day, "messages": 1_000_000}
    subscription = [planned("google_pubsub_subscription", name="validate-transactions")]
    assert sum(estimate(subscription, replace(PROD, day=day)).values()) == 10 * sum(
        estimate(subscription, PROD).values()
    )
