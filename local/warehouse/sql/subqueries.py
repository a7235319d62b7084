"""Expressions made of several values: arrays and their elements, subqueries, IN."""

from __future__ import annotations

from sqlglot import exp

from local.warehouse.sql.errors import InvalidSql, UnsupportedSql
from local.warehouse.sql.expressions import HANDLERS, Expressions, only
from local.warehouse.sql.kinds import BOOL, INT64, array_of
from local.warehouse.sql.typed import Typed, require, unify


def _array(e: Expressions, node: exp.Array) -> Typed:
    only(node, "expressions")
    if not node.expressions:
        return Typed("CAST([] AS BIGINT[])", array_of(INT64), "empty")
    values, kind = unify(e.all(node.expressions), "array construction")
    return Typed(f"[{', '.join(values)}]", array_of(kind))


def _bracket(e: Expressions, node: exp.Bracket) -> Typed:
    only(node, "this", "expressions", "offset", "safe")
    value, index = e.of(node.this), e.of(node.expressions[0])
    if value.type.element is None:
        raise UnsupportedSql(f"an index on a value with type {value.type}")
    if node.args.get("offset") is None:
        raise UnsupportedSql("an index without OFFSET or ORDINAL")
    base = node.args["offset"]
    position = require(index, INT64, "Array position")
    first, last = (f"{position} >= {base}", f"{position} < len({value.sql}) + {base}")
    missing = "NULL" if node.args.get("safe") else f"error('Array index ' || {position} || ' is out of bounds')"
    return Typed(
        f"CASE WHEN {value.sql} IS NULL OR {position} IS NULL THEN NULL WHEN {first} AND {last} "
        f"THEN {value.sql}[{position} + {1 - base}] ELSE {missing} END",
        value.type.element,
    )


def _subquery(e: Expressions, node: exp.Subquery) -> Typed:
    only(node, "this")
    query = e.query(node.this, e.scope)
    if len(query.fields) != 1:
        raise InvalidSql("Scalar subquery cannot have more than one column unless using SELECT AS STRUCT")
    query.use_all()
    return Typed(f"({query.sql})", query.fields[0].type)


def _exists(e: Expressions, node: exp.Exists) -> Typed:
    only(node, "this")
    query = e.query(node.this, e.scope)
    query.use_all()
    return Typed(f"EXISTS ({query.sql})", BOOL)


def _in(e: Expressions, node: exp.In) -> Typed:
    only(node, "this", "expressions", "query", "unnest")
    if node.args.get("unnest"):
        return _in_array(e, node)
    if node.args.get("query"):
        return _in_query(e, node)
    values, _ = unify(e.all([node.this, *node.expressions]), "operator IN")
    return Typed(f"({values[0]} IN ({', '.join(values[1:])}))", BOOL)


def _in_array(e: Expressions, node: exp.In) -> Typed:
    only(node.args["unnest"], "expressions")
    value, array = e.of(node.this), e.of(node.args["unnest"].expressions[0])
    if array.type.element is None:
        raise InvalidSql("Second argument of IN UNNEST must be an array")
    (left, _), _ = unify([value, Typed("NULL", array.type.element)], "operator IN UNNEST")
    if value.type != array.type.element and value.literal is None:
        raise InvalidSql(f"No matching signature for operator IN UNNEST: {value.type}, {array.type}")
    return Typed(f"({left} IN (SELECT unnest({array.sql})))", BOOL)


def _in_query(e: Expressions, node: exp.In) -> Typed:
    inner = node.args["query"]
    query = e.query(inner.this if isinstance(inner, exp.Subquery) else inner, e.scope)
    if len(query.fields) != 1:
        raise InvalidSql("Subquery of type IN must have only one output column")
    query.use_all()
    value = e.of(node.this)
    if value.type != query.fields[0].type:
        raise UnsupportedSql(f"{value.type} IN a query of {query.fields[0].type}; CAST one of them")
    return Typed(f"({value.sql} IN ({query.sql}))", BOOL)


HANDLERS.update(
    {
        exp.Array: _array,
        exp.Bracket: _bracket,
        exp.Subquery: _subquery,
        exp.Exists: _exists,
        exp.In: _in,
    }
)
