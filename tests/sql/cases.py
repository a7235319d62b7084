"""Cases of SQL as they lie in tests/sql/<table>/<case>/case.yaml, read by the types of the tables' schema.json.

A case names the columns that matter to it; the others have the value that defaults.yaml declares once, in what is put in
as in what is expected, so every column of every row is compared.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from shared.adapters.warehouse_sql import FOLDER

HERE = Path(__file__).parent
PATHS = sorted(HERE.glob("*/*/case.yaml"))
TABLES = sorted(f"{path.parts[-3]}.{path.parts[-2]}" for path in FOLDER.glob("*/*/schema.json"))
Row = dict[str, Any]


@dataclass(frozen=True)
class Case:
    """What is in the tables, what the build is asked for, and what the mart or view holds afterwards."""

    table: str
    inputs: Mapping[str, list[Row]]
    params: Mapping[str, Any]
    expected: list[Row]
    checks: list[Row]
    """What checks.sql finds."""


def read_case(path: Path) -> Case:
    """One case. A name that is not known is an error, so that no case tests less than it says."""
    raw = _yaml(path)
    table = f"marts.{path.parts[-3]}"
    unknown = set(raw) - {"why", "tables", "params", "expect", "checks"}
    assert not unknown, f"{path}: {unknown}"
    return Case(
        table,
        {name: [row_of(name, row) for row in rows] for name, rows in raw.get("tables", {}).items()},
        _params({**_defaults()["params"], **raw.get("params", {})}),
        sorted((row_of(table, row) for row in raw["expect"]), key=lambda row: key_of(table, row)),
        [_typed_row(row, CHECK) for row in raw.get("checks", [])],
    )


CHECK = [
    {"name": "period", "type": "DATE"},
    {"name": "name", "type": "STRING"},
    {"name": "severity", "type": "STRING"},
    {"name": "failures", "type": "INT64"},
]


@cache
def schema_of(table: str) -> list[dict[str, Any]]:
    """The fields of a table or view, in order."""
    text = (FOLDER / table.replace(".", "/") / "schema.json").read_text(encoding="utf-8")
    fields: list[dict[str, Any]] = json.loads(text)
    return fields


@cache
def metadata_of(table: str) -> dict[str, Any]:
    """The metadata.yaml of a table or view."""
    text = (FOLDER / table.replace(".", "/") / "metadata.yaml").read_text(encoding="utf-8")
    metadata: dict[str, Any] = yaml.safe_load(text)
    return metadata


def key_of(table: str, row: Row) -> str:
    """What rows are sorted by; null sorts as any text does."""
    return str([row[name] for name in metadata_of(table)["keys"]])


def row_of(table: str, named: Mapping[str, Any]) -> Row:
    """A whole row of a table: the named columns, and the defaults of the others."""
    return _typed_row({**_defaults()[table], **named}, schema_of(table))


def _typed_row(texts: Mapping[str, Any], fields: list[dict[str, Any]]) -> Row:
    names = [field["name"] for field in fields]
    assert set(texts) == set(names), f"{sorted(set(texts) ^ set(names))} of {dict(texts)}"
    return {field["name"]: _typed(texts[field["name"]], field) for field in fields}


def _typed(value: Any, field: dict[str, Any]) -> Any:
    if field.get("mode") == "REPEATED":
        return [_typed_row(item, field["fields"]) for item in value]
    return None if value == "null" else READERS[field["type"]](value)


READERS: Mapping[str, Callable[[str], Any]] = {
    "STRING": str,
    "INT64": int,
    "NUMERIC": Decimal,
    "BOOL": {"true": True, "false": False}.__getitem__,
    "DATE": date.fromisoformat,
    "TIMESTAMP": lambda text: datetime.fromisoformat(text).replace(tzinfo=UTC),
}


def _params(texts: Mapping[str, Any]) -> dict[str, Any]:
    """Typed parameters; `months` stand for themselves and for all of their days."""
    params: dict[str, Any] = {
        "base_currency": texts["base_currency"],
        "open_day": date.fromisoformat(texts["open_day"]),
    }
    for name in ("days", "months"):
        if name in texts:
            params[name] = [date.fromisoformat(text) for text in texts[name]]
    if "months" in params:
        params["days"] = [day for month in params["months"] for day in _days_of(month)]
    return params


def _days_of(month: date) -> list[date]:
    days = (month + timedelta(days=number) for number in range(31))
    return [day for day in days if day.month == month.month]


@cache
def _defaults() -> dict[str, Any]:
    return _yaml(HERE / "defaults.yaml")


def _yaml(path: Path) -> dict[str, Any]:
    """Every scalar is its text: money never passes through a float."""
    found: dict[str, Any] = yaml.load(path.read_text(encoding="utf-8"), yaml.BaseLoader)  # noqa: S506 - texts only
    return found
