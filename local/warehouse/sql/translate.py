"""One parsed statement into one translated Statement: chooses by form and gathers what was found on the way."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from sqlglot import exp

from local.warehouse.sql import aggregates, extract, formats, functions_arrays, functions_numeric, functions_text
from local.warehouse.sql.ddl import Ddl, alter, create, drop, table_sql
from local.warehouse.sql.dml import Written, delete, insert, truncate, update
from local.warehouse.sql.errors import InvalidSql, UnsupportedSql
from local.warehouse.sql.expressions import Expressions
from local.warehouse.sql.kinds import BOOL, NULL, SqlType, from_sqlglot, text
from local.warehouse.sql.merge import merge
from local.warehouse.sql.model import (
    AssertDetails,
    Column,
    CreateDetails,
    Details,
    IfDetails,
    Kind,
    PartitionFilter,
    SchemaLookup,
    Statement,
    TableRef,
    VariableDetails,
)
from local.warehouse.sql.parse import ParsedNode
from local.warehouse.sql.query import Query, compile_query
from local.warehouse.sql.scope import Context, Scope
from local.warehouse.sql.typed import Typed, require

# Importing these modules fills the tables of functions.
REGISTERED: Final = (aggregates, extract, formats, functions_arrays, functions_numeric, functions_text)
SESSION_SETUP: Final = (
    "SET TimeZone = 'UTC'",
    "SET error_on_division_by_zero = true",
    "SET ieee_floating_point_ops = false",
)


def translate(
    node: ParsedNode,
    *,
    schema: SchemaLookup,
    default_project: str,
    default_dataset: str,
    parameters: Mapping[str, SqlType],
    variables: Mapping[str, SqlType] | None = None,
) -> Statement:
    """A statement for DuckDB, or UnsupportedSql or InvalidSql."""
    context = Context(schema, default_project, default_dataset, parameters, variables or {})
    if node.form == "SQL":
        return _sql(node, context)
    if node.form in ("BEGIN", "COMMIT", "ROLLBACK"):
        kinds: dict[str, Kind] = {
            "BEGIN": "BEGIN_TRANSACTION",
            "COMMIT": "COMMIT_TRANSACTION",
            "ROLLBACK": "ROLLBACK_TRANSACTION",
        }
        return Statement(kinds[node.form])
    return _script(node, context)


def _script(node: ParsedNode, context: Context) -> Statement:
    """DECLARE, SET, ASSERT and IF: one value, computed by a query."""
    value = Expressions(Scope(context), compile_query).of(node.tree) if node.tree is not None else Typed("NULL", NULL)
    if node.form in ("ASSERT", "IF"):
        sql = require(value, BOOL, f"{node.form} condition")
        details: Details = (
            AssertDetails(node.description) if node.form == "ASSERT" else IfDetails(node.then, node.otherwise)
        )
        return _found(context, "ASSERT" if node.form == "ASSERT" else "IF", f"SELECT {sql}", details=details)
    known = {name.lower(): kind for name, kind in context.variables.items()}
    if node.form == "DECLARE":
        if any(name.lower() in known for name in node.names):
            raise InvalidSql(f"Variable {node.names[0]} is declared more than once")
        kind = from_sqlglot(node.type) if node.type is not None else value.type
    else:
        if node.names[0].lower() not in known:
            raise InvalidSql(f"Undeclared variable: {node.names[0]}")
        kind = known[node.names[0].lower()]
    sql = require(value, kind, f"The value of variable {node.names[0]}")
    form: Kind = "DECLARE" if node.form == "DECLARE" else "SET"
    return _found(context, form, f"SELECT {sql}", details=VariableDetails(node.names, kind))


def _sql(node: ParsedNode, context: Context) -> Statement:
    tree = node.tree
    if isinstance(tree, exp.Query):
        return _query(compile_query(tree, Scope(context)), context)
    if isinstance(tree, exp.Create):
        return _ddl(create(tree, context, node.text), context)
    if isinstance(tree, exp.Drop):
        return _ddl(drop(tree, context), context)
    if isinstance(tree, exp.Alter):
        return _ddl(alter(tree, context), context)
    if isinstance(tree, exp.Insert):
        return _written("INSERT", insert(tree, context), context)
    if isinstance(tree, exp.Update):
        return _written("UPDATE", update(tree, context), context)
    if isinstance(tree, exp.Delete):
        return _written("DELETE", delete(tree, context), context)
    if isinstance(tree, exp.Merge):
        return _written("MERGE", merge(tree, context), context)
    if isinstance(tree, exp.TruncateTable):
        return _written("TRUNCATE_TABLE", truncate(tree, context), context)
    raise UnsupportedSql(f"statement {node.text.split(maxsplit=1)[0].upper()}")


def _query(query: Query, context: Context) -> Statement:
    query.use_all()
    names = [column.name.lower() for column in query.fields]
    if len(set(names)) != len(names):
        raise InvalidSql("Duplicate column names in the result are not supported")
    output = tuple(Column(column.name, column.type) for column in query.fields)
    return _found(context, "SELECT", _checked(query, context), output=output)


def _checked(query: Query, context: Context) -> str:
    """A result's array may not hold NULL, and a number that overflowed is an error in BigQuery, not infinity."""
    if not any(column.type.kind in ("ARRAY", "FLOAT64") for column in query.fields):
        return query.sql
    name = context.alias("result")
    columns = []
    for column in query.fields:
        value = f"{name}.{column.sql}"
        sound, problem = "", ""
        if column.type.kind == "ARRAY":
            sound, problem = f"len({value}) = list_count({value})", "Array cannot have a null element"
        elif column.type.kind == "FLOAT64":
            sound, problem = f"isfinite({value})", "Floating point overflow, or NaN or infinity (not supported here)"
        if sound:
            message = text(f"{problem}; error in writing field {column.name}")
            value = f"CASE WHEN {value} IS NULL OR {sound} THEN {value} ELSE error({message}) END"
        columns.append(f"{value} AS {column.sql}")
    return f"SELECT {', '.join(columns)} FROM ({query.sql}) AS {name}"  # noqa: S608 - made of parts that are translated or quoted


