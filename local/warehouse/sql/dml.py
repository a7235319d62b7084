"""INSERT, UPDATE, DELETE and TRUNCATE TABLE."""

from __future__ import annotations

from dataclasses import dataclass

from sqlglot import exp

from local.warehouse.sql.errors import InvalidSql, UnsupportedSql
from local.warehouse.sql.expressions import Expressions, Node, only
from local.warehouse.sql.kinds import NULL, quote
from local.warehouse.sql.model import Column, ReplaceDetails, TableInfo, TableRef
from local.warehouse.sql.partition import note_conditions
from local.warehouse.sql.query import Query, compile_query
from local.warehouse.sql.relations import base_table, lookup, relation_of, table_ref
from local.warehouse.sql.scope import Context, Scope
from local.warehouse.sql.typed import Typed, as_type


@dataclass(frozen=True)
class Written:
    """A statement that writes: its SQL, the table, whether its rows are actions (MERGE), and what goes before it."""

    sql: str
    table: TableRef
    actions: bool = False
    details: ReplaceDetails | None = None


def target_of(node: Node, context: Context) -> tuple[TableRef, TableInfo, str]:
    """The table that a statement writes, and its alias in the text."""
    if not isinstance(node, exp.Table):
        raise UnsupportedSql(f"as a table to write: {node.sql(dialect='bigquery')[:80]}")
    only(node, "this", "db", "catalog", "alias")
    ref = table_ref(node, context)
    info = lookup(ref, context)
    if info.view_sql is not None:
        raise InvalidSql(f"{ref.dataset}.{ref.table} is not allowed for this operation because it is a VIEW")
    return ref, info, node.alias or node.name


def column_of(info: TableInfo, name: str) -> Column:
    """A column of the written table."""
    for column in info.columns:
        if column.name.lower() == name.lower():
            return column
    raise InvalidSql(f"Column {name} is not present in the table")


def assigned(value: Typed, column: Column) -> str:
    """A value as a column takes it."""
    sql = as_type(value, column.type)
    if sql is None:
        raise InvalidSql(
            f"Value of type {value.type} cannot be assigned to {column.name}, which has type {column.type}"
        )
    return sql


def listed(names: list[str], info: TableInfo) -> list[Column]:
    """The columns of an INSERT's list; without a list all of them."""
    columns = [column_of(info, name) for name in names] if names else list(info.columns)
    if len({column.name for column in columns}) != len(columns):
        raise InvalidSql("INSERT column list names a column twice")
    return columns


def insert(node: exp.Insert, context: Context) -> Written:
    """INSERT … VALUES and INSERT … query; columns that are not listed become NULL."""
    only(node, "this", "expression", "with_")
    names: list[str] = []
    target = node.this
    if isinstance(target, exp.Schema):
        names, target = [item.name for item in target.expressions], target.this
    ref, info, _ = target_of(target, context)
    columns = listed(names, info)
    heads = ", ".join(quote(column.name) for column in columns)
    source = node.expression
    if isinstance(source, exp.Values):
        body = _values(source, columns, context)
    else:
        if node.args.get("with_"):
            raise UnsupportedSql("WITH before INSERT")
        body = inserted_query(compile_query(source, Scope(context)), columns, context)
    return Written(f"INSERT INTO {quote(ref.dataset)}.{quote(ref.table)} ({heads}) {body}", ref)


def inserted_query(query: Query, columns: list[Column], context: Context) -> str:
    """A query's columns, by place, as the written columns."""
    if len(query.fields) != len(columns):
        raise InvalidSql(f"Inserted row has wrong column count; Has {len(query.fields)}, expected {len(columns)}")
    query.use_all()
    name = context.alias("rows")
    inner = [f"c{at}" for at in range(len(columns))]
    literals = query.literals or [Typed(f.sql, f.type) for f in query.fields]
    values = [
        assigned(_as_column(literal, f"{name}.{place}"), column)
        for literal, place, column in zip(literals, inner, columns, strict=True)
    ]
    return f"SELECT {', '.join(values)} FROM ({query.sql}) AS {name}({', '.join(inner)})"  # noqa: S608 - made of parts that are translated or quoted


def _as_column(value: Typed, sql: str) -> Typed:
    """The subquery's column that holds the value; a literal NULL or text still takes the column's type."""
    if value.literal == "null":
        return Typed("NULL", NULL, "null")
    return Typed(sql, value.type, value.literal if value.literal in ("string", "float") else None)


