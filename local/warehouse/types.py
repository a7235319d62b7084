"""BigQuery's types and their DuckDB counterparts.

Only types whose values survive the round trip exactly are accepted; the others are refused when a schema names them.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from local.warehouse.errors import invalid, unsupported
from local.warehouse.sql.kinds import SqlType, array_of, scalar

ALIASES = {
    "INT64": "INTEGER",
    "FLOAT64": "FLOAT",
    "BOOL": "BOOLEAN",
    "STRUCT": "RECORD",
    "DECIMAL": "NUMERIC",
}
DUCKDB_SCALARS = {
    "STRING": "VARCHAR",
    "BYTES": "BLOB",
    "INTEGER": "BIGINT",
    "FLOAT": "DOUBLE",
    "BOOLEAN": "BOOLEAN",
    "NUMERIC": "DECIMAL(38, 9)",
    "DATE": "DATE",
    "DATETIME": "TIMESTAMP",
    "TIME": "TIME",
    "TIMESTAMP": "TIMESTAMPTZ",
}
STANDARD_NAMES = {"INTEGER": "INT64", "FLOAT": "FLOAT64", "BOOLEAN": "BOOL", "RECORD": "STRUCT"}
FIXED_BYTES = {
    "INTEGER": 8,
    "FLOAT": 8,
    "DATE": 8,
    "DATETIME": 8,
    "TIME": 8,
    "TIMESTAMP": 8,
    "BOOLEAN": 1,
    "NUMERIC": 16,
}
COLUMN_NAME = re.compile(r"^[A-Za-z_][A-Za-z0-9_]{0,299}$")
MODES = ("NULLABLE", "REQUIRED", "REPEATED")


@dataclass(frozen=True)
class Field:
    """One column, or one member of a record."""

    name: str
    type: str
    mode: str = "NULLABLE"
    description: str | None = None
    fields: tuple[Field, ...] = field(default=())

    @property
    def element(self) -> Field:
        """The same field without REPEATED: what one value of the array is."""
        return replace(self, mode="NULLABLE")

    def to_api(self) -> dict[str, Any]:
        """The field as the REST API writes it."""
        body: dict[str, Any] = {"name": self.name, "type": self.type, "mode": self.mode}
        if self.description is not None:
            body["description"] = self.description
        if self.type == "RECORD":
            body["fields"] = [member.to_api() for member in self.fields]
        return body


def quote(name: str) -> str:
    """An identifier for DuckDB."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """A string literal for DuckDB."""
    return "'" + text.replace("'", "''") + "'"


def parse_field(body: dict[str, Any]) -> Field:
    """Read one field of a REST schema, refusing what can not be kept exactly."""
    name = str(body.get("name", ""))
    if not COLUMN_NAME.match(name):
        raise invalid(f'Invalid field name "{name}". Fields must contain only letters, numbers, and underscores.')
    kind = str(body.get("type", "")).upper()
    kind = ALIASES.get(kind, kind)
    if kind != "RECORD" and kind not in DUCKDB_SCALARS:
        raise unsupported(
            f"The type {kind or '(none)'} of field {name}", f"use one of {', '.join(DUCKDB_SCALARS)}, RECORD"
        )
    for option in ("precision", "scale", "maxLength", "defaultValueExpression", "policyTags", "collation"):
        if body.get(option) not in (None, "", "0"):
            raise unsupported(f"{option} of field {name}", "leave it out")
    mode = str(body.get("mode") or "NULLABLE").upper()
    if mode not in MODES:
        raise invalid(f"Invalid mode {mode} for field {name}; it is one of {', '.join(MODES)}.")
    members = parse_schema(body.get("fields") or [])
    if kind == "RECORD" and not members:
        raise invalid(f"Field {name} is type RECORD but has no schema")
    return Field(name, kind, mode, body.get("description"), members)


def parse_schema(fields: Sequence[dict[str, Any]]) -> tuple[Field, ...]:
    """Read the fields of a REST schema; names are unique whatever their case."""
    parsed = tuple(parse_field(item) for item in fields)
    seen: set[str] = set()
    for item in parsed:
        if item.name.lower() in seen:
            raise invalid(f"Duplicate field name: {item.name}")
        seen.add(item.name.lower())
    return parsed


def duckdb_type(item: Field) -> str:
    """The DuckDB type that holds a field."""
    if item.mode == "REPEATED":
        return duckdb_type(item.element) + "[]"
    if item.type == "RECORD":
        members = ", ".join(f"{quote(member.name)} {duckdb_type(member)}" for member in item.fields)
        return f"STRUCT({members})"
    return DUCKDB_SCALARS[item.type]


def standard_type(item: Field) -> str:
    """The type as GoogleSQL spells it, for INFORMATION_SCHEMA and messages."""
    if item.mode == "REPEATED":
        return f"ARRAY<{standard_type(item.element)}>"
    if item.type == "RECORD":
        return "STRUCT<" + ", ".join(f"{member.name} {standard_type(member)}" for member in item.fields) + ">"
    return STANDARD_NAMES.get(item.type, item.type)


def from_sql_type(name: str, kind: SqlType, *, required: bool = False, description: str | None = None) -> Field:
    """The field that the translation describes, for results and for DDL."""
    if kind.element is not None:
        return replace(from_sql_type(name, kind.element, description=description), mode="REPEATED")
    mode = "REQUIRED" if required else "NULLABLE"
    if kind.kind == "STRUCT":
        members = tuple(
            from_sql_type(key or f"_field_{at}", each) for at, (key, each) in enumerate(kind.fields, start=1)
        )
        return Field(name, "RECORD", mode, description, members)
    kind_name = "INTEGER" if kind.kind == "NULL" else ALIASES.get(kind.kind, kind.kind)
    return Field(name, kind_name, mode, description)


def sql_type(item: Field) -> SqlType:
    """A field's type as the translation knows it."""
    if item.mode == "REPEATED":
        return array_of(sql_type(item.element))
    if item.type == "RECORD":
        return SqlType("STRUCT", fields=tuple((member.name, sql_type(member)) for member in item.fields))
    return scalar(item.type)


def bytes_expression(item: Field, value: str) -> str:
    """SQL for the logical bytes BigQuery counts for one value; a null counts nothing."""
    if item.mode == "REPEATED":
        inner = bytes_expression(item.element, "_e")
        return f"coalesce(list_sum(list_transform({value}, lambda _e: {inner})), 0)"
    if item.type == "RECORD":
        parts = [bytes_expression(member, f"{value}.{quote(member.name)}") for member in item.fields]
        return "(" + " + ".join(parts) + ")"
    if item.type in FIXED_BYTES:
        return f"(CASE WHEN {value} IS NULL THEN 0 ELSE {FIXED_BYTES[item.type]} END)"
    return f"(CASE WHEN {value} IS NULL THEN 0 ELSE 2 + {_octets(item, value)} END)"


def bytes_of_all(item: Field) -> str:
    """SQL for the logical bytes of all values of a column: counted rather than added up, where all are of one size."""
    column = quote(item.name)
    if item.mode == "REPEATED" or item.type == "RECORD":
        return f"coalesce(sum({bytes_expression(item, column)}), 0)"
    if item.type in FIXED_BYTES:
        return f"{FIXED_BYTES[item.type]} * count({column})"
    return f"2 * count({column}) + coalesce(sum({_octets(item, column)}), 0)"


def _octets(item: Field, value: str) -> str:
    return f"octet_length({value})" if item.type == "BYTES" else f"strlen({value})"
