"""EXTRACT(part FROM date or timestamp)."""

from __future__ import annotations

from typing import Final

from sqlglot import exp

from local.warehouse.sql.errors import InvalidSql, UnsupportedSql
from local.warehouse.sql.expressions import HANDLERS, Expressions, only
from local.warehouse.sql.functions_time import unit, utc_only, week_shift
from local.warehouse.sql.kinds import DATE, INT64, TIMESTAMP
from local.warehouse.sql.typed import Typed

_EXTRACTED: Final = {
    "YEAR": "year({x})",
    "QUARTER": "quarter({x})",
    "MONTH": "month({x})",
    "DAY": "day({x})",
    "DAYOFYEAR": "dayofyear({x})",
    "DAYOFWEEK": "dayofweek({x}) + 1",
    "WEEK": "strftime({x}, '%U')",
    "ISOWEEK": "weekofyear({x})",
    "ISOYEAR": "isoyear({x})",
    "HOUR": "hour({x})",
    "MINUTE": "minute({x})",
    "SECOND": "second({x})",
    "MILLISECOND": "millisecond({x}) % 1000",
    "MICROSECOND": "microsecond({x}) % 1000000",
}
_CLOCK_PARTS: Final = ("HOUR", "MINUTE", "SECOND", "MILLISECOND", "MICROSECOND")


def _extract(e: Expressions, node: exp.Extract) -> Typed:
    only(node, "this", "expression")
    source = node.expression
    if isinstance(source, exp.AtTimeZone):
        utc_only(e, source.args["zone"], "EXTRACT")
        source = source.this
    value, part = e.of(source), unit(node.this)
    if value.type.kind not in ("DATE", "TIMESTAMP"):
        raise UnsupportedSql(f"EXTRACT from {value.type}")
    if part in _CLOCK_PARTS and value.type == DATE:
        raise InvalidSql(f"EXTRACT from DATE does not support the {part} date part")
    x = value.sql if value.type == DATE else f"({value.sql} AT TIME ZONE 'UTC')"
    if part == "DATE" and value.type == TIMESTAMP:
        return Typed(f"CAST({x} AS DATE)", DATE)
    shift = week_shift(part)
    if part not in _EXTRACTED:
        detail = f"EXTRACT({part})" if shift is None else f"EXTRACT({part}); ISOWEEK and WEEK are"
        raise UnsupportedSql(detail)
    return Typed(f"CAST({_EXTRACTED[part].replace('{x}', x)} AS BIGINT)", INT64)


HANDLERS[exp.Extract] = _extract
