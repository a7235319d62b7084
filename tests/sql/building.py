"""A mart built as build_marts does it: query into a staging table, checks, and the periods without a failure replaced."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from google.cloud import bigquery
from google.cloud.bigquery import Client

from shared.adapters.ports import Warehouse
from shared.adapters.warehouse_sql import warehouse_sql
from tests.sql.cases import Row, key_of, metadata_of, schema_of

STAGED = "staging.sql_test"


@dataclass(frozen=True)
class Marts:
    """The warehouse under test."""

    client: Client
    warehouse: Warehouse
    _filled: set[str] = field(default_factory=set)

    def empty(self) -> None:
        """Take out of all tables what was put into them or built."""
        for table in self._filled:
            self.warehouse.run(f"DELETE FROM {table} WHERE {metadata_of(table)['partition']} >= DATE '2000-01-01'", {})
        self._filled.clear()

    def put(self, table: str, rows: list[Row]) -> None:
        """Add rows to a table."""
        self._filled.add(table)
        schema = [bigquery.SchemaField.from_api_repr(field) for field in schema_of(table)]
        config = bigquery.LoadJobConfig(schema=schema)
        plain = [{name: _plain(value) for name, value in row.items()} for row in rows]
        self.client.load_table_from_json(plain, table, job_config=config).result()

    def build(self, mart: str, params: Mapping[str, Any]) -> list[Row]:
        """Build the periods of the parameters, replacing twice what is good of them; what the checks found."""
        periods: list[date] = params["months" if metadata_of(mart)["build"]["period"] == "month" else "days"]
        query = warehouse_sql(mart, "query")
        self.warehouse.run(query, {name: v for name, v in params.items() if f"@{name}" in query}, into=STAGED)
        found = [dict(row) for row in self.warehouse.run(self._staged(mart, "checks"), {})]
        failed = {row["period"] for row in found if row["severity"] == "fail"}
        self._filled.add(mart)
        for _ in ("once", "again"):
            good = [period for period in periods if period not in failed]
            self.warehouse.run(self._staged(mart, "replace"), {"periods": good})
        return found

    def rows(self, table: str) -> list[Row]:
        """All rows of a mart or view, in order of their keys."""
        columns = ", ".join(field["name"] for field in schema_of(table))
        partition = metadata_of(table).get("partition")
        where = f" WHERE {partition} >= DATE '2000-01-01'" if partition else ""
        rows = [dict(row) for row in self.warehouse.run(f"SELECT {columns} FROM {table}{where}", {})]
        return sorted(rows, key=lambda row: key_of(table, row))

    @staticmethod
    def _staged(mart: str, name: str) -> str:
        return warehouse_sql(mart, name).replace("${staged}", STAGED)


def _plain(value: Any) -> Any:
    if isinstance(value, list):
        return [{name: _plain(each) for name, each in item.items()} for item in value]
    return value if value is None or isinstance(value, bool | int) else str(value)
