"""What the translation takes and gives: tables and their schemas in, statements out.

The server knows the catalog and runs the SQL; it learns from a Statement everything else that it needs, so that it
never looks into a SQL text itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, Protocol

from local.warehouse.sql.kinds import SqlType

Kind = Literal[
    "SELECT", "INSERT", "UPDATE", "DELETE", "MERGE", "TRUNCATE_TABLE",
    "CREATE_TABLE", "CREATE_TABLE_AS_SELECT", "CREATE_VIEW", "DROP_TABLE", "DROP_VIEW", "ALTER_TABLE",
    "CREATE_SCHEMA", "DROP_SCHEMA", "DECLARE", "SET", "ASSERT", "IF",
    "BEGIN_TRANSACTION", "COMMIT_TRANSACTION", "ROLLBACK_TRANSACTION",
]  # fmt: skip
PlaceholderSource = Literal["parameter", "variable"]


@dataclass(frozen=True, order=True)
class TableRef:
    """A table's full name. In DuckDB it is "dataset"."table"."""

    project: str
    dataset: str
    table: str

    def __str__(self) -> str:
        return f"{self.project}.{self.dataset}.{self.table}"


@dataclass(frozen=True)
class Column:
    """A column of a table or of a result. `required` is BigQuery's mode REQUIRED; a REPEATED one is an ARRAY."""

    name: str
    type: SqlType
    required: bool = False
    description: str | None = None


@dataclass(frozen=True)
class TableInfo:
    """What the translation must know of a table. A view gives its query, which is translated in its place."""

    columns: tuple[Column, ...]
    partition_column: str | None = None
    view_sql: str | None = None


class SchemaLookup(Protocol):
    """The catalog, as far as the translation needs it."""

    def table(self, ref: TableRef) -> TableInfo | None:
        """The table or view, or None when there is none of that name."""


@dataclass(frozen=True)
class PartitionCondition:
    """One comparison of the partition column with constants (DuckDB SQL, placeholders allowed).

    The operators are =, <, <=, >, >=, IN (one value each) and IN_ARRAY (one value, an array).
    """

    operator: Literal["=", "<", "<=", ">", ">=", "IN", "IN_ARRAY"]
    values: tuple[str, ...]

    def sql(self, column: str) -> str:
        """The condition as DuckDB SQL on the given column expression."""
        if self.operator == "IN":
            return f"{column} IN ({', '.join(self.values)})"
        if self.operator == "IN_ARRAY":
            return f"list_contains({self.values[0]}, {column})"
        return f"{column} {self.operator} {self.values[0]}"


@dataclass(frozen=True)
class PartitionFilter:
    """What holds for a table's partition column: the alternatives, each a list of conditions that all hold.

    There is one alternative for every mention of the table in the statement.
    """

    column: str
    alternatives: tuple[tuple[PartitionCondition, ...], ...]

    def sql(self, column: str) -> str:
        """The whole filter as DuckDB SQL on the given column expression."""
        return " OR ".join("(" + " AND ".join(c.sql(column) for c in each) + ")" for each in self.alternatives)


@dataclass(frozen=True)
class TableOptions:
    """OPTIONS(…) of a table, view or schema; None is "not said"."""

    description: str | None = None
    labels: Mapping[str, str] | None = None
    require_partition_filter: bool | None = None
    partition_expiration_days: float | None = None
    expiration_timestamp: str | None = None
    friendly_name: str | None = None
    location: str | None = None


@dataclass(frozen=True)
class CreateDetails:
    """CREATE TABLE, CREATE TABLE … AS, CREATE VIEW. `query_sql` is a view's own text, in BigQuery's SQL."""

    columns: tuple[Column, ...] = ()
    partition_column: str | None = None
    partition_granularity: Literal["HOUR", "DAY", "MONTH", "YEAR"] | None = None
    clustering: tuple[str, ...] = ()
    options: TableOptions = TableOptions()
    if_not_exists: bool = False
    or_replace: bool = False
    query_sql: str | None = None


@dataclass(frozen=True)
class DropDetails:
    """DROP TABLE, VIEW or SCHEMA."""

    if_exists: bool = False
    cascade: bool = False


@dataclass(frozen=True)
class AlterDetails:
    """ALTER TABLE: columns added and dropped, options set."""

    add_columns: tuple[Column, ...] = ()
    add_if_not_exists: bool = False
    drop_columns: tuple[str, ...] = ()
    drop_if_exists: bool = False
    options: TableOptions | None = None
    if_exists: bool = False


@dataclass(frozen=True)
class SchemaDetails:
    """CREATE SCHEMA and DROP SCHEMA."""

    project: str
    dataset: str
    if_exists: bool = False
    if_not_exists: bool = False
    cascade: bool = False
    options: TableOptions = TableOptions()


@dataclass(frozen=True)
class VariableDetails:
    """DECLARE and SET: run the statement's duckdb_sql, whose one value each variable takes (in that order)."""

    names: tuple[str, ...]
    type: SqlType


@dataclass(frozen=True)
class AssertDetails:
    """ASSERT: the statement's duckdb_sql gives one BOOL; anything but true fails with this description."""

    description: str


@dataclass(frozen=True)
class IfDetails:
    """IF: the statement's duckdb_sql gives one BOOL; then the nodes of that branch are translated and run."""

    then: tuple[object, ...]
    otherwise: tuple[object, ...]


@dataclass(frozen=True)
class ReplaceDetails:
    """MERGE … ON FALSE: run `stage` (the source's rows, once), `delete`, then the statement's duckdb_sql, an INSERT.

    All in one transaction; the counts are DuckDB's own of the last two.
    """

    stage: str
    delete: str


Details = (
    CreateDetails | DropDetails | AlterDetails | SchemaDetails | VariableDetails | AssertDetails | IfDetails
    | ReplaceDetails | None
)  # fmt: skip


@dataclass(frozen=True)
class Statement:
    """One translated statement.

    `duckdb_sql` has a $name for each of `placeholders` (exactly these must be given to DuckDB) and is empty where the
    catalog alone acts (CREATE SCHEMA, transactions …). `count_column` is set for MERGE: its rows are one action
    ('INSERT', 'UPDATE', 'DELETE') per affected row; INSERT, UPDATE and DELETE give DuckDB's own one-row count. A MERGE
    that replaces rows has ReplaceDetails instead, among whose statements the placeholders are spread.
    """

    kind: Kind
    duckdb_sql: str = ""
    output: tuple[Column, ...] = ()
    tables_read: tuple[TableRef, ...] = ()
    table_written: TableRef | None = None
    columns_read: Mapping[TableRef, frozenset[str]] = field(default_factory=dict)
    partition_filters: Mapping[TableRef, PartitionFilter | None] = field(default_factory=dict)
    placeholders: Mapping[str, PlaceholderSource] = field(default_factory=dict)
    count_column: str | None = None
    details: Details = None
