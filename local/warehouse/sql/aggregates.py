"""Aggregate functions, each usable with or without OVER."""

from __future__ import annotations

from dataclasses import dataclass

from sqlglot import exp

from local.warehouse.sql.errors import InvalidSql, UnsupportedSql
from local.warehouse.sql.expressions import Call, Expressions, Node, only, positive_integer
from local.warehouse.sql.functions import AGGREGATE, literal_text, mismatch
from local.warehouse.sql.kinds import BOOL, FLOAT64, INT64, NULL, NUMERIC, STRING, array_of, text
from local.warehouse.sql.operators import numeric_division
from local.warehouse.sql.ordering import direction
from local.warehouse.sql.typed import Typed, require, to_float


@dataclass
class Parts:
    """An aggregate's arguments with what stands around them: DISTINCT, ORDER BY, LIMIT, IGNORE NULLS."""

    args: list[Node]
    distinct: str = ""
    order: str = ""
    limit: int | None = None
    ignore_nulls: bool = False


def parts_of(e: Expressions, found: Call) -> Parts:
    """Take the last argument's wrappings off."""
    parts = Parts(list(found.args))
    while parts.args:
        last = parts.args[-1]
        if isinstance(last, exp.Limit):
            only(last, "this", "expression")
            parts.limit = positive_integer(last.expression, "a LIMIT inside an aggregate")
        elif isinstance(last, exp.Order):
            only(last, "this", "expressions")
            parts.order = " ORDER BY " + ", ".join(direction(o, e.of(o.this).sql) for o in last.expressions)
        elif isinstance(last, exp.IgnoreNulls):
            parts.ignore_nulls = True
        elif isinstance(last, exp.RespectNulls | exp.HavingMax):
            raise UnsupportedSql(f"{type(last).__name__} in {found.name}")
        else:
            break
        parts.args[-1] = last.this
    if parts.args and isinstance(parts.args[0], exp.Distinct):
        only(parts.args[0], "expressions")
        parts.distinct = "DISTINCT "
        parts.args[:1] = parts.args[0].expressions
    for node in parts.args:
        if isinstance(node, exp.Distinct | exp.Order | exp.Limit | exp.IgnoreNulls | exp.Alias):
            raise UnsupportedSql(f"this order of parts in {found.name}")
    return parts


def _plain(e: Expressions, found: Call, count: int = 1) -> tuple[Parts, list[Typed]]:
    """The arguments of an aggregate that takes at most DISTINCT."""
    parts = parts_of(e, found)
    if parts.order or parts.limit is not None or parts.ignore_nulls:
        raise InvalidSql(f"{found.name} does not support ORDER BY, LIMIT or IGNORE NULLS in its arguments")
    if len(parts.args) != count:
        raise InvalidSql(f"Number of arguments does not match for aggregate function {found.name}")
    if parts.distinct and found.over and "ORDER BY" in found.over:
        raise InvalidSql("Window ORDER BY is not allowed if DISTINCT is specified")
    return parts, e.all(parts.args)


def _count(e: Expressions, found: Call) -> Typed:
    if len(found.args) == 1 and isinstance(found.args[0], exp.Star):
        only(found.args[0])
        return Typed(f"count(*){found.over}", INT64)
    parts, values = _plain(e, found)
    if values[0].type.kind in ("STRUCT", "ARRAY") and parts.distinct:
        raise InvalidSql(f"Aggregate functions with DISTINCT cannot be used with arguments of type {values[0].type}")
    return Typed(f"count({parts.distinct}{values[0].sql}){found.over}", INT64)


def _count_if(e: Expressions, found: Call) -> Typed:
    parts, values = _plain(e, found)
    if parts.distinct:
        raise UnsupportedSql("COUNTIF with DISTINCT")
    return Typed(f"count(CASE WHEN {require(values[0], BOOL, 'COUNTIF')} THEN 1 END){found.over}", INT64)


def _sum(e: Expressions, found: Call) -> Typed:
    parts, values = _plain(e, found)
    kind = INT64 if values[0].type == NULL else values[0].type
    if not kind.numeric:
        raise mismatch("SUM", values)
    return Typed(f"CAST(sum({parts.distinct}{require(values[0], kind, 'SUM')}){found.over} AS {kind.duckdb})", kind)


def _average(e: Expressions, found: Call) -> Typed:
    parts, values = _plain(e, found)
    if not values[0].type.numeric:
        raise mismatch("AVG", values)
    value = f"{parts.distinct}{values[0].sql}"
    if values[0].type == NUMERIC:
        total, count = f"CAST(sum({value}){found.over} AS DECIMAL(38,9))", f"count({value}){found.over}"
        return Typed(numeric_division(total, f"CAST(NULLIF({count}, 0) AS DECIMAL(38,9))"), NUMERIC)
    return Typed(f"avg({value}){found.over}", FLOAT64)


