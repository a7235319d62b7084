"""CREATE, DROP and ALTER: read into details for the catalog; only what holds data becomes DuckDB SQL."""

from __future__ import annotations

from typing import Literal

from sqlglot import exp

from local.warehouse.sql.ddl_options import options_of, property_value
from local.warehouse.sql.errors import InvalidSql, UnsupportedSql
from local.warehouse.sql.expressions import Node, only
from local.warehouse.sql.kinds import SqlType, array_of, from_sqlglot, quote
from local.warehouse.sql.model import (
    AlterDetails,
    Column,
    CreateDetails,
    Details,
    DropDetails,
    Kind,
    SchemaDetails,
    TableRef,
)
from local.warehouse.sql.query import Query, compile_query
from local.warehouse.sql.relations import table_ref
from local.warehouse.sql.scope import Context, Scope

Granularity = Literal["HOUR", "DAY", "MONTH", "YEAR"]


class Ddl:
    """A DDL statement translated: its kind, table, SQL and details."""

    def __init__(
        self, kind: Kind, table: TableRef | None, details: Details, sql: str = "", query: Query | None = None
    ) -> None:
        self.kind, self.table, self.details, self.sql, self.query = kind, table, details, sql, query


def create(node: exp.Create, context: Context, text: str) -> Ddl:
    """CREATE TABLE, CREATE TABLE … AS, CREATE VIEW and CREATE SCHEMA."""
    only(node, "this", "kind", "replace", "exists", "expression", "properties")
    kind = str(node.args["kind"]).upper()
    properties = node.args["properties"].expressions if node.args.get("properties") else []
    if kind == "SCHEMA":
        return _create_schema(node, properties, context)
    if kind not in ("TABLE", "VIEW"):
        raise UnsupportedSql(f"CREATE {kind}")
    schema = node.this if isinstance(node.this, exp.Schema) else None
    ref = table_ref(schema.this if schema else node.this, context)
    query = compile_query(node.expression, Scope(context)) if node.args.get("expression") else None
    if query is not None:
        query.use_all()
    if kind == "VIEW":
        return _create_view(node, ref, properties, query, schema, text)
    partition, granularity, clustering, rest = _layout(properties)
    columns = _schema_columns(schema) if schema else _query_columns(query)
    for name in (*([partition] if partition else []), *clustering):
        if name.lower() not in {column.name.lower() for column in columns}:
            raise InvalidSql(f"Unrecognized name: {name} in PARTITION BY or CLUSTER BY")
    details = CreateDetails(
        columns=columns,
        partition_column=partition,
        partition_granularity=granularity,
        clustering=clustering,
        options=options_of(rest),
        if_not_exists=bool(node.args.get("exists")),
        or_replace=bool(node.args.get("replace")),
    )
    if query is None:
        return Ddl("CREATE_TABLE", ref, details)
    if schema is not None:
        raise UnsupportedSql("CREATE TABLE with both a column list and AS")
    return Ddl("CREATE_TABLE_AS_SELECT", ref, details, query.sql, query)


def _create_view(
    node: exp.Create, ref: TableRef, properties: list[Node], query: Query | None, schema: Node, text: str
) -> Ddl:
    if query is None or schema is not None:
        raise UnsupportedSql("CREATE VIEW without AS or with a column list")
    details = CreateDetails(
        columns=_query_columns(query),
        options=options_of(properties),
        if_not_exists=bool(node.args.get("exists")),
        or_replace=bool(node.args.get("replace")),
        query_sql=_view_text(text),
    )
    return Ddl("CREATE_VIEW", ref, details, "", query)


def _view_text(text: str) -> str:
    """The text after the AS that begins the view's query."""
    from local.warehouse.sql.parse import after_as

    return after_as(text)


def _create_schema(node: exp.Create, properties: list[Node], context: Context) -> Ddl:
    project, dataset = _dataset(node.this, context)
    details = SchemaDetails(
        project, dataset, if_not_exists=bool(node.args.get("exists")), options=options_of(properties)
    )
    return Ddl("CREATE_SCHEMA", None, details)


def _dataset(node: Node, context: Context) -> tuple[str, str]:
    parts = [part.name for part in (node.args.get("catalog"), node.args.get("db"), node.args.get("this")) if part]
    if not 1 <= len(parts) <= 2:
        raise InvalidSql(f"Invalid dataset name: {'.'.join(parts)}")
    return (parts[0] if len(parts) == 2 else context.project), parts[-1]


def _layout(properties: list[Node]) -> tuple[str | None, Granularity | None, tuple[str, ...], list[Node]]:
    """PARTITION BY and CLUSTER BY, and the properties that are left."""
    partition: str | None = None
    granularity: Granularity | None = None
    clustering: tuple[str, ...] = ()
    rest = []
    for item in properties:
        if isinstance(item, exp.PartitionedByProperty):
            partition, granularity = _partitioning(item.this)
        elif isinstance(item, exp.ClusterProperty):
            clustering = tuple(column.name for column in item.expressions)
        else:
            rest.append(item)
    return partition, granularity, clustering, rest


