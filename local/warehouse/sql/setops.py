"""UNION ALL, UNION DISTINCT, EXCEPT DISTINCT and INTERSECT DISTINCT."""

from __future__ import annotations

from dataclasses import replace

from sqlglot import exp

from local.warehouse.sql.errors import InvalidSql
from local.warehouse.sql.expressions import Expressions, only
from local.warehouse.sql.items import Item
from local.warehouse.sql.kinds import INT64, SqlType
from local.warehouse.sql.ordering import limit
from local.warehouse.sql.query import Query, compile_query, order_by, use
from local.warehouse.sql.scope import Field, Scope
from local.warehouse.sql.typed import Typed, common_type, require


def set_operation(node: exp.SetOperation, scope: Scope) -> Query:
    """Both sides with their columns as common types; the names are those of the first."""
    only(node, "this", "expression", "distinct", "order", "limit", "offset", "with_")
    word = {exp.Union: "UNION", exp.Except: "EXCEPT", exp.Intersect: "INTERSECT"}[type(node)]
    if not node.args.get("distinct"):
        if word != "UNION":
            raise InvalidSql(f"Syntax error: {word} must be followed by DISTINCT")
        word = "UNION ALL"
    sides = [compile_query(node.this, scope), compile_query(node.expression, scope)]
    if len(sides[0].fields) != len(sides[1].fields):
        raise InvalidSql(f"Queries in {word} have mismatched column count")
    kinds = [common_type([_loose(s, at) for s in sides], word) for at in range(len(sides[0].fields))]
    bodies = [_side(side, kinds, scope) for side in sides]
    fields = [
        Field(one.name, kind, one.sql, one.reads | other.reads)
        for one, other, kind in zip(sides[0].fields, sides[1].fields, kinds, strict=True)
    ]
    items = [Item(f.name, Typed(f.sql, f.type), f, node) for f in fields]
    if word != "UNION ALL":
        use(items, scope.context)
    e = Expressions(Scope(scope.context, None, aliases={}), compile_query)
    parts = [f"{bodies[0]} {word} {bodies[1]}", order_by(node, e, items), limit(node, e)]
    return Query(" ".join(part for part in parts if part), fields, scope.context)


def _loose(query: Query, at: int) -> Typed:
    """A column of a set operation's side; only a literal NULL takes any type."""
    if query.literals and query.literals[at].literal == "null":
        return Typed("NULL", replace(INT64, kind="NULL"))
    return Typed("", query.fields[at].type)


def _side(query: Query, kinds: list[SqlType], scope: Scope) -> str:
    """One side with its columns as the common types."""
    if [column.type for column in query.fields] == kinds:
        return f"({query.sql})"
    name = scope.context.alias("side")
    names = [f"c{at}" for at in range(len(kinds))]
    columns = []
    for at, (column, kind) in enumerate(zip(query.fields, kinds, strict=True)):
        value = replace(_loose(query, at), sql=names[at])
        columns.append(f"{require(value, kind, 'Column of a set operation')} AS {column.sql}")
    return f"(SELECT {', '.join(columns)} FROM ({query.sql}) AS {name}({', '.join(names)}))"  # noqa: S608 - made of parts that are translated or quoted