def _extreme(e: Expressions, found: Call) -> Typed:
    _, values = _plain(e, found)
    kind = values[0].type
    if kind.kind in ("STRUCT", "ARRAY", "NULL"):
        raise mismatch(found.name, values)
    return Typed(f"{found.name.lower()}({values[0].sql}){found.over}", kind)


def _max_by(e: Expressions, found: Call) -> Typed:
    """Of STRUCT(…) alone: BigQuery's pages do not agree on whether a row whose value is NULL can win."""
    parts, values = _plain(e, found, 2)
    if parts.distinct or found.over or parts.args[0].name.upper() != "STRUCT":
        raise UnsupportedSql("MAX_BY with DISTINCT, with OVER, or of anything but STRUCT(…)")
    if values[1].type.kind in ("STRUCT", "ARRAY", "NULL"):
        raise mismatch("MAX_BY", values)
    return Typed(f"max_by({values[0].sql}, {values[1].sql})", values[0].type)


def _any_value(e: Expressions, found: Call) -> Typed:
    parts, values = _plain(e, found)
    if parts.distinct or values[0].type == NULL:
        raise UnsupportedSql("ANY_VALUE with DISTINCT or of NULL")
    return Typed(f"any_value({values[0].sql}){found.over}", values[0].type)


def _logical(e: Expressions, found: Call) -> Typed:
    _, values = _plain(e, found)
    duckdb = "bool_and" if found.name == "LOGICAL_AND" else "bool_or"
    return Typed(f"{duckdb}({require(values[0], BOOL, found.name)}){found.over}", BOOL)


def _spread(e: Expressions, found: Call) -> Typed:
    """STDDEV, VARIANCE …: FLOAT64 for every number."""
    parts, values = _plain(e, found)
    if not values[0].type.numeric:
        raise mismatch(found.name, values)
    duckdb = {"STDDEV": "stddev_samp", "VARIANCE": "var_samp"}.get(found.name, found.name.lower())
    return Typed(f"{duckdb}({parts.distinct}{to_float(values[0])}){found.over}", FLOAT64)


def _array_agg(e: Expressions, found: Call) -> Typed:
    parts = parts_of(e, found)
    if len(parts.args) != 1:
        raise InvalidSql("Number of arguments does not match for aggregate function ARRAY_AGG")
    if found.over and (parts.order or parts.limit is not None or parts.ignore_nulls):
        raise UnsupportedSql("ARRAY_AGG with ORDER BY, LIMIT or IGNORE NULLS and OVER")
    value = e.of(parts.args[0])
    if value.type == NULL:
        raise UnsupportedSql("ARRAY_AGG of NULL")
    kept = f" FILTER (WHERE {value.sql} IS NOT NULL)" if parts.ignore_nulls else ""
    sql = f"list({parts.distinct}{value.sql}{parts.order}){kept}{found.over}"
    if parts.limit is not None:
        sql = f"({sql})[1:{parts.limit}]"
    return Typed(sql, array_of(value.type))


def _string_agg(e: Expressions, found: Call) -> Typed:
    parts = parts_of(e, found)
    if parts.limit is not None or parts.ignore_nulls or not 1 <= len(parts.args) <= 2:
        raise UnsupportedSql("STRING_AGG with LIMIT or IGNORE NULLS")
    if found.over and parts.order:
        raise UnsupportedSql("STRING_AGG with ORDER BY and OVER")
    value = require(e.of(parts.args[0]), STRING, "STRING_AGG")
    delimiter = literal_text(e.of(parts.args[1]), "STRING_AGG with a delimiter") if len(parts.args) > 1 else ","
    return Typed(f"string_agg({parts.distinct}{value}, {text(delimiter)}{parts.order}){found.over}", STRING)


AGGREGATE.update(
    COUNT=_count,
    COUNTIF=_count_if,
    SUM=_sum,
    AVG=_average,
    MIN=_extreme,
    MAX=_extreme,
    MAX_BY=_max_by,
    ANY_VALUE=_any_value,
    LOGICAL_AND=_logical,
    LOGICAL_OR=_logical,
    ARRAY_AGG=_array_agg,
    STRING_AGG=_string_agg,
)
AGGREGATE.update(
    dict.fromkeys(("STDDEV", "STDDEV_SAMP", "STDDEV_POP", "VARIANCE", "VAR_SAMP", "VAR_POP"), _spread),
)
