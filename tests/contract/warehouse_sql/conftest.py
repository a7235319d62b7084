"""A DuckDB database with a few small tables, and the translation run against it without any server."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import duckdb
import pytest

from local.warehouse.sql import (
    SESSION_SETUP,
    Column,
    ReplaceDetails,
    SqlType,
    Statement,
    TableInfo,
    TableRef,
    array_of,
    parse_script,
    scalar,
    translate,
)

PROJECT = "p"
DATASET = "d"


def columns(**kinds: str) -> tuple[Column, ...]:
    """Columns by name and scalar type."""
    return tuple(Column(name, scalar(kind)) for name, kind in kinds.items())


TABLES = {
    "sales": TableInfo(columns(id="INT64", day="DATE", amount="NUMERIC", status="STRING"), partition_column="day"),
    "staged": TableInfo(columns(id="INT64", day="DATE", amount="NUMERIC", status="STRING")),
    "people": TableInfo(columns(user="STRING", country="STRING", age="INT64")),
    "orders": TableInfo(columns(user="STRING", n="INT64")),
    "events": TableInfo((*columns(id="INT64", at="TIMESTAMP"), Column("tags", array_of(scalar("STRING"))))),
    "paid": TableInfo(
        columns(id="INT64", day="DATE", amount="NUMERIC"),
        view_sql="SELECT id, day, amount FROM d.sales WHERE status = 'paid'",
    ),
}
ROWS = {
    "sales": "(1, DATE '2024-01-01', 10.5, 'paid'), (2, DATE '2024-01-01', 0.333333333, 'open'), "
    "(3, DATE '2024-01-02', -2.25, 'paid'), (4, DATE '2024-02-01', NULL, NULL)",
    "staged": "(1, DATE '2024-01-01', 11, 'paid'), (9, DATE '2024-01-05', 1, 'open')",
    "people": "('a', 'GB', 30), ('b', 'FR', NULL), ('c', 'GB', 20)",
    "orders": "('a', 1), ('a', 2), ('z', 3)",
    "events": "(1, TIMESTAMPTZ '2024-03-01 23:59:59.5+00', ['x', 'y']), (2, NULL, [])",
}


class Catalog:
    """The tables above."""

    def table(self, ref: TableRef) -> TableInfo | None:
        """A table of the one dataset."""
        return TABLES.get(ref.table) if ref.dataset == DATASET else None


@dataclass
class Warehouse:
    """Runs BigQuery SQL on DuckDB through the translation."""

    connection: duckdb.DuckDBPyConnection
    variables: dict[str, tuple[SqlType, Any]] = field(default_factory=dict)

    def statement(self, sql: str, kinds: Mapping[str, SqlType] | None = None) -> Statement:
        """The one statement of a text, translated."""
        (node,) = parse_script(sql)
        return translate(
            node,
            schema=Catalog(),
            default_project=PROJECT,
            default_dataset=DATASET,
            parameters=kinds or {},
            variables={name: kind for name, (kind, _) in self.variables.items()},
        )

    def run(self, sql: str, parameters: Mapping[str, tuple[SqlType, Any]] | None = None) -> list[tuple[Any, ...]]:
        """The rows that one statement gives."""
        given = dict(parameters or {})
        statement = self.statement(sql, {name: kind for name, (kind, _) in given.items()})
        values = {name: (given | self.variables)[name][1] for name in statement.placeholders}
        if isinstance(statement.details, ReplaceDetails):
            self._execute(statement.details.stage, values)
            return self._execute(statement.details.delete, values) + self._execute(statement.duckdb_sql, values)
        return self._execute(statement.duckdb_sql, values)

    def _execute(self, sql: str, values: Mapping[str, Any]) -> list[tuple[Any, ...]]:
        named = {name: value for name, value in values.items() if f"${name} " in sql}
        return self.connection.execute(sql, named or None).fetchall()


@contextmanager
def database() -> Iterator[duckdb.DuckDBPyConnection]:
    """A new database with the tables."""
    connection = duckdb.connect()
    for setting in SESSION_SETUP:
        connection.execute(setting)
    connection.execute(f"CREATE SCHEMA {DATASET}")
    for name, rows in ROWS.items():
        body = ", ".join(f'"{column.name}" {column.type.duckdb}' for column in TABLES[name].columns)
        connection.execute(f"CREATE TABLE {DATASET}.{name} ({body})")
        connection.execute(f"INSERT INTO {DATASET}.{name} VALUES {rows}")
    yield connection
    connection.close()


@pytest.fixture(scope="session")
def unchanged() -> Iterator[duckdb.DuckDBPyConnection]:
    """A database that no test changes."""
    with database() as made:
        yield made


@pytest.fixture
def reading(unchanged: duckdb.DuckDBPyConnection) -> Warehouse:
    """For what is only translated, or only reads."""
    return Warehouse(unchanged)


@pytest.fixture
def warehouse() -> Iterator[Warehouse]:
    """A fresh database."""
    with database() as made:
        yield Warehouse(made)


def plain(value: Any) -> Any:
    """A value as the case tables write it: numbers, texts, lists; times and NUMERIC as text."""
    if isinstance(value, Decimal):
        text = format(value, "f")
        return "N" + (text.rstrip("0").rstrip(".") if "." in text else text)
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%d %H:%M:%S.%f").rstrip("0").rstrip(".")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    return value