def _values(node: exp.Values, columns: list[Column], context: Context) -> str:
    e = Expressions(Scope(context), compile_query)
    rows = []
    for row in node.expressions:
        items = row.expressions if isinstance(row, exp.Tuple) else [row]
        if len(items) != len(columns):
            raise InvalidSql(f"Inserted row has wrong column count; Has {len(items)}, expected {len(columns)}")
        values = [value_or_default(item, column, e) for item, column in zip(items, columns, strict=True)]
        rows.append(f"({', '.join(values)})")
    return "VALUES " + ", ".join(rows)


def value_or_default(node: Node, column: Column, e: Expressions) -> str:
    """A written value; tables here have no default values, so DEFAULT is NULL."""
    if isinstance(node, exp.Var | exp.Column) and node.name.upper() == "DEFAULT":
        return f"CAST(NULL AS {column.type.duckdb})"
    return assigned(e.of(node), column)


def assignments(nodes: list[Node], info: TableInfo, alias: str, e: Expressions) -> str:
    """SET column = value, …"""
    parts, seen = [], set()
    for node in nodes:
        if not isinstance(node, exp.EQ) or not isinstance(node.this, exp.Column) or len(node.this.parts) > 2:
            raise UnsupportedSql(f"in SET: {node.sql(dialect='bigquery')[:80]}")
        if len(node.this.parts) == 2 and node.this.table.lower() != alias.lower():
            raise InvalidSql(f"Unrecognized name: {node.this.table}")
        column = column_of(info, node.this.name)
        if column.name in seen:
            raise InvalidSql(f"Update item {column.name} assigned more than once")
        seen.add(column.name)
        parts.append(f"{quote(column.name)} = {value_or_default(node.expression, column, e)}")
    return ", ".join(parts)


def written_scope(node: Node, context: Context) -> tuple[TableRef, TableInfo, str, str, Scope]:
    """The written table as a relation that conditions can name; all of its columns count as read."""
    ref, info, alias = target_of(node, context)
    sql, relation = base_table(ref, info, alias, context)
    context.reads |= {(ref, column.name) for column in info.columns}
    return ref, info, alias, sql, Scope(context, relations=[relation])


def update(node: exp.Update, context: Context) -> Written:
    """UPDATE. With FROM it becomes a MERGE, which fails when several rows match one; DuckDB's UPDATE would pick one."""
    only(node, "this", "expressions", "from_", "where")
    where = _where(node, "UPDATE")
    ref, info, alias, sql, scope = written_scope(node.this, context)
    source = ""
    if node.args.get("from_"):
        item = node.args["from_"].this
        if item.args.get("joins"):
            raise UnsupportedSql("UPDATE … FROM several tables; join them in a subquery")
        source, relation = relation_of(item, Scope(context))
        scope.relations.append(relation)
    e = Expressions(scope, compile_query)
    condition = e.boolean(where, "WHERE clause")
    note_conditions(where, scope)
    sets = assignments(node.expressions, info, alias, e)
    if source:
        merge = f"MERGE INTO {sql} USING {source} ON {condition} WHEN MATCHED THEN UPDATE SET {sets}"
        return Written(f"{merge} RETURNING merge_action", ref, actions=True)
    return Written(f"UPDATE {sql} SET {sets} WHERE {condition}", ref)  # noqa: S608 - made of parts that are translated or quoted


def delete(node: exp.Delete, context: Context) -> Written:
    """DELETE [FROM] table [AS alias] WHERE …"""
    only(node, "this", "tables", "where")
    where = _where(node, "DELETE")
    tables = node.args.get("tables") or []
    if len(tables) > 1 or (tables and node.this):
        raise UnsupportedSql("DELETE of several tables")
    ref, _, _, sql, scope = written_scope(tables[0] if tables else node.this, context)
    condition = Expressions(scope, compile_query).boolean(where, "WHERE clause")
    note_conditions(where, scope)
    return Written(f"DELETE FROM {sql} WHERE {condition}", ref)  # noqa: S608 - made of parts that are translated or quoted


def _where(node: Node, word: str) -> Node:
    if not node.args.get("where"):
        raise InvalidSql(f"{word} must have a WHERE clause")
    return node.args["where"].this


def truncate(node: exp.TruncateTable, context: Context) -> Written:
    """TRUNCATE TABLE, as a DELETE so that it obeys a transaction."""
    only(node, "expressions")
    ref, _, _ = target_of(node.expressions[0], context)
    return Written(f"DELETE FROM {quote(ref.dataset)}.{quote(ref.table)}", ref)  # noqa: S608 - made of parts that are translated or quoted
