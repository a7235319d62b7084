"""Operators: arithmetic, comparison and logic, with BigQuery's types.

NUMERIC is DECIMAL(38,9) and stays so: a product is rounded back to nine digits, a quotient is made of integers
because DuckDB divides decimals as floats. INT64 divided by INT64 is FLOAT64; dividing by zero is an error, here
through the session setting error_on_division_by_zero.
"""

from __future__ import annotations

from typing import Final

from sqlglot import exp

from local.warehouse.sql.errors import InvalidSql, UnsupportedSql
from local.warehouse.sql.expressions import HANDLERS, Expressions, Node, only
from local.warehouse.sql.kinds import BOOL, FLOAT64, INT64, NULL, NUMERIC, STRING
from local.warehouse.sql.typed import Typed, require, to_float, types_of, unify

_ARITHMETIC: Final = {exp.Add: "+", exp.Sub: "-", exp.Mul: "*"}
_COMPARISON: Final = {exp.EQ: "=", exp.NEQ: "<>", exp.LT: "<", exp.LTE: "<=", exp.GT: ">", exp.GTE: ">="}
_NULL_SAFE: Final = {exp.NullSafeEQ: "IS NOT DISTINCT FROM", exp.NullSafeNEQ: "IS DISTINCT FROM"}


def numeric_division(dividend: str, divisor: str) -> str:
    """NUMERIC / NUMERIC to nine digits, halves away from zero; each operand is written once.

    Twice the quotient in units of 1e-9 is a whole number by truncation; half of it, as a decimal with one digit more,
    is then rounded by the cast.
    """
    top = f"CAST({dividend} * CAST(2000000000 AS DECIMAL(10,0)) AS HUGEINT) * 1000000000"
    bottom = f"CAST({divisor} * CAST(1000000000 AS DECIMAL(10,0)) AS HUGEINT)"
    quotient = f"CAST(({top}) // {bottom} AS DECIMAL(38,0))"
    return f"CAST({quotient} * CAST('0.0000000005' AS DECIMAL(10,10)) AS DECIMAL(38,9))"


def numbers(e: Expressions, node: exp.Binary, symbol: str) -> tuple[list[str], Typed]:
    """Both operands as their common number type."""
    only(node, "this", "expression", "typed", "safe")
    left, right = e.of(node.this), e.of(node.expression)
    if not all(side.type.numeric or side.type == NULL for side in (left, right)):
        if {left.type.kind, right.type.kind} & {"DATE", "TIMESTAMP", "DATETIME"}:
            raise UnsupportedSql(f"{symbol} on dates and times; write DATE_ADD, DATE_SUB or DATE_DIFF")
        raise InvalidSql(f"No matching signature for operator {symbol} for argument types: {types_of([left, right])}")
    values, kind = unify([left, right], f"operator {symbol}")
    return values, Typed("", kind)


def _arithmetic(e: Expressions, node: exp.Binary) -> Typed:
    symbol = _ARITHMETIC[type(node)]
    (left, right), result = numbers(e, node, symbol)
    sql = f"({left} {symbol} {right})"
    if result.type == NUMERIC and symbol == "*":
        sql = f"CAST({sql} AS DECIMAL(38,9))"
    return Typed(sql, result.type)


def _divide(e: Expressions, node: exp.Div) -> Typed:
    (left, right), result = numbers(e, node, "/")
    return divide(Typed(left, result.type), Typed(right, result.type))


def divide(left: Typed, right: Typed) -> Typed:
    """left / right for two values of the same type."""
    if left.type == NUMERIC:
        return Typed(numeric_division(left.sql, right.sql), NUMERIC)
    return Typed(f"({to_float(left)} / {to_float(right)})", FLOAT64)


def _negate(e: Expressions, node: exp.Neg) -> Typed:
    only(node, "this")
    value = e.of(node.this)
    if value.literal == "int" and value.text:
        return Typed(f"CAST(-{value.text} AS BIGINT)", INT64, "int")
    if not value.type.numeric:
        raise InvalidSql(f"No matching signature for operator - for argument types: {value.type}")
    return Typed(f"(-{value.sql})", value.type, value.literal)


def _comparison(e: Expressions, node: exp.Binary) -> Typed:
    only(node, "this", "expression")
    operator = (_COMPARISON | _NULL_SAFE)[type(node)]
    values = [e.of(node.this), e.of(node.expression)]
    if any(value.type.kind in ("STRUCT", "ARRAY") for value in values):
        raise UnsupportedSql(f"{operator} on {types_of(values)}")
    (left, right), _ = unify(values, f"operator {operator}")
    return Typed(f"({left} {operator} {right})", BOOL)


def _logic(e: Expressions, node: exp.Binary) -> Typed:
    only(node, "this", "expression")
    word = "AND" if isinstance(node, exp.And) else "OR"
    operands: list[Node] = []
    stack: list[Node] = [node]
    while stack:
        item = stack.pop()
        if type(item) is type(node):
            stack += [item.expression, item.this]
        else:
            operands.append(item)
    return Typed("(" + f" {word} ".join(e.boolean(item, f"Operand of {word}") for item in operands) + ")", BOOL)


def _not(e: Expressions, node: exp.Not) -> Typed:
    only(node, "this")
    return Typed(f"(NOT {e.boolean(node.this, 'Operand of NOT')})", BOOL)


def _is(e: Expressions, node: exp.Is) -> Typed:
    only(node, "this", "expression")
    if isinstance(node.expression, exp.Null):
        return Typed(f"({e.of(node.this).sql} IS NULL)", BOOL)
    if isinstance(node.expression, exp.Boolean):
        word = "TRUE" if node.expression.this else "FALSE"
        return Typed(f"({e.boolean(node.this, f'Operand of IS {word}')} IS NOT DISTINCT FROM {word})", BOOL)
    raise UnsupportedSql(f"IS {node.expression.sql(dialect='bigquery')}")


def _between(e: Expressions, node: exp.Between) -> Typed:
    only(node, "this", "low", "high")
    values, _ = unify(e.all([node.this, node.args["low"], node.args["high"]]), "operator BETWEEN")
    return Typed(f"({values[0]} BETWEEN {values[1]} AND {values[2]})", BOOL)


def _like(e: Expressions, node: exp.Like) -> Typed:
    only(node, "this", "expression", "negate")
    left = require(e.of(node.this), STRING, "Operand of LIKE")
    right = require(e.of(node.expression), STRING, "Operand of LIKE")
    word = "NOT LIKE" if node.args.get("negate") else "LIKE"
    return Typed(f"({left} {word} {right} ESCAPE '\\')", BOOL)


def _concat(e: Expressions, node: exp.DPipe) -> Typed:
    only(node, "this", "expression", "safe")
    sides = [e.of(node.this), e.of(node.expression)]
    if any(side.type.kind == "ARRAY" for side in sides):
        raise UnsupportedSql("|| on arrays")
    if any(side.type not in (STRING, NULL) for side in sides):
        raise InvalidSql(f"No matching signature for operator || for argument types: {types_of(sides)}")
    return Typed("(" + " || ".join(require(side, STRING, "Operand of ||") for side in sides) + ")", STRING)


HANDLERS.update(
    dict.fromkeys(_ARITHMETIC, _arithmetic)
    | dict.fromkeys(_COMPARISON | _NULL_SAFE, _comparison)
    | {
        exp.Div: _divide,
        exp.Neg: _negate,
        exp.And: _logic,
        exp.Or: _logic,
        exp.Not: _not,
        exp.Is: _is,
        exp.Between: _between,
        exp.Like: _like,
        exp.DPipe: _concat,
    }
)
