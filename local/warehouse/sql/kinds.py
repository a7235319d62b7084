"""BigQuery's types, and how a value of each is held in DuckDB.

One small immutable description serves columns, parameters, script variables and every expression, because the
translation decides by type almost everywhere.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from sqlglot import exp

from local.warehouse.sql.errors import InvalidSql, UnsupportedSql


@dataclass(frozen=True)
class SqlType:
    """A BigQuery type: a scalar, ARRAY<element> or STRUCT<fields>."""

    kind: str
    element: SqlType | None = None
    fields: tuple[tuple[str, SqlType], ...] = ()

    def __str__(self) -> str:
        if self.kind == "ARRAY":
            return f"ARRAY<{self.element}>"
        if self.kind == "STRUCT":
            return "STRUCT<" + ", ".join(f"{name} {kind}".strip() for name, kind in self.fields) + ">"
        return self.kind

    @property
    def duckdb(self) -> str:
        """The DuckDB type that holds values of this type."""
        if self.element is not None:
            return f"{self.element.duckdb}[]"
        if self.kind == "STRUCT":
            return "STRUCT(" + ", ".join(f"{quote(name)} {kind.duckdb}" for name, kind in self.fields) + ")"
        return _DUCKDB[self.kind]

    @property
    def numeric(self) -> bool:
        """Whether arithmetic is defined on it."""
        return self.kind in ("INT64", "NUMERIC", "FLOAT64")


ParamType = SqlType

STRING: Final = SqlType("STRING")
BYTES: Final = SqlType("BYTES")
INT64: Final = SqlType("INT64")
FLOAT64: Final = SqlType("FLOAT64")
NUMERIC: Final = SqlType("NUMERIC")
BOOL: Final = SqlType("BOOL")
DATE: Final = SqlType("DATE")
TIMESTAMP: Final = SqlType("TIMESTAMP")
DATETIME: Final = SqlType("DATETIME")
TIME: Final = SqlType("TIME")
NULL: Final = SqlType("NULL")

_DUCKDB: Final = {
    "STRING": "VARCHAR",
    "BYTES": "BLOB",
    "INT64": "BIGINT",
    "FLOAT64": "DOUBLE",
    "NUMERIC": "DECIMAL(38,9)",
    "BOOL": "BOOLEAN",
    "DATE": "DATE",
    "TIMESTAMP": "TIMESTAMPTZ",
    "DATETIME": "TIMESTAMP",
    "TIME": "TIME",
    "NULL": "BIGINT",
}
_NAMES: Final = {
    "INTEGER": "INT64",
    "INT": "INT64",
    "SMALLINT": "INT64",
    "BIGINT": "INT64",
    "TINYINT": "INT64",
    "BYTEINT": "INT64",
    "FLOAT": "FLOAT64",
    "DECIMAL": "NUMERIC",
    "BOOLEAN": "BOOL",
}
_SQLGLOT: Final = {
    "BIGINT": "INT64",
    "TEXT": "STRING",
    "DOUBLE": "FLOAT64",
    "DECIMAL": "NUMERIC",
    "BOOLEAN": "BOOL",
    "DATE": "DATE",
    "TIMESTAMPTZ": "TIMESTAMP",
    "DATETIME": "DATETIME",
    "TIMESTAMP": "DATETIME",
    "TIME": "TIME",
    "BINARY": "BYTES",
    "VARBINARY": "BYTES",
}


def array_of(element: SqlType) -> SqlType:
    """ARRAY<element>; BigQuery has no arrays of arrays."""
    if element.kind == "ARRAY":
        raise InvalidSql("Cannot construct array with element type ARRAY because nested arrays are not supported")
    return SqlType("ARRAY", element=element)


def scalar(name: str) -> SqlType:
    """The scalar type of that name, in either of BigQuery's spellings (INT64 or INTEGER)."""
    upper = name.upper()
    kind = _NAMES.get(upper, upper)
    if kind not in _DUCKDB or kind == "NULL":
        raise UnsupportedSql(f"type {name}")
    return SqlType(kind)


def from_sqlglot(node: exp.DataType) -> SqlType:
    """The type that a parsed CAST, DDL column or DECLARE names; lengths and precisions are not kept."""
    name = node.this.value if hasattr(node.this, "value") else str(node.this)
    if name == "ARRAY" and node.expressions:
        return array_of(from_sqlglot(node.expressions[0]))
    if name == "STRUCT" and node.expressions:
        return SqlType("STRUCT", fields=tuple(_field(child) for child in node.expressions))
    if node.expressions:
        raise UnsupportedSql(f"a type with parameters: {node.sql(dialect='bigquery')}")
    kind = _SQLGLOT.get(name)
    if kind is None:
        raise UnsupportedSql(f"type {node.sql(dialect='bigquery')}")
    return SqlType(kind)


def _field(node: exp.Expression) -> tuple[str, SqlType]:
    if not isinstance(node, exp.ColumnDef) or not isinstance(node.kind, exp.DataType):
        raise UnsupportedSql("a STRUCT type with a field without a name")
    return node.name, from_sqlglot(node.kind)


def quote(name: str) -> str:
    """An identifier for DuckDB."""
    return '"' + name.replace('"', '""') + '"'


def text(value: str) -> str:
    """A string literal for DuckDB."""
    return "'" + value.replace("'", "''") + "'"
