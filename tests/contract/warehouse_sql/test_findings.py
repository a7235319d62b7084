"""What the server learns from a translation: tables, columns, partition filters, results, placeholders."""

from __future__ import annotations

from datetime import date

import pytest

from local.warehouse.sql import TableRef, array_of, scalar
from tests.contract.warehouse_sql.conftest import DATASET, PROJECT, Warehouse

SALES = TableRef(PROJECT, DATASET, "sales")
PEOPLE = TableRef(PROJECT, DATASET, "people")
DATE = scalar("DATE")


@pytest.mark.parametrize(
    ("sql", "columns"),
    [
        ("SELECT id FROM d.sales WHERE status = 'x'", {"id", "status"}),
        ("SELECT COUNT(*) FROM d.sales", set()),
        ("SELECT * FROM d.sales", {"id", "day", "amount", "status"}),
        ("SELECT id FROM (SELECT * FROM d.sales)", {"id"}),
        ("WITH x AS (SELECT id, amount + 1 AS a FROM d.sales) SELECT a FROM x", {"amount"}),
        ("SELECT id FROM d.paid", {"id", "status"}),
        ("SELECT DISTINCT status FROM d.sales ORDER BY status", {"status"}),
        ("SELECT 1 FROM d.people AS p JOIN d.sales AS s ON s.id = p.age", {"id"}),
        ("SELECT (SELECT MAX(day) FROM d.sales)", {"day"}),
        ("DELETE FROM d.sales WHERE id = 1", {"id", "day", "amount", "status"}),
    ],
)
def test_the_columns_read_are_those_that_matter(reading: Warehouse, sql: str, columns: set[str]) -> None:
    assert reading.statement(sql).columns_read[SALES] == columns


@pytest.mark.parametrize(
    ("condition", "kept"),
    [
        ("day = '2024-01-01'", ["2024-01-01"]),
        ("'2024-01-02' <= day", ["2024-01-02", "2024-02-01"]),
        ("day BETWEEN DATE '2024-01-01' AND '2024-01-02' AND id = 1", ["2024-01-01", "2024-01-02"]),
        ("day IN ('2024-01-01', '2024-02-01')", ["2024-01-01", "2024-02-01"]),
        ("(day > @d AND status = 'x')", ["2024-01-02", "2024-02-01"]),
        ("day IN UNNEST(@days)", ["2024-02-01"]),
        ("day >= DATE_SUB(@d, INTERVAL 1 DAY) AND day < DATE '2024-01-02'", ["2024-01-01"]),
        ("day < DATE_ADD(DATE_TRUNC(@d, MONTH), INTERVAL 1 MONTH)", ["2024-01-01", "2024-01-02"]),
    ],
)
def test_a_condition_on_the_partition_column_names_the_partitions(
    reading: Warehouse, condition: str, kept: list[str]
) -> None:
    kinds = {"d": DATE, "days": array_of(DATE)}
    values = {"d": date(2024, 1, 1), "days": [date(2024, 2, 1)]}
    statement = reading.statement(f"SELECT id FROM d.sales WHERE {condition}", kinds)
    found = statement.partition_filters[SALES]
    assert found is not None
    sql = f"SELECT day FROM (SELECT DISTINCT day FROM d.sales) AS p WHERE {found.sql('p.day')} ORDER BY day"
    used = {name: value for name, value in values.items() if name in statement.placeholders}
    cursor = reading.connection.execute(sql, used) if used else reading.connection.execute(sql)
    assert [day.isoformat() for (day,) in cursor.fetchall()] == kept


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT id FROM d.sales",
        "SELECT id FROM d.sales WHERE day = '2024-01-01' OR id = 1",
        "SELECT id FROM d.sales WHERE day = DATE_TRUNC(day, MONTH)",
        "SELECT id FROM d.sales WHERE DATE_TRUNC(day, MONTH) = '2024-01-01'",
        "SELECT id FROM d.sales WHERE day = DATE_TRUNC(day, day)",
        "SELECT id FROM d.sales WHERE NOT day = '2024-01-01'",
        "SELECT id FROM d.sales WHERE day IN (SELECT day FROM d.staged)",
        "SELECT a.id FROM d.sales AS a JOIN d.sales AS b USING (id) WHERE a.day = '2024-01-01'",
        "SELECT id FROM (SELECT * FROM d.sales LIMIT 5) WHERE day = '2024-01-01'",
        "SELECT n FROM (SELECT day, COUNT(*) OVER () AS n FROM d.sales) WHERE day = '2024-01-01'",
        "SELECT s.id FROM d.sales AS s LEFT JOIN d.people AS p ON s.day = '2024-01-01'",
    ],
)
def test_a_condition_that_may_not_hold_names_none(reading: Warehouse, sql: str) -> None:
    assert reading.statement(sql).partition_filters[SALES] is None


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT id FROM d.paid WHERE day = '2024-01-01'",
        "WITH x AS (SELECT * FROM d.sales) SELECT id FROM x WHERE day = '2024-01-01'",
        "SELECT 1 FROM d.people AS p JOIN d.sales AS s ON s.day = '2024-01-01'",
        "SELECT 1 FROM d.people AS p LEFT JOIN d.sales AS s ON s.id = p.age AND s.day = '2024-01-01'",
        "DELETE FROM d.sales WHERE day = '2024-01-01'",
        "UPDATE d.sales SET id = 1 WHERE day = '2024-01-01'",
        "MERGE d.sales AS t USING d.staged AS s ON t.id = s.id AND t.day IN ('2024-01-01') "
        "WHEN MATCHED THEN UPDATE SET amount = s.amount",
        "SELECT id FROM d.sales WHERE day = '2024-01-01' UNION ALL SELECT id FROM d.sales WHERE day = '2024-01-02'",
    ],
)
def test_the_filter_is_found_through_views_joins_and_writes(reading: Warehouse, sql: str) -> None:
    assert reading.statement(sql).partition_filters[SALES] is not None


