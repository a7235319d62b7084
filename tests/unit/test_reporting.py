"""What a request for a report may ask: defaults, bounds, and every problem told at once."""

from __future__ import annotations

import csv
import io
import json
from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.adapters.reports import REPORTS, catalogue, report_sql
from shared.domain.report_text import as_csv, as_json
from shared.domain.reporting import Column
from shared.errors import OrderRefused

CATALOGUE = catalogue()
TODAY = date(2026, 11, 25)
DAILY = CATALOGUE.reports["revenue_by_day"]
TEXT = [Column("text", "text")]


@pytest.mark.parametrize("name", CATALOGUE.reports)
def test_a_report_takes_known_parameters_and_plots_columns_that_it_has(name: str) -> None:
    report = CATALOGUE.reports[name]
    assert set(report.parameters) <= set(CATALOGUE.parameters)
    columns = {column.name: column.type for column in report.columns}
    assert {report.plot.x, report.plot.y, report.plot.by or report.plot.x} <= set(columns)
    assert columns[report.plot.y] in ("integer", "decimal")
    assert ("from" in report.parameters) == ("to" in report.parameters) == bool(report.days)
    assert report.limit <= CATALOGUE.parameters["limit"].most


@pytest.mark.parametrize("name", CATALOGUE.reports)
def test_the_sql_of_a_report_names_its_parameters_and_reads_its_marts(name: str) -> None:
    sql, report = report_sql(name), CATALOGUE.reports[name]
    head = sql.splitlines()[:3]
    taken = head[1].removeprefix("-- Parameters: ").split(", ")
    assert taken == [CATALOGUE.parameters[given].sql_name for given in report.parameters]
    assert all(f"@{given}" in sql for given in taken)
    assert all(mart in sql for mart in report.marts)
    assert "sales." not in sql, "a report reads marts only"
    assert sql.rstrip().endswith("LIMIT @most")


def test_every_sql_file_is_in_the_catalogue() -> None:
    assert sorted(path.stem for path in REPORTS.glob("*.sql")) == sorted(CATALOGUE.reports)


def test_the_default_period_ends_yesterday() -> None:
    assert CATALOGUE.read(DAILY, [], TODAY) == {
        "from": date(2026, 10, 26), "to": date(2026, 11, 24), "currency": "", "limit": 1100
    }  # fmt: skip
    given = CATALOGUE.read(DAILY, [("to", "2026-03-31")], TODAY)
    assert given["from"] == date(2026, 3, 2)


def test_all_problems_are_told_at_once() -> None:
    asked = [("from", "1.2.2026"), ("limit", "0"), ("currency", "eur"), ("colour", "red"), ("to", "2026-02-30")]
    with pytest.raises(OrderRefused) as caught:
        CATALOGUE.read(DAILY, asked, TODAY, ["format must be json or csv"])
    told = str(caught.value).split("; ")
    assert len(told) == 6
    assert told[0] == "format must be json or csv"
    assert "limit must be a whole number from 1 to 10000, it is '0'" in told


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ([("from", "2026-03-02"), ("to", "2026-03-01")], "from must not be after to"),
        ([("from", "2020-01-01"), ("to", "2026-01-01")], "may span 1,100 days"),
        ([("to", "2026-03-01"), ("to", "2026-03-02")], "to must be given once"),
        ([("from", "")], "from must be a day"),
        ([("currency", "")], "currency must be an ISO 4217 code"),
        ([("limit", "x" * 500)], "…"),
    ],
)
def test_what_makes_no_sense_is_refused(asked: list[tuple[str, str]], told: str) -> None:
    with pytest.raises(OrderRefused) as caught:
        CATALOGUE.read(DAILY, asked, TODAY)
    assert caught.value.reason == "bad_parameters"
    assert told in str(caught.value)
    assert len(str(caught.value)) < 200


def test_an_unknown_report_names_those_that_there_are() -> None:
    with pytest.raises(OrderRefused, match="revenue_by_day"):
        CATALOGUE.find("revenue")


@given(
    name=st.sampled_from(sorted(CATALOGUE.reports)),
    asked=st.lists(
        st.tuples(
            st.one_of(st.sampled_from(sorted(CATALOGUE.parameters)), st.text(max_size=5)),
            st.one_of(st.text(max_size=12), st.dates().map(str), st.integers().map(str), st.just("EUR")),
        ),
        max_size=5,
    ),
    today=st.dates(min_value=date(2000, 1, 1), max_value=date(2100, 1, 1)),
)
def test_whatever_is_asked_is_refused_or_inside_the_bounds(
    name: str, asked: list[tuple[str, str]], today: date
) -> None:
    report = CATALOGUE.reports[name]
    try:
        values = CATALOGUE.read(report, asked, today)
    except OrderRefused:
        return
    assert list(values) == list(report.parameters)
    limit = values["limit"]
    assert isinstance(limit, int)
    assert 1 <= limit <= 10_000
    if "from" in values:
        first, last = values["from"], values["to"]
        assert isinstance(first, date)
        assert isinstance(last, date)
        assert timedelta(0) <= last - first < timedelta(days=CATALOGUE.most_days)


@given(st.dates(min_value=date(2000, 1, 1), max_value=date(2030, 1, 1)), st.integers(0, 1099), st.integers(1, 10_000))
def test_what_is_well_written_is_taken_as_it_is(first: date, days: int, limit: int) -> None:
    last = first + timedelta(days=days)
    asked = [("from", str(first)), ("to", str(last)), ("limit", str(limit)), ("currency", "USD")]
    assert CATALOGUE.read(DAILY, asked, TODAY) == {"from": first, "to": last, "currency": "USD", "limit": limit}


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r\0"), min_size=1), min_size=1))
def test_csv_reads_back_as_it_was_but_for_what_a_spreadsheet_would_run(texts: list[str]) -> None:
    written = as_csv(TEXT, [[text] for text in texts])
    (_, *rows) = csv.reader(io.StringIO(written, newline=""))
    assert [row[0] for row in rows] == [f"'{text}" if text[0] in "=+-@\t" else text for text in texts]


def test_csv_keeps_the_sign_of_numbers_and_quotes_what_it_must() -> None:
    columns = [Column(name, "text") for name in ("a", "b", "c")]
    rows = [["-1+1", Decimal("-12.50"), None], ['say "x", y', date(2026, 3, 1), True]]
    assert as_csv(columns, rows) == 'a,b,c\r\n\'-1+1,-12.50,\r\n"say ""x"", y",2026-03-01,true\r\n'


def test_json_writes_decimals_as_text_and_days_by_iso() -> None:
    rows = [[TODAY, Decimal("1.10"), 3, None]]
    body = json.loads(as_json("revenue_by_day", DAILY, {"from": TODAY}, rows, has_more=False, bytes_processed=7))
    assert body["rows"] == [["2026-11-25", "1.10", 3, None]]
    assert body["parameters"] == {"from": "2026-11-25"}
    assert body["columns"][0] == {"name": "sale_date", "type": "date", "unit": "UTC day"}
