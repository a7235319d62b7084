"""DDL is read into details for the catalog; scripts are split into statements."""

from __future__ import annotations

import pytest

from local.warehouse.sql import (
    AlterDetails,
    AssertDetails,
    Column,
    CreateDetails,
    DropDetails,
    IfDetails,
    SchemaDetails,
    TableOptions,
    TableRef,
    VariableDetails,
    array_of,
    parse_script,
    scalar,
)
from tests.contract.warehouse_sql.conftest import Warehouse

CREATE = """
    CREATE TABLE IF NOT EXISTS d.facts (
      id INT64 NOT NULL OPTIONS (description = 'the key'),
      day DATE,
      tags ARRAY<STRING>,
      PRIMARY KEY (id) NOT ENFORCED
    )
    PARTITION BY DATE_TRUNC(day, MONTH)
    CLUSTER BY id, day
    OPTIONS (require_partition_filter = TRUE, description = "facts", labels = [('team', 'data')],
             partition_expiration_days = 30)
"""


def test_create_table_with_all_its_parts(warehouse: Warehouse) -> None:
    statement = warehouse.statement(CREATE)
    assert statement.kind == "CREATE_TABLE"
    assert statement.table_written == TableRef("p", "d", "facts")
    assert statement.details == CreateDetails(
        columns=(
            Column("id", scalar("INT64"), required=True, description="the key"),
            Column("day", scalar("DATE")),
            Column("tags", array_of(scalar("STRING"))),
        ),
        partition_column="day",
        partition_granularity="MONTH",
        clustering=("id", "day"),
        options=TableOptions("facts", {"team": "data"}, True, 30.0),
        if_not_exists=True,
    )
    warehouse.connection.execute(statement.duckdb_sql)


def test_create_table_as_select_gives_the_query_and_its_columns(warehouse: Warehouse) -> None:
    statement = warehouse.statement(
        "CREATE OR REPLACE TABLE d.x PARTITION BY day AS SELECT day, SUM(amount) AS total FROM d.sales GROUP BY day"
    )
    assert statement.kind == "CREATE_TABLE_AS_SELECT"
    assert isinstance(statement.details, CreateDetails)
    assert [(c.name, str(c.type)) for c in statement.details.columns] == [("day", "DATE"), ("total", "NUMERIC")]
    assert statement.details.or_replace
    assert len(warehouse.connection.execute(statement.duckdb_sql).fetchall()) == 3


def test_create_view_keeps_the_text_of_its_query(warehouse: Warehouse) -> None:
    statement = warehouse.statement("CREATE VIEW d.v OPTIONS (description = 'x') AS\nSELECT id AS k FROM d.sales;")
    assert isinstance(statement.details, CreateDetails)
    assert statement.details.query_sql == "SELECT id AS k FROM d.sales"
    assert statement.details.columns == (Column("k", scalar("INT64")),)


@pytest.mark.parametrize(
    ("sql", "kind", "details"),
    [
        ("DROP TABLE IF EXISTS d.sales", "DROP_TABLE", DropDetails(if_exists=True)),
        ("DROP VIEW d.paid", "DROP_VIEW", DropDetails()),
        ("DROP SCHEMA d CASCADE", "DROP_SCHEMA", SchemaDetails("p", "d", cascade=True)),
        (
            "CREATE SCHEMA IF NOT EXISTS e OPTIONS (location = 'EU')",
            "CREATE_SCHEMA",
            SchemaDetails("p", "e", if_not_exists=True, options=TableOptions(location="EU")),
        ),
        (
            "ALTER TABLE d.sales ADD COLUMN IF NOT EXISTS extra STRING",
            "ALTER_TABLE",
            AlterDetails((Column("extra", scalar("STRING")),), add_if_not_exists=True),
        ),
        ("ALTER TABLE d.sales DROP COLUMN status", "ALTER_TABLE", AlterDetails(drop_columns=("status",))),
        (
            "ALTER TABLE d.sales SET OPTIONS (require_partition_filter = FALSE)",
            "ALTER_TABLE",
            AlterDetails(options=TableOptions(require_partition_filter=False)),
        ),
    ],
)
def test_other_ddl(warehouse: Warehouse, sql: str, kind: str, details: object) -> None:
    statement = warehouse.statement(sql)
    assert (statement.kind, statement.details) == (kind, details)


SCRIPT = """
    DECLARE v_day DATE DEFAULT DATE '2024-01-01'; -- a comment; with a semicolon
    DECLARE v_a, v_b INT64;
    SET v_a = (SELECT COUNT(*) FROM d.sales WHERE day = v_day);
    BEGIN TRANSACTION;
    INSERT INTO d.orders (user, n) VALUES ('s;', CASE WHEN TRUE THEN 1 END);
    COMMIT TRANSACTION;
    ASSERT v_a > 0 AS 'there are rows';
    IF v_a > 1 THEN SELECT 'many'; SELECT 2; ELSEIF v_a = 1 THEN SELECT 'one'; ELSE SELECT 'none'; END IF;
    ROLLBACK;
"""


def test_a_script_is_split_into_its_statements() -> None:
    nodes = parse_script(SCRIPT)
    forms = ["DECLARE", "DECLARE", "SET", "BEGIN", "SQL", "COMMIT", "ASSERT", "IF", "ROLLBACK"]
    assert [node.form for node in nodes] == forms
    assert nodes[1].names == ("v_a", "v_b")
    branch = nodes[7]
    assert [node.text for node in branch.then] == ["SELECT 'many'", "SELECT 2"]
    assert branch.otherwise[0].form == "IF"
    assert [node.text for node in branch.otherwise[0].otherwise] == ["SELECT 'none'"]


def test_script_statements_are_queries_of_one_value(warehouse: Warehouse) -> None:
    declared = warehouse.statement("DECLARE v_n NUMERIC DEFAULT 2")
    assert declared.details == VariableDetails(("v_n",), scalar("NUMERIC"))
    assert declared.duckdb_sql == "SELECT CAST(CAST(2 AS BIGINT) AS DECIMAL(38,9))"
    warehouse.variables = {"v_a": (scalar("INT64"), 4)}
    assert warehouse.run("SET V_A = v_a + 1") == [(5,)]
    checked = warehouse.statement("ASSERT v_a = 4 AS 'four'")
    assert checked.details == AssertDetails("four")
    assert warehouse.run("ASSERT v_a = 4 AS 'four'") == [(True,)]
    assert isinstance(warehouse.statement("IF v_a = 4 THEN SELECT 1; END IF").details, IfDetails)


def test_if_as_a_function_is_no_script(warehouse: Warehouse) -> None:
    assert warehouse.run("SELECT IF(TRUE, 1, 2)") == [(1,)]
