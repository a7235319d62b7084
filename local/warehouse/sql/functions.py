"""The functions that may be called, by the name that was written.

Three answers for a name: translated (the tables of functions_*.py), known to BigQuery but not translated (refused as
not supported), and unknown to BigQuery ("Function not found").
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from sqlglot import exp

from local.warehouse.sql.errors import InvalidSql, UnsupportedSql
from local.warehouse.sql.expressions import Call, Expressions
from local.warehouse.sql.kinds import SqlType
from local.warehouse.sql.known_names import KNOWN_TO_BIGQUERY
from local.warehouse.sql.typed import Typed, as_type, types_of

Function = Callable[[Expressions, Call], Typed]
SCALAR: Final[dict[str, Function]] = {}
AGGREGATE: Final[dict[str, Function]] = {}
WINDOW_ONLY: Final[dict[str, Function]] = {}


@dataclass(frozen=True)
class Overload:
    """One signature: the types taken, the type given, and the DuckDB form with {0}, {1} … for the arguments."""

    takes: tuple[SqlType, ...]
    gives: SqlType
    form: str


def call(e: Expressions, found: Call) -> Typed:
    """A call without an OVER clause."""
    for table in (SCALAR, AGGREGATE):
        if found.name in table:
            return table[found.name](e, found)
    if found.name in WINDOW_ONLY:
        raise InvalidSql(f"Analytic function {found.name} must have an OVER clause")
    raise unknown(found.name)


def unknown(name: str) -> Exception:
    """The refusal of a name that is not in the tables."""
    if name in KNOWN_TO_BIGQUERY:
        return UnsupportedSql(f"function {name}")
    return InvalidSql(f"Function not found: {name}")


def overloaded(name: str, *overloads: Overload) -> Function:
    """A function defined by its signatures alone; the first that the arguments fit unasked is taken."""

    def translate(e: Expressions, found: Call) -> Typed:
        refuse_modifiers(found)
        values = e.all(found.args)
        for overload in overloads:
            sqls = _fit(values, overload)
            if sqls is not None:
                sql = overload.form
                for at in range(len(sqls)):
                    sql = sql.replace("{" + str(at) + "}", f"\0{at}\0")
                for at, text in enumerate(sqls):
                    sql = sql.replace(f"\0{at}\0", text)
                return Typed(sql, overload.gives)
        raise mismatch(name, values)

    return translate


def _fit(values: list[Typed], overload: Overload) -> list[str] | None:
    if len(values) != len(overload.takes):
        return None
    sqls = [as_type(value, kind) for value, kind in zip(values, overload.takes, strict=True)]
    found = [sql for sql in sqls if sql is not None]
    return found if len(found) == len(sqls) else None


def mismatch(name: str, values: list[Typed]) -> InvalidSql:
    """BigQuery's message for arguments that no signature takes."""
    return InvalidSql(f"No matching signature for function {name} for argument types: {types_of(values) or 'none'}")


def arguments(e: Expressions, found: Call, least: int, most: int) -> list[Typed]:
    """The arguments of a scalar function, of which there must be so many."""
    refuse_modifiers(found)
    if not least <= len(found.args) <= most:
        raise InvalidSql(f"Number of arguments does not match for function {found.name}: got {len(found.args)}")
    return e.all(found.args)


def refuse_modifiers(found: Call) -> None:
    """A scalar function has no DISTINCT, ORDER BY, LIMIT, named arguments or aliases."""
    for node in found.args:
        if isinstance(node, exp.Distinct | exp.Order | exp.Limit | exp.IgnoreNulls | exp.RespectNulls | exp.Alias):
            raise InvalidSql(f"Syntax error in the arguments of {found.name}: {node.sql(dialect='bigquery')[:80]}")


def literal_text(value: Typed, where: str) -> str:
    """The text of an argument that decides how to translate, and so must be written out."""
    if value.text is None or value.literal != "string":
        raise UnsupportedSql(f"{where} that is not a literal")
    return value.text
