"""A month is closed, and what comes later is an adjustment of the open one: in Postgres, BigQuery and the marts."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from cli.cloud import run_job
from tests.integration.pipeline.harness import Pipeline, row
from tests.integration.pipeline.operating import lines

JANUARY, FEBRUARY, MARCH = (date(2026, month, 1) for month in (1, 2, 3))
BOOKS = """
    SELECT sale_date, booking_date, entry, is_closed, status, transactions, net FROM marts.financial_reports
    WHERE sale_date >= DATE '2026-01-01' ORDER BY sale_date, booking_date, entry, status
"""
Line = tuple[Any, ...]


def test_a_closed_month_stands_and_later_changes_are_booked_in_the_open_one(running: Pipeline) -> None:
    land(running, "first", row("c-1", timestamp="2026-01-05T10:00:00Z"), row("c-2", timestamp="2026-02-07T10:00:00Z"))
    running.sluice("close", "2026-01")
    run_job(running.scheduler, "build_marts")
    closed: Line = (date(2026, 1, 5), date(2026, 1, 5), "sale", True, "completed", 1, Decimal("5.00"))
    february: Line = (date(2026, 2, 7), date(2026, 2, 7), "sale", False, "completed", 1, Decimal("5.00"))
    assert books(running) == [closed, february]

    land(
        running, "late", row("c-3", timestamp="2026-01-05T11:00:00Z", amount="2.50"),
        row("c-1", timestamp="2026-02-09T10:00:00Z", status="refunded"),
    )  # fmt: skip
    adjusted = [
        (date(2026, 1, 5), FEBRUARY, "adjustment", False, "completed", 0, Decimal("-2.50")),
        (date(2026, 1, 5), FEBRUARY, "adjustment", False, "refunded", 1, Decimal("0.00")),
    ]
    assert books(running) == [closed, *adjusted, february]

    running.sluice("close", "2026-02")
    running.load("transactions/meanwhile.ndjson", lines(row("c-4", timestamp="2026-02-20T10:00:00Z")))
    running.feed()  # before BigQuery has the close, of a day without a line
    run_job(running.scheduler, "build_marts")
    meanwhile: Line = (date(2026, 2, 20), MARCH, "adjustment", False, "completed", 1, Decimal("5.00"))
    booked = [*((*line[:3], True, *line[4:]) for line in (*adjusted, february)), meanwhile]
    assert books(running) == [closed, *booked]
    assert [(one["month"], one["adjustments"]) for one in running.sluice("close", "--list")] == [
        ("2026-01", 0), ("2026-02", 2),
    ]  # fmt: skip

    running.sluice("marts", "rebuild")
    assert books(running) == [closed, *booked]
    assert running.sluice("close", "2026-01", exit_code=1) is None
    assert running.findings() == []


def land(running: Pipeline, name: str, *rows: bytes) -> None:
    """Rows through to every mart; all is accounted for."""
    running.load(f"transactions/{name}.ndjson", lines(*rows))
    running.feed()
    run_job(running.scheduler, "build_marts")
    assert running.findings() == []


def books(running: Pipeline) -> list[Line]:
    return [tuple(found.values()) for found in running.warehouse.run(BOOKS, {})]