def _partitioning(node: Node) -> tuple[str, Granularity]:
    """PARTITION BY column, DATE(column), DATE_TRUNC(column, part) or TIMESTAMP_TRUNC(column, part)."""
    if isinstance(node, exp.Identifier | exp.Column):
        return node.name, "DAY"
    if isinstance(node, exp.Anonymous):
        name, args = str(node.this).upper(), node.expressions
        if name == "DATE" and len(args) == 1:
            return args[0].name, "DAY"
        if name in ("DATE_TRUNC", "TIMESTAMP_TRUNC") and len(args) == 2:
            for granularity in ("HOUR", "DAY", "MONTH", "YEAR"):
                if args[1].name.upper() == granularity and not (name == "DATE_TRUNC" and granularity == "HOUR"):
                    return args[0].name, granularity
    raise UnsupportedSql(f"PARTITION BY {node.sql(dialect='bigquery')[:80]}")


def _query_columns(query: Query | None) -> tuple[Column, ...]:
    if query is None:
        raise InvalidSql("CREATE TABLE needs a column list or AS")
    return tuple(Column(column.name, column.type) for column in query.fields)


def _schema_columns(schema: exp.Schema) -> tuple[Column, ...]:
    columns = []
    for item in schema.expressions:
        if isinstance(item, exp.PrimaryKey | exp.ForeignKey):
            if "NOT ENFORCED" not in item.sql(dialect="bigquery").upper():
                raise InvalidSql("PRIMARY KEY and FOREIGN KEY constraints must be NOT ENFORCED")
            continue
        if not isinstance(item, exp.ColumnDef):
            raise UnsupportedSql(f"in a column list: {item.sql(dialect='bigquery')[:80]}")
        columns.append(column_of(item))
    if len({column.name.lower() for column in columns}) != len(columns):
        raise InvalidSql("Duplicate column name in CREATE TABLE")
    return tuple(columns)


def column_of(node: exp.ColumnDef) -> Column:
    """A column definition: type, NOT NULL and OPTIONS(description=…)."""
    only(node, "this", "kind", "constraints", "exists")
    if node.kind is None:
        raise InvalidSql(f"Syntax error: column {node.name} has no type")
    required, description = False, None
    for constraint in node.args.get("constraints") or ():
        kind = constraint.args["kind"]
        if isinstance(kind, exp.NotNullColumnConstraint) and not kind.args.get("allow_null"):
            required = True
        elif isinstance(kind, exp.Properties):
            for item in kind.expressions:
                if item.name.lower() != "description":
                    raise UnsupportedSql(f"column option {item.name}")
                description = str(property_value(item.args["value"]))
        else:
            raise UnsupportedSql(f"column constraint {constraint.sql(dialect='bigquery')[:80]}")
    return Column(node.name, _type(node.kind), required, description)


def _type(node: exp.DataType) -> SqlType:
    kind = from_sqlglot(node)
    return array_of(kind.element) if kind.element is not None else kind


def drop(node: exp.Drop, context: Context) -> Ddl:
    """DROP TABLE, VIEW and SCHEMA."""
    only(node, "tables", "kind", "exists", "cascade", "restrict")
    kind, exists, cascade = (
        str(node.args["kind"]).upper(),
        bool(node.args.get("exists")),
        bool(node.args.get("cascade")),
    )
    if len(node.args["tables"]) != 1:
        raise UnsupportedSql("DROP of several objects")
    target = node.args["tables"][0]
    if kind == "SCHEMA":
        project, dataset = _dataset(target, context)
        return Ddl("DROP_SCHEMA", None, SchemaDetails(project, dataset, if_exists=exists, cascade=cascade))
    ref = table_ref(target, context)
    if kind == "TABLE":
        return Ddl("DROP_TABLE", ref, DropDetails(exists))
    if kind == "VIEW":
        return Ddl("DROP_VIEW", ref, DropDetails(exists))
    raise UnsupportedSql(f"DROP {kind}")


def alter(node: exp.Alter, context: Context) -> Ddl:
    """ALTER TABLE: ADD COLUMN, DROP COLUMN and SET OPTIONS."""
    only(node, "this", "kind", "exists", "actions")
    if str(node.args["kind"]).upper() != "TABLE":
        raise UnsupportedSql(f"ALTER {node.args['kind']}")
    ref = table_ref(node.this, context)
    added, dropped, options = [], [], None
    flags = {"add": False, "drop": False}
    for action in node.args["actions"]:
        if isinstance(action, exp.ColumnDef):
            added.append(column_of(action))
            flags["add"] |= bool(action.args.get("exists"))
        elif isinstance(action, exp.Drop) and str(action.args["kind"]).upper() == "COLUMN":
            dropped += [item.name for item in action.args["tables"]]
            flags["drop"] |= bool(action.args.get("exists"))
        elif isinstance(action, exp.AlterSet) and options is None:
            only(action, "expressions")
            options = options_of([item for group in action.expressions for item in group.expressions])
        else:
            raise UnsupportedSql(f"ALTER TABLE … {action.sql(dialect='bigquery')[:80]}")
    if any(column.required for column in added):
        raise InvalidSql("Cannot add a REQUIRED column to an existing table")
    details = AlterDetails(
        tuple(added), flags["add"], tuple(dropped), flags["drop"], options, bool(node.args.get("exists"))
    )
    return Ddl("ALTER_TABLE", ref, details)


def table_sql(ref: TableRef, columns: tuple[Column, ...]) -> str:
    """CREATE TABLE for DuckDB."""
    body = ", ".join(f"{quote(c.name)} {c.type.duckdb}{' NOT NULL' if c.required else ''}" for c in columns)
    return f"CREATE TABLE {quote(ref.dataset)}.{quote(ref.table)} ({body})"
