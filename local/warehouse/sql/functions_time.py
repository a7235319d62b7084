"""Functions of dates and timestamps. Every TIMESTAMP is UTC; the session's time zone is UTC too.

DuckDB's date arithmetic gives timestamps: a DATE is cast back to DATE. Differences of timestamps count whole elapsed
units, those of dates count boundaries, each as BigQuery defines it.
"""

from __future__ import annotations

from typing import Final

from sqlglot import exp

from local.warehouse.sql.casts import cast
from local.warehouse.sql.errors import InvalidSql, UnsupportedSql
from local.warehouse.sql.expressions import Call, Expressions, Node, only
from local.warehouse.sql.functions import SCALAR, Function, Overload, arguments, mismatch, overloaded, refuse_modifiers
from local.warehouse.sql.kinds import DATE, INT64, TIMESTAMP, SqlType, array_of
from local.warehouse.sql.typed import Typed, require

WEEKDAYS: Final = ("MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY", "SATURDAY", "SUNDAY")
_MICROSECONDS: Final = {
    "MICROSECOND": 1,
    "MILLISECOND": 1_000,
    "SECOND": 1_000_000,
    "MINUTE": 60_000_000,
    "HOUR": 3_600_000_000,
    "DAY": 86_400_000_000,
}
_CALENDAR: Final = {"DAY": "days", "WEEK": "weeks", "MONTH": "months", "QUARTER": "quarters", "YEAR": "years"}
_TRUNCATED: Final = ("DAY", "MONTH", "QUARTER", "YEAR")


def unit(node: Node) -> str:
    """A date part as it was written: MONTH, or WEEK(MONDAY)."""
    if isinstance(node, exp.Column) and len(node.parts) == 1:
        return str(node.name).upper()
    if isinstance(node, exp.Var):
        return str(node.this).upper()
    if isinstance(node, exp.Anonymous) and len(node.expressions) == 1:
        return f"{str(node.this).upper()}({unit(node.expressions[0])})"
    raise InvalidSql(f"A valid date part name is required but found {node.sql(dialect='bigquery')[:80]}")


def week_shift(part: str) -> int | None:
    """How many days after Monday the weeks of that part begin; None for a part that is no week."""
    if part == "WEEK":
        return 6
    if part == "ISOWEEK":
        return 0
    if part.startswith("WEEK(") and part[5:-1] in WEEKDAYS:
        return WEEKDAYS.index(part[5:-1])
    return None


def _count(found: Call, least: int, most: int) -> None:
    refuse_modifiers(found)
    if not least <= len(found.args) <= most:
        raise InvalidSql(f"Number of arguments does not match for function {found.name}: got {len(found.args)}")


def utc_only(e: Expressions, node: Node, name: str) -> None:
    """Refuse a time zone that is not UTC."""
    if e.of(node).text not in ("UTC", "Etc/UTC", "+00:00", "+00"):
        raise UnsupportedSql(f"{name} with a time zone other than 'UTC'")


def truncate_date(sql: str, part: str, name: str) -> str:
    """The first day of the part that a DATE is in."""
    shift = week_shift(part)
    if shift is not None:
        return f"CAST(date_trunc('week', {sql} - {shift}) + to_days({shift}) AS DATE)"
    if part not in _TRUNCATED:
        raise UnsupportedSql(f"{name} to {part}")
    return f"CAST(date_trunc('{part.lower()}', {sql}) AS DATE)"


def _date_trunc(e: Expressions, found: Call) -> Typed:
    _count(found, 2, 2)
    value = e.of(found.args[0])
    if value.type == TIMESTAMP and found.name == "DATE_TRUNC":
        raise UnsupportedSql("DATE_TRUNC of a TIMESTAMP; write TIMESTAMP_TRUNC")
    return Typed(truncate_date(require(value, DATE, found.name), unit(found.args[1]), found.name), DATE)


def _timestamp_trunc(e: Expressions, found: Call) -> Typed:
    _count(found, 2, 3)
    if len(found.args) == 3:
        utc_only(e, found.args[2], found.name)
    value, part = require(e.of(found.args[0]), TIMESTAMP, found.name), unit(found.args[1])
    local = f"{value} AT TIME ZONE 'UTC'"
    if part in _MICROSECONDS and part != "DAY":
        return Typed(f"(date_trunc('{part.lower()}', {local}) AT TIME ZONE 'UTC')", TIMESTAMP)
    day = truncate_date(f"CAST({local} AS DATE)", part, found.name)
    return Typed(f"CAST({day} AS TIMESTAMPTZ)", TIMESTAMP)


