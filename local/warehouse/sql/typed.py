"""A translated expression with its type, and the rules by which types turn into one another unasked.

DuckDB converts far more on its own than BigQuery does (a string column compares with a date), so every operand is
checked here first and cast explicitly: a text that BigQuery would refuse is refused, and no DuckDB rule decides.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal

from local.warehouse.sql.errors import InvalidSql, UnsupportedSql
from local.warehouse.sql.kinds import (
    FLOAT64,
    INT64,
    NULL,
    NUMERIC,
    SqlType,
)

LiteralKind = Literal["int", "float", "string", "null", "parameter", "empty"]
_WIDTH: Final = {"INT64": 0, "NUMERIC": 1, "FLOAT64": 2}
_FROM_TEXT: Final = ("DATE", "TIMESTAMP", "DATETIME", "TIME")


@dataclass(frozen=True)
class Typed:
    """DuckDB SQL with the BigQuery type of its value. `text` is the value of a string literal."""

    sql: str
    type: SqlType
    literal: LiteralKind | None = None
    text: str | None = None


def as_type(value: Typed, target: SqlType) -> str | None:
    """The SQL of the value as another type where BigQuery does that unasked, else None."""
    if value.type == target:
        return value.sql
    if value.type == NULL:
        return f"CAST({value.sql} AS {target.duckdb})"
    if value.type.kind in _WIDTH and target.kind in _WIDTH:
        return _widen(value, target)
    if value.literal == "empty" and target.kind == "ARRAY":
        return f"CAST([] AS {target.duckdb})"
    if target.kind in _FROM_TEXT and _loose_text(value):
        from local.warehouse.sql.casts import cast

        return cast(value, target, safe=False).sql
    if value.type.kind == "DATE" and target.kind in ("TIMESTAMP", "DATETIME"):
        raise UnsupportedSql(f"DATE taken as {target} without a CAST")
    if value.type.kind == "DATETIME" and target.kind == "TIMESTAMP":
        raise UnsupportedSql("DATETIME taken as TIMESTAMP without a CAST")
    return None


def _widen(value: Typed, target: SqlType) -> str | None:
    if value.literal and value.type == FLOAT64 and target == NUMERIC:
        raise UnsupportedSql(f"the FLOAT64 literal or parameter {value.sql} taken as NUMERIC; make it a NUMERIC")
    if _WIDTH[value.type.kind] > _WIDTH[target.kind]:
        return None
    return to_float(value) if target == FLOAT64 else f"CAST({value.sql} AS {target.duckdb})"


def to_float(value: Typed) -> str:
    """A number as FLOAT64. DuckDB rounds a decimal twice on the way, its decimal text only once."""
    if value.type == NUMERIC:
        return f"CAST(CAST({value.sql} AS VARCHAR) AS DOUBLE)"
    return value.sql if value.type == FLOAT64 else f"CAST({value.sql} AS DOUBLE)"


def require(value: Typed, target: SqlType, where: str) -> str:
    """The SQL of the value as the type that a place needs."""
    sql = as_type(value, target)
    if sql is None:
        raise InvalidSql(f"{where} must be of type {target}, got {value.type}")
    return sql


def common_type(values: Sequence[Typed], where: str) -> SqlType:
    """The one type that all the values take unasked (CASE, COALESCE, IN, UNION …)."""
    kinds = [value.type for value in values if value.type != NULL]
    if not kinds:
        return INT64
    strict = [v.type for v in values if v.type != NULL and not _loose_text(v)]
    candidates = strict or kinds
    best = candidates[0]
    for kind in candidates[1:]:
        if kind.kind in _WIDTH and best.kind in _WIDTH:
            best = kind if _WIDTH[kind.kind] > _WIDTH[best.kind] else best
        elif kind != best:
            raise InvalidSql(f"No matching signature for {where} for argument types: {types_of(values)}")
    if best == FLOAT64 and NUMERIC in kinds and any(v.literal and v.type == FLOAT64 for v in values):
        raise UnsupportedSql("NUMERIC together with a FLOAT64 literal or parameter; make it a NUMERIC")
    return best


def _loose_text(value: Typed) -> bool:
    """A text that becomes a date where one is wanted."""
    return value.type.kind == "STRING" and value.literal in ("string", "parameter")


def unify(values: Sequence[Typed], where: str) -> tuple[list[str], SqlType]:
    """All the values as their common type."""
    target = common_type(values, where)
    result = [as_type(value, target) for value in values]
    if any(sql is None for sql in result):
        raise InvalidSql(f"No matching signature for {where} for argument types: {types_of(values)}")
    return [sql for sql in result if sql is not None], target


def types_of(values: Sequence[Typed]) -> str:
    """The types for a message."""
    return ", ".join(str(value.type) for value in values)


def bare(value: Typed) -> Typed:
    """The value as a computed one: no rule for literals holds for it any more."""
    return replace(value, literal=None, text=None)
