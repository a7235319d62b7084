"""`sluice report`: what it says without a cloud, and what it draws."""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from typer.testing import CliRunner

from cli.main import app
from cli.plotting import drawn, series
from shared.adapters.reports import catalogue

VALUES: dict[str, Any] = {
    "date": date(2026, 3, 1),
    "text": "one",
    "integer": 3,
    "decimal": Decimal("2.5"),
    "boolean": True,
}


def test_without_a_name_the_reports_are_listed() -> None:
    result = CliRunner().invoke(app, ["report", "--json"])
    assert [one["report"] for one in json.loads(result.stdout)["reports"]] == list(catalogue().reports)
    assert "What did we sell each day?" in CliRunner().invoke(app, ["report"]).stdout


@pytest.mark.parametrize(
    "words",
    [
        ("nothing",), ("revenue_by_day", "--from", "yesterday", "--limit", "0"), ("revenue_by_day", "--param", "cover=1"),
        ("revenue_by_day", "--param", "cover"), ("revenue_by_day", "--csv", "--json"), ("--limit", "3"),
        ("customer_segments", "--from", "2026-03-01"),
    ],
)  # fmt: skip
def test_a_mistake_is_told_before_a_cloud_is_asked(words: tuple[str, ...]) -> None:
    result = CliRunner().invoke(app, ["report", *words])
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith("error: ")
    assert "no local cloud" not in result.stderr


@pytest.mark.parametrize("name", catalogue().reports)
def test_every_report_can_be_drawn(name: str) -> None:
    report = catalogue().reports[name]
    row = [VALUES[column.type] for column in report.columns]
    text = drawn(report, [row, row], 80, colour=False)
    assert report.plot.y in text
    assert "\x1b" not in text
    assert max(map(len, text.splitlines())) <= 80


def test_values_of_an_equal_place_are_added_up_and_missing_ones_left_out() -> None:
    report = catalogue().reports["data_quality"]
    rows = [[date(2026, 3, 1), "sales", value, 1, 0, 0] for value in (Decimal(1), Decimal(2), None)]
    assert series(report, rows) == {"sales": {date(2026, 3, 1): 3.0}}
