"""Expressions: an allow-list of syntax, each entry with its types and its DuckDB form.

What is not listed is refused, and so is any listed syntax with a part that its entry does not know (`only`).
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from sqlglot import exp

from local.warehouse.sql.casts import cast
from local.warehouse.sql.errors import InvalidSql, UnsupportedSql
from local.warehouse.sql.kinds import (
    BOOL,
    DATE,
    FLOAT64,
    INT64,
    NULL,
    STRING,
    TIMESTAMP,
    from_sqlglot,
    text,
)
from local.warehouse.sql.scope import Scope, members
from local.warehouse.sql.typed import Typed, bare, require, unify

if TYPE_CHECKING:
    from local.warehouse.sql.query import Query

Node = Any
Handler = Callable[["Expressions", Node], Typed]
_INT_MAX: Final = 2**63 - 1
_IGNORED_ARGS: Final = frozenset({"_type", "copy", "value_constructor", "struct_name_inheritance"})


@dataclass
class Call:
    """A function call: its name, its arguments, and the OVER clause if it has one."""

    name: str
    args: list[Node]
    over: str = ""


def only(node: Node, *known: str) -> None:
    """Refuse a node that says anything beyond the parts named."""
    for name, value in node.args.items():
        if value and name not in known and name not in _IGNORED_ARGS:
            raise UnsupportedSql(
                f"{name.strip('_').upper().replace('_', ' ')} in: {node.sql(dialect='bigquery')[:120]}"
            )


class Expressions:
    """Translates the expressions of one scope."""

    def __init__(self, scope: Scope, query: Callable[[Node, Scope], Query]) -> None:
        self.scope = scope
        self.query = query

    def of(self, node: Node) -> Typed:
        """One expression."""
        handler = HANDLERS.get(type(node))
        if handler is None:
            raise UnsupportedSql(f"{type(node).__name__}: {node.sql(dialect='bigquery')[:120]}")
        return handler(self, node)

    def all(self, nodes: list[Node]) -> list[Typed]:
        """Several expressions, in order."""
        return [self.of(node) for node in nodes]

    def boolean(self, node: Node, where: str) -> str:
        """A condition."""
        return require(self.of(node), BOOL, where)


def _column(e: Expressions, node: exp.Column) -> Typed:
    return e.scope.resolve([part.name for part in node.parts])


def _dot(e: Expressions, node: exp.Dot) -> Typed:
    only(node, "this", "expression")
    if isinstance(node.expression, exp.Anonymous):
        raise InvalidSql(f"Function not found: {node.sql(dialect='bigquery')[:80]}")
    if not isinstance(node.expression, exp.Identifier):
        raise UnsupportedSql(f"this form of field access: {node.sql(dialect='bigquery')[:80]}")
    if isinstance(node.this, exp.Identifier):
        return e.scope.resolve([node.this.name, node.expression.name])
    return members(e.of(node.this), [node.expression.name])


def _literal(_: Expressions, node: exp.Literal) -> Typed:
    value = str(node.this)
    if node.is_string:
        return Typed(text(value), STRING, "string", value)
    if value.isdigit():
        if int(value) > _INT_MAX:
            raise InvalidSql(f"Invalid integer literal: {value}")
        return Typed(f"CAST({value} AS BIGINT)", INT64, "int", value)
    return Typed(f"CAST('{value}' AS DOUBLE)", FLOAT64, "float", value)


def _raw_string(_: Expressions, node: exp.RawString) -> Typed:
    return Typed(text(str(node.this)), STRING, "string", str(node.this))


def _hex(_: Expressions, node: exp.HexString) -> Typed:
    only(node, "this", "is_integer")
    return Typed(f"CAST({int(str(node.this), 16)} AS BIGINT)", INT64, "int")


def _boolean(_: Expressions, node: exp.Boolean) -> Typed:
    return Typed("TRUE" if node.this else "FALSE", BOOL)


def _null(_: Expressions, __: exp.Null) -> Typed:
    return Typed("NULL", NULL, "null")


def _parameter(e: Expressions, node: exp.Parameter) -> Typed:
    if not isinstance(node.this, exp.Var):
        raise UnsupportedSql(f"system variable {node.sql(dialect='bigquery')}")
    return e.scope.context.placeholder(node.this.name, "parameter")


def _paren(e: Expressions, node: exp.Paren) -> Typed:
    only(node, "this")
    inner = e.of(node.this)
    return Typed(f"({inner.sql})", inner.type, inner.literal, inner.text)


def _cast(e: Expressions, node: exp.Cast) -> Typed:
    only(node, "this", "to", "safe")
    if isinstance(node.this, exp.Struct):
        raise UnsupportedSql("a typed STRUCT constructor; write STRUCT(x AS name)")
    target = from_sqlglot(node.to)
    if isinstance(node.this, exp.Array):
        values = [require(item, target.element or NULL, "Array element") for item in e.all(node.this.expressions)]
        return Typed(f"CAST([{', '.join(values)}] AS {target.duckdb})", target)
    return cast(e.of(node.this), target, safe=isinstance(node, exp.TryCast))


def _case(e: Expressions, node: exp.Case) -> Typed:
    only(node, "this", "ifs", "default")
    results = e.all([branch.args["true"] for branch in node.args["ifs"]])
    default = e.of(node.args["default"]) if node.args.get("default") else Typed("NULL", NULL, "null")
    values, kind = unify([*results, default], "operator CASE")
    conditions = [branch.this for branch in node.args["ifs"]]
    if node.this is not None:
        operands, _ = unify([e.of(node.this), *e.all(conditions)], "operator CASE")
        tests = [f"{operands[0]} = {operand}" for operand in operands[1:]]
    else:
        tests = [e.boolean(condition, "CASE condition") for condition in conditions]
    whens = " ".join(f"WHEN {test} THEN {value}" for test, value in zip(tests, values, strict=False))
    return Typed(f"CASE {whens} ELSE {values[-1]} END", kind)


def _if(e: Expressions, node: exp.If) -> Typed:
    only(node, "this", "true", "false")
    if not node.args.get("false"):
        raise InvalidSql("No matching signature for function IF: three arguments are needed")
    values, kind = unify(e.all([node.args["true"], node.args["false"]]), "function IF")
    condition = e.boolean(node.this, "The first argument of IF")
    return Typed(f"CASE WHEN {condition} THEN {values[0]} ELSE {values[1]} END", kind)


def _current_date(_: Expressions, node: exp.CurrentDate) -> Typed:
    only(node)
    return Typed("CAST(current_timestamp AT TIME ZONE 'UTC' AS DATE)", DATE)


def _current_timestamp(_: Expressions, node: exp.CurrentTimestamp) -> Typed:
    only(node)
    return Typed("CAST(current_timestamp AS TIMESTAMPTZ)", TIMESTAMP)


def _anonymous(e: Expressions, node: exp.Anonymous) -> Typed:
    from local.warehouse.sql.functions import call

    return bare(call(e, Call(str(node.this).upper(), list(node.expressions))))


def _window(e: Expressions, node: exp.Window) -> Typed:
    from local.warehouse.sql.windows import window

    return window(e, node)


HANDLERS: Final[dict[type, Handler]] = {
    exp.Column: _column,
    exp.Dot: _dot,
    exp.Literal: _literal,
    exp.RawString: _raw_string,
    exp.HexString: _hex,
    exp.Boolean: _boolean,
    exp.Null: _null,
    exp.Parameter: _parameter,
    exp.Paren: _paren,
    exp.Cast: _cast,
    exp.TryCast: _cast,
    exp.Case: _case,
    exp.If: _if,
    exp.CurrentDate: _current_date,
    exp.CurrentTimestamp: _current_timestamp,
    exp.Anonymous: _anonymous,
    exp.Window: _window,
}


def positive_integer(node: Node, where: str) -> int:
    """A literal count, as LIMIT inside an aggregate takes."""
    with suppress(ValueError):
        return int(str(node.this))
    raise UnsupportedSql(f"{where} that is not a number")
