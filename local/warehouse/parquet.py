"""Parquet files: their own types decide, and must be ones that fit the table exactly."""

from __future__ import annotations

from collections.abc import Sequence

from local.warehouse.engine import Cursor
from local.warehouse.errors import invalid, unsupported
from local.warehouse.fetch import Source
from local.warehouse.types import Field, duckdb_type, literal, quote

INTEGERS = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "UTINYINT", "USMALLINT", "UINTEGER")
KINDS = {
    **dict.fromkeys(INTEGERS, "INTEGER"),
    "FLOAT": "FLOAT",
    "DOUBLE": "FLOAT",
    "VARCHAR": "STRING",
    "BLOB": "BYTES",
    "BOOLEAN": "BOOLEAN",
    "DATE": "DATE",
    "TIME": "TIME",
    "TIMESTAMP": "DATETIME",
    "TIMESTAMP WITH TIME ZONE": "TIMESTAMP",
}
WIDENED = {("INTEGER", "NUMERIC"), ("INTEGER", "FLOAT"), ("DATETIME", "TIMESTAMP")}


def parquet_plan_parts(
    cursor: Cursor, sources: Sequence[Source], schema: tuple[Field, ...]
) -> tuple[tuple[Field, ...], tuple[str, ...], tuple[tuple[str, str], ...]]:
    """Schema, column expressions and row sources; every file has the first one's columns."""
    found = tuple((source.name, f"read_parquet({literal(str(source.path))})") for source in sources)
    described = [_columns(cursor, reader) for _name, reader in found]
    if any(each != described[0] for each in described):
        raise invalid("The Parquet files of one load job must have the same columns")
    wanted = {item.name.lower(): item for item in schema}
    fields: list[Field] = []
    columns: list[str] = []
    for name, kind in described[0].items():
        item = wanted.pop(name.lower(), None) or _field(name, kind)
        _check(item, kind)
        fields.append(item)
        columns.append(f"CAST({quote(name)} AS {duckdb_type(item)})")
    if missing := [item.name for item in wanted.values() if item.mode == "REQUIRED"]:
        raise invalid(f"The Parquet files lack the required field {missing[0]}")
    return tuple(fields), tuple(columns), found


def _columns(cursor: Cursor, reader: str) -> dict[str, str]:
    rows = cursor.execute(f"DESCRIBE SELECT * FROM {reader}").fetchall()  # noqa: S608
    return {row[0]: row[1] for row in rows}


def _field(name: str, kind: str) -> Field:
    """A field made from a Parquet column, where neither job nor table names one."""
    mode = "REPEATED" if kind.endswith("[]") else "NULLABLE"
    base = kind.removesuffix("[]")
    if base.startswith("DECIMAL("):
        return Field(name, "NUMERIC", mode)
    if base not in KINDS:
        raise unsupported(f"The Parquet type {kind} of column {name}", "give the load job a schema, or another type")
    return Field(name, KINDS[base], mode)


def _check(item: Field, kind: str) -> None:
    """Refuse a conversion that could change a value."""
    if item.type == "RECORD":
        if duckdb_type(item).replace('"', "") != kind.replace('"', ""):
            raise invalid(f"Field {item.name} has type {duckdb_type(item)} but the Parquet file holds {kind}")
        return
    held = _field(item.name, kind)
    same = held.type == item.type or (held.type, item.type) in WIDENED
    if not same or (held.mode == "REPEATED") != (item.mode == "REPEATED"):
        raise invalid(f"Field {item.name} has type {item.type} but the Parquet file holds {kind}")
    if held.type == "NUMERIC" and int(kind.removesuffix("[]").rstrip(")").split(",")[1]) > 9:
        raise invalid(f"Field {item.name} has more than 9 decimals in the Parquet file ({kind})")