def test_every_mention_of_a_table_is_an_alternative(reading: Warehouse) -> None:
    found = reading.statement(
        "SELECT id FROM d.sales WHERE day = '2024-01-01' UNION ALL SELECT id FROM d.sales WHERE day = '2024-01-02'"
    ).partition_filters[SALES]
    assert found is not None
    assert len(found.alternatives) == 2


def test_the_result_has_names_and_types(reading: Warehouse) -> None:
    output = reading.statement(
        "SELECT id AS Total, amount / 2, ARRAY_AGG(day) AS days, 1 FROM d.sales GROUP BY 1, 2"
    ).output
    assert [(column.name, str(column.type)) for column in output] == [
        ("Total", "INT64"),
        ("f0_", "NUMERIC"),
        ("days", "ARRAY<DATE>"),
        ("f1_", "INT64"),
    ]


def test_placeholders_are_the_names_used_and_no_others(reading: Warehouse) -> None:
    kinds = {"lo": scalar("INT64"), "unused": scalar("STRING")}
    reading.variables = {"v_day": (DATE, date(2024, 1, 1))}
    statement = reading.statement("SELECT id FROM d.sales WHERE id > @LO AND day = v_day", kinds)
    assert statement.placeholders == {"lo": "parameter", "v_day": "variable"}


def test_a_column_hides_a_variable_of_its_name(reading: Warehouse) -> None:
    reading.variables = {"n": (scalar("INT64"), 100)}
    assert reading.run("SELECT n FROM d.orders WHERE n = 3") == [(3,)]


@pytest.mark.parametrize(
    ("kind", "value", "expression", "expected"),
    [
        (scalar("INT64"), 5, "@x + 1", 6),
        (scalar("STRING"), "b", "@x = 'b'", True),
        (scalar("STRING"), "2024-01-01", "DATE '2024-01-01' = @x", True),
        (scalar("TIMESTAMP"), "2024-01-01T00:00:00+01:00", "DATE(@x) = '2023-12-31'", True),
        (array_of(scalar("INT64")), [1, 2], "2 IN UNNEST(@x)", True),
        (array_of(scalar("STRING")), ["a"], "ARRAY_LENGTH(@x)", 1),
    ],
)
def test_parameters_have_the_type_that_was_declared(
    reading: Warehouse, kind: object, value: object, expression: str, expected: object
) -> None:
    assert reading.run(f"SELECT {expression}", {"x": (kind, value)}) == [(expected,)]  # type: ignore[dict-item]


def test_a_null_inside_a_resulting_array_stops_the_query(reading: Warehouse) -> None:
    with pytest.raises(Exception, match="Array cannot have a null element; error in writing field a"):
        reading.run("SELECT ARRAY_AGG(status) AS a FROM d.sales")