def interval(e: Expressions, node: Node, name: str) -> tuple[str, str]:
    """INTERVAL n PART as the count's SQL and the part."""
    if not isinstance(node, exp.Interval) or not isinstance(node.args.get("unit"), exp.Var):
        raise UnsupportedSql(f"{name} without INTERVAL n PART: {node.sql(dialect='bigquery')[:80]}")
    only(node, "this", "unit")
    part = str(node.args["unit"].this).upper()
    if isinstance(node.this, exp.Literal):
        try:
            return f"CAST({int(str(node.this.this))} AS BIGINT)", part
        except ValueError:
            raise UnsupportedSql(f"interval {node.sql(dialect='bigquery')}") from None
    return require(e.of(node.this), INT64, "Interval value"), part


def _date_add(e: Expressions, found: Call) -> Typed:
    _count(found, 2, 2)
    value = require(e.of(found.args[0]), DATE, found.name)
    count, part = interval(e, found.args[1], found.name)
    if part not in _CALENDAR:
        raise InvalidSql(f"{found.name} does not support the {part} date part")
    sign = "-" if found.name == "DATE_SUB" else "+"
    if part == "QUARTER":
        count, part = f"{count} * 3", "MONTH"
    return Typed(f"CAST({value} {sign} to_{_CALENDAR[part]}(CAST({count} AS INTEGER)) AS DATE)", DATE)


def _timestamp_add(e: Expressions, found: Call) -> Typed:
    _count(found, 2, 2)
    value = require(e.of(found.args[0]), TIMESTAMP, found.name)
    count, part = interval(e, found.args[1], found.name)
    if part not in _MICROSECONDS:
        raise InvalidSql(f"{found.name} does not support the {part} date part")
    sign = "-" if found.name == "TIMESTAMP_SUB" else "+"
    return Typed(f"({value} {sign} to_microseconds({count} * {_MICROSECONDS[part]}))", TIMESTAMP)


def _date_diff(e: Expressions, found: Call) -> Typed:
    _count(found, 3, 3)
    operands, part = e.all(found.args[:2]), unit(found.args[2])
    if all(value.type == TIMESTAMP for value in operands):
        raise UnsupportedSql("DATE_DIFF of TIMESTAMPs; write TIMESTAMP_DIFF")
    left, right = (require(value, DATE, found.name) for value in operands)
    if week_shift(part) is not None:
        first, last = truncate_date(right, part, found.name), truncate_date(left, part, found.name)
        return Typed(f"(date_diff('day', {first}, {last}) // 7)", INT64)
    if part not in _TRUNCATED:
        raise UnsupportedSql(f"DATE_DIFF by {part}")
    return Typed(f"date_diff('{part.lower()}', {right}, {left})", INT64)


def _timestamp_diff(e: Expressions, found: Call) -> Typed:
    _count(found, 3, 3)
    left, right = (require(e.of(node), TIMESTAMP, found.name) for node in found.args[:2])
    part = unit(found.args[2])
    if part not in _MICROSECONDS:
        raise InvalidSql(f"{found.name} does not support the {part} date part")
    return Typed(f"((epoch_us({left}) - epoch_us({right})) // {_MICROSECONDS[part]})", INT64)


def _date(e: Expressions, found: Call) -> Typed:
    _count(found, 1, 3)
    values = arguments(e, found, 1, 3)
    if len(values) == 3:
        parts = ", ".join(require(value, INT64, "DATE") for value in values)
        return Typed(f"make_date({parts})", DATE)
    if len(values) == 2:
        utc_only(e, found.args[1], "DATE")
    if values[0].type.kind not in ("TIMESTAMP", "DATETIME", "DATE", "STRING"):
        raise mismatch("DATE", values)
    return cast(values[0], DATE, safe=False)


def _timestamp(e: Expressions, found: Call) -> Typed:
    values = arguments(e, found, 1, 2)
    if len(values) == 2:
        utc_only(e, found.args[1], "TIMESTAMP")
    if values[0].type.kind not in ("TIMESTAMP", "DATETIME", "DATE", "STRING"):
        raise mismatch("TIMESTAMP", values)
    return cast(values[0], TIMESTAMP, safe=False)


