"""CAST and SAFE_CAST, type by type.

DuckDB reads more texts than BigQuery ('1.6' as an integer, 'yes' as true), rounds halves to even and prints trailing
zeros. Every conversion that differs is written out; a text whose reading is not certain stops with an error, also
under SAFE_CAST, because a NULL there would be a silently different answer.
"""

from __future__ import annotations

import re
from typing import Final

from local.warehouse.sql.errors import InvalidSql, UnsupportedSql
from local.warehouse.sql.kinds import NULL, SqlType, text
from local.warehouse.sql.typed import Typed, to_float

_DATE: Final = r"\d{4}-\d{1,2}-\d{1,2}"
_CLOCK: Final = r"\d{1,2}:\d{1,2}:\d{1,2}(\.\d{1,6})?"
_ACCEPTED: Final = {
    "INT64": r"[+-]?\d+",
    "NUMERIC": r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?",
    "FLOAT64": r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?",
    "DATE": _DATE,
    "DATETIME": rf"{_DATE}([ T]{_CLOCK})?",
    "TIMESTAMP": rf"{_DATE}([ T]{_CLOCK}( ?UTC|Z|[+-]\d{{2}}(:\d{{2}})?)?)?",
    "TIME": _CLOCK,
}
_UNSURE: Final = r"\s.*|.*\s|[+-]?(0[xX].*|[iI][nN][fF].*|[nN][aA][nN].*)"


def cast(value: Typed, target: SqlType, *, safe: bool) -> Typed:
    """The value converted as CAST (or SAFE_CAST) does."""
    source = value.type
    if source == target:
        return Typed(value.sql, target)
    if source == NULL:
        return Typed(f"CAST(NULL AS {target.duckdb})", target)
    if source.kind == "STRING" and target.kind in (*_ACCEPTED, "BOOL"):
        return Typed(_from_text(value, target, safe), target)
    if source.kind == "ARRAY" or source.kind == "STRUCT":
        raise UnsupportedSql(f"CAST from {source} to {target}")
    rule = _RULES.get((source.kind, target.kind))
    if rule is None:
        if (source.kind, target.kind) in _KNOWN_ELSEWHERE:
            raise UnsupportedSql(f"CAST from {source} to {target}")
        raise InvalidSql(f"Invalid cast from {source} to {target}")
    sql = to_float(value) if rule == "float" else rule.replace("{x}", value.sql)
    return Typed(f"TRY({sql})" if safe and target.kind in ("INT64", "NUMERIC") else sql, target)


_RULES: Final = {
    ("INT64", "NUMERIC"): "CAST({x} AS DECIMAL(38,9))",
    ("INT64", "FLOAT64"): "float",
    ("INT64", "STRING"): "CAST({x} AS VARCHAR)",
    ("INT64", "BOOL"): "({x} <> 0)",
    ("BOOL", "INT64"): "CAST({x} AS BIGINT)",
    ("BOOL", "STRING"): "CAST({x} AS VARCHAR)",
    ("NUMERIC", "INT64"): "CAST({x} AS BIGINT)",
    ("NUMERIC", "FLOAT64"): "float",
    ("NUMERIC", "STRING"): "rtrim(rtrim(CAST({x} AS VARCHAR), '0'), '.')",
    ("FLOAT64", "INT64"): "CAST(round({x}) AS BIGINT)",
    ("FLOAT64", "NUMERIC"): (
        "(CAST(CAST(trunc({x}) AS HUGEINT) AS DECIMAL(38,9)) + CAST({x} - trunc({x}) AS DECIMAL(38,9)))"
    ),
    ("FLOAT64", "STRING"): (
        "CASE WHEN {x} IS NULL THEN NULL WHEN {x} = 0 OR (abs({x}) >= 0.0001 AND abs({x}) < 1e15)"
        r" THEN regexp_replace(CAST({x} AS VARCHAR), '\.0$', '')"
        " ELSE error('Not supported here: this FLOAT64 as STRING') END"
    ),
    ("DATE", "STRING"): "CAST({x} AS VARCHAR)",
    ("DATE", "TIMESTAMP"): "CAST({x} AS TIMESTAMPTZ)",
    ("DATE", "DATETIME"): "CAST({x} AS TIMESTAMP)",
    ("TIMESTAMP", "DATE"): "CAST({x} AT TIME ZONE 'UTC' AS DATE)",
    ("TIMESTAMP", "DATETIME"): "({x} AT TIME ZONE 'UTC')",
    ("TIMESTAMP", "STRING"): (
        "CASE WHEN {x} IS NULL THEN NULL WHEN epoch_us({x}) % 1000000 = 0"
        " THEN strftime({x} AT TIME ZONE 'UTC', '%Y-%m-%d %H:%M:%S') || '+00'"
        " ELSE error('Not supported here: a TIMESTAMP with a fraction of a second as STRING') END"
    ),
    ("DATETIME", "DATE"): "CAST({x} AS DATE)",
    ("DATETIME", "TIMESTAMP"): "({x} AT TIME ZONE 'UTC')",
}
_KNOWN_ELSEWHERE: Final = {
    ("STRING", "BYTES"),
    ("BYTES", "STRING"),
    ("DATETIME", "STRING"),
    ("DATETIME", "TIME"),
    ("TIMESTAMP", "TIME"),
    ("TIME", "STRING"),
}


def _from_text(value: Typed, target: SqlType, safe: bool) -> str:
    x = value.sql
    failure = "NULL" if safe else f"error('Could not cast string to type {target}')"
    if value.text is not None and re.fullmatch(_ACCEPTED.get(target.kind, ""), value.text, re.ASCII) and not safe:
        return f"CAST({x} AS {target.duckdb})"
    if target.kind == "BOOL":
        return (
            f"CASE lower({x}) WHEN 'true' THEN TRUE WHEN 'false' THEN FALSE "
            f"ELSE (CASE WHEN {x} IS NOT NULL THEN {failure} END) END"
        )
    convert = "TRY_CAST" if safe else "CAST"
    pattern = _ACCEPTED[target.kind]
    unsure = rf"{_UNSURE}|{_DATE}.+" if target.kind in ("DATE", "DATETIME", "TIMESTAMP") else _UNSURE
    return (
        f"CASE WHEN regexp_full_match({x}, {text(pattern)}) THEN {convert}({x} AS {target.duckdb})"
        f" WHEN regexp_full_match({x}, {text(unsure)})"
        f" THEN error('Not supported here: this form of text cast to {target}')"
        f" WHEN {x} IS NOT NULL THEN {failure} END"
    )
