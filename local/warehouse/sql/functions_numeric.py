"""Functions of numbers, and those that choose among values of any type."""

from __future__ import annotations

from typing import Final

from local.warehouse.sql.errors import InvalidSql, UnsupportedSql
from local.warehouse.sql.expressions import Call, Expressions
from local.warehouse.sql.functions import SCALAR, Overload, arguments, mismatch, overloaded
from local.warehouse.sql.kinds import FLOAT64, INT64, NULL, NUMERIC, STRING
from local.warehouse.sql.operators import divide
from local.warehouse.sql.typed import Typed, require, unify

_ROUNDING: Final = {"ROUND": "round", "TRUNC": "trunc"}
_MOST_DIGITS: Final = 9


def _same_number(name: str, form: str, *, float_form: str | None = None) -> None:
    """A function that gives the type it takes."""
    SCALAR[name] = overloaded(
        name,
        Overload((INT64,), INT64, form),
        Overload((NUMERIC,), NUMERIC, f"CAST({form} AS DECIMAL(38,9))"),
        Overload((FLOAT64,), FLOAT64, float_form or form),
    )


def _whole(name: str, duckdb: str) -> None:
    """A function that gives whole numbers, of FLOAT64 for an INT64."""
    SCALAR[name] = overloaded(
        name,
        Overload((INT64,), FLOAT64, "CAST({0} AS DOUBLE)"),
        Overload((NUMERIC,), NUMERIC, f"CAST({duckdb}({{0}}) AS DECIMAL(38,9))"),
        Overload((FLOAT64,), FLOAT64, f"{duckdb}({{0}})"),
    )


def _rounded(e: Expressions, found: Call) -> Typed:
    values = arguments(e, found, 1, 2)
    duckdb = _ROUNDING[found.name]
    kind = values[0].type
    if kind == NULL or not kind.numeric:
        raise mismatch(found.name, values)
    if len(values) == 1:
        if kind == NUMERIC:
            return Typed(f"CAST({duckdb}({values[0].sql}) AS DECIMAL(38,9))", NUMERIC)
        return Typed(f"{duckdb}({require(values[0], FLOAT64, found.name)})", FLOAT64)
    if kind != NUMERIC:
        raise UnsupportedSql(f"{found.name} of {kind} to digits; write {found.name}(CAST(… AS NUMERIC), n)")
    digits = values[1].text
    if values[1].literal != "int" or digits is None or int(digits) > _MOST_DIGITS:
        raise UnsupportedSql(f"{found.name} to digits that are not a literal between 0 and {_MOST_DIGITS}")
    return Typed(f"CAST({duckdb}({values[0].sql}, {digits}) AS DECIMAL(38,9))", NUMERIC)


def _safe_divide(e: Expressions, found: Call) -> Typed:
    values = arguments(e, found, 2, 2)
    if not all(value.type.numeric or value.type == NULL for value in values):
        raise mismatch(found.name, values)
    (left, right), kind = unify(values, "function SAFE_DIVIDE")
    zero = f"CAST(0 AS {kind.duckdb})"
    return divide(Typed(left, kind), Typed(f"NULLIF({right}, {zero})", kind))


def _coalesce(e: Expressions, found: Call) -> Typed:
    least, most = (2, 2) if found.name == "IFNULL" else (1, 1000)
    values, kind = unify(arguments(e, found, least, most), f"function {found.name}")
    return Typed(f"COALESCE({', '.join(values)})", kind)


def _null_if(e: Expressions, found: Call) -> Typed:
    values = arguments(e, found, 2, 2)
    (left, right), kind = unify(values, "function NULLIF")
    return Typed(f"NULLIF({left}, {right})", kind)


def _extreme(e: Expressions, found: Call) -> Typed:
    """GREATEST and LEAST are NULL when any argument is; DuckDB's leave NULLs out."""
    values, kind = unify(arguments(e, found, 1, 1000), f"function {found.name}")
    if kind.kind in ("ARRAY", "STRUCT", "FLOAT64"):
        raise UnsupportedSql(f"{found.name} of {kind}")
    absent = " OR ".join(f"{value} IS NULL" for value in values)
    return Typed(f"CASE WHEN {absent} THEN NULL ELSE {found.name.lower()}({', '.join(values)}) END", kind)


def _modulo(e: Expressions, found: Call) -> Typed:
    values = arguments(e, found, 2, 2)
    (left, right), kind = unify(values, f"function {found.name}")
    if kind not in (INT64, NUMERIC):
        raise mismatch(found.name, values)
    if found.name == "DIV":
        if kind == NUMERIC:
            raise UnsupportedSql("DIV of NUMERIC")
        return Typed(f"({left} // {right})", kind)
    return Typed(f"CAST({left} % {right} AS {kind.duckdb})", kind)


def _logarithm(e: Expressions, found: Call) -> Typed:
    values = arguments(e, found, 1, 2)
    if len(values) != 1:
        raise UnsupportedSql("LOG with a base")
    if values[0].type == NUMERIC:
        raise UnsupportedSql(f"{found.name} of NUMERIC; write {found.name}(CAST(… AS FLOAT64))")
    return Typed(f"ln({require(values[0], FLOAT64, found.name)})", FLOAT64)


def _float_only(name: str, duckdb: str, count: int = 1) -> None:
    """A function that gives NUMERIC for a NUMERIC in BigQuery, to more digits than a float has: refused for it."""

    def translate(e: Expressions, found: Call) -> Typed:
        values = arguments(e, found, count, count)
        if any(value.type == NUMERIC for value in values):
            raise UnsupportedSql(f"{name} of NUMERIC; write {name}(CAST(… AS FLOAT64))")
        return Typed(f"{duckdb}({', '.join(require(v, FLOAT64, name) for v in values)})", FLOAT64)

    SCALAR[name] = translate


def _error(e: Expressions, found: Call) -> Typed:
    values = arguments(e, found, 1, 1)
    if values[0].type != STRING:
        raise InvalidSql("ERROR takes a STRING")
    return Typed(f"error({values[0].sql})", NULL, "null")


_same_number("ABS", "abs({0})")
SCALAR["SIGN"] = overloaded(
    "SIGN",
    Overload((INT64,), INT64, "CAST(sign({0}) AS BIGINT)"),
    Overload((NUMERIC,), NUMERIC, "CAST(sign({0}) AS DECIMAL(38,9))"),
    Overload((FLOAT64,), FLOAT64, "CAST(sign({0}) AS DOUBLE)"),
)
_whole("CEIL", "ceil")
_whole("CEILING", "ceil")
_whole("FLOOR", "floor")
for _name, _duckdb, _count in (
    ("SQRT", "sqrt", 1),
    ("EXP", "exp", 1),
    ("LOG10", "log10", 1),
    ("POW", "pow", 2),
    ("POWER", "pow", 2),
):
    _float_only(_name, _duckdb, _count)
SCALAR.update(
    ROUND=_rounded,
    TRUNC=_rounded,
    SAFE_DIVIDE=_safe_divide,
    COALESCE=_coalesce,
    IFNULL=_coalesce,
    NULLIF=_null_if,
    GREATEST=_extreme,
    LEAST=_extreme,
    MOD=_modulo,
    DIV=_modulo,
    LN=_logarithm,
    LOG=_logarithm,
    ERROR=_error,
)