def _last_day(e: Expressions, found: Call) -> Typed:
    _count(found, 1, 2)
    part = unit(found.args[1]) if len(found.args) > 1 else "MONTH"
    value = require(e.of(found.args[0]), DATE, "LAST_DAY")
    if part not in ("MONTH", "QUARTER", "YEAR"):
        raise UnsupportedSql(f"LAST_DAY of {part}")
    months = {"MONTH": 1, "QUARTER": 3, "YEAR": 12}[part]
    return Typed(f"CAST(date_trunc('{part.lower()}', {value}) + to_months({months}) - to_days(1) AS DATE)", DATE)


def _date_array(e: Expressions, found: Call) -> Typed:
    _count(found, 2, 3)
    first, last = (require(e.of(node), DATE, found.name) for node in found.args[:2])
    count, part = interval(e, found.args[2], found.name) if len(found.args) > 2 else ("CAST(1 AS BIGINT)", "DAY")
    if part not in ("DAY", "WEEK", "MONTH") or not count.startswith("CAST(") or count.startswith(("CAST(-", "CAST(0 ")):
        raise UnsupportedSql("GENERATE_DATE_ARRAY by other steps than a positive number of days, weeks or months")
    step = f"to_{_CALENDAR[part]}(CAST({count} AS INTEGER))"
    series = f"CAST(generate_series(CAST({first} AS TIMESTAMP), CAST({last} AS TIMESTAMP), {step}) AS DATE[])"
    if part == "MONTH":  # DuckDB adds to the day before, BigQuery to the first day; they part after the 28th
        refusal = "error('GENERATE_DATE_ARRAY by months from a day after the 28th is not supported here')"
        series = f"CASE WHEN day({first}) > 28 THEN {refusal} ELSE {series} END"
    return Typed(f"CASE WHEN {first} IS NOT NULL AND {last} IS NOT NULL THEN {series} END", array_of(DATE))


def _epoch(per_second: int) -> str:
    """Whole units since 1970, rounded down: the remainder of a negative number is negative in DuckDB."""
    step = 1_000_000 // per_second
    return f"((epoch_us({{0}}) - (((epoch_us({{0}}) % {step}) + {step}) % {step})) // {step})"


def _register(name: str, takes: SqlType, gives: SqlType, form: str) -> None:
    SCALAR[name] = overloaded(name, Overload((takes,), gives, form))


def _current(sql: str, kind: SqlType) -> Function:
    def translate(e: Expressions, found: Call) -> Typed:
        _count(found, 0, 1)
        if found.args:
            utc_only(e, found.args[0], found.name)
        return Typed(sql, kind)

    return translate


_register("UNIX_MICROS", TIMESTAMP, INT64, "epoch_us({0})")
_register("UNIX_MILLIS", TIMESTAMP, INT64, _epoch(1_000))
_register("UNIX_SECONDS", TIMESTAMP, INT64, _epoch(1))
_register("TIMESTAMP_MICROS", INT64, TIMESTAMP, "(make_timestamp({0}) AT TIME ZONE 'UTC')")
_register("TIMESTAMP_MILLIS", INT64, TIMESTAMP, "(make_timestamp({0} * 1000) AT TIME ZONE 'UTC')")
_register("TIMESTAMP_SECONDS", INT64, TIMESTAMP, "(make_timestamp({0} * 1000000) AT TIME ZONE 'UTC')")
_register("UNIX_DATE", DATE, INT64, "date_diff('day', DATE '1970-01-01', {0})")
_register("DATE_FROM_UNIX_DATE", INT64, DATE, "CAST(DATE '1970-01-01' + to_days(CAST({0} AS INTEGER)) AS DATE)")
SCALAR.update(
    DATE_TRUNC=_date_trunc,
    TIMESTAMP_TRUNC=_timestamp_trunc,
    DATE_ADD=_date_add,
    DATE_SUB=_date_add,
    TIMESTAMP_ADD=_timestamp_add,
    TIMESTAMP_SUB=_timestamp_add,
    DATE_DIFF=_date_diff,
    TIMESTAMP_DIFF=_timestamp_diff,
    DATE=_date,
    TIMESTAMP=_timestamp,
    LAST_DAY=_last_day,
    GENERATE_DATE_ARRAY=_date_array,
    CURRENT_DATE=_current("CAST(current_timestamp AT TIME ZONE 'UTC' AS DATE)", DATE),
    CURRENT_TIMESTAMP=_current("CAST(current_timestamp AS TIMESTAMPTZ)", TIMESTAMP),
)