def _ddl(found: Ddl, context: Context) -> Statement:
    sql = ""
    if found.kind == "CREATE_TABLE" and found.table is not None and isinstance(found.details, CreateDetails):
        sql = table_sql(found.table, found.details.columns)
    elif found.query is not None and found.kind == "CREATE_TABLE_AS_SELECT":
        sql = _checked(found.query, context)
    return _found(context, found.kind, sql, table=found.table, details=found.details)


def _written(kind: Kind, written: Written, context: Context) -> Statement:
    column = "merge_action" if written.actions else None
    return _found(context, kind, written.sql, table=written.table, count_column=column, details=written.details)


def _found(
    context: Context,
    kind: Kind,
    sql: str,
    *,
    output: tuple[Column, ...] = (),
    table: TableRef | None = None,
    details: Details = None,
    count_column: str | None = None,
) -> Statement:
    """A statement with the tables, columns, filters and placeholders that the translation met."""
    columns: dict[TableRef, set[str]] = {usage.ref: set() for usage in context.usages}
    for ref, name in context.reads:
        columns.setdefault(ref, set()).add(name)
    return Statement(
        kind=kind,
        duckdb_sql=sql,
        output=output,
        tables_read=tuple(dict.fromkeys(usage.ref for usage in context.usages)),
        table_written=table,
        columns_read={ref: frozenset(names) for ref, names in columns.items()},
        partition_filters=_filters(context),
        placeholders=dict(context.placeholders),
        count_column=count_column,
        details=details,
    )


def _filters(context: Context) -> dict[TableRef, PartitionFilter | None]:
    """For each partitioned table what all its mentions together say; one mention without a filter means none."""
    found: dict[TableRef, PartitionFilter | None] = {}
    for usage in context.usages:
        column = usage.info.partition_column
        if column is None:
            continue
        earlier = found.get(usage.ref)
        if (usage.ref in found and earlier is None) or not usage.conditions:
            found[usage.ref] = None
        else:
            alternatives = earlier.alternatives if earlier is not None else ()
            found[usage.ref] = PartitionFilter(column, (*alternatives, tuple(usage.conditions)))
    return found
