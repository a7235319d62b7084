"""Which days a filter on a DATE partition column takes, decided here so that no rows are read for it."""

from __future__ import annotations

import datetime as dt
import operator
import re
from collections.abc import Callable, Iterable, Mapping
from types import NoneType
from typing import Any

from local.warehouse.engine import Cursor
from local.warehouse.sql import PartitionCondition, PartitionFilter

COMPARED: Mapping[str, Callable[[Any, Any], bool]] = {
    "=": operator.eq,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
PARAMETER = re.compile(r"CAST\(\$(\w+) AS DATE\)")
LITERAL = re.compile(r"CAST\('(\d{4}-\d{2}-\d{2})' AS DATE\)")


def chosen(cursor: Cursor, found: PartitionFilter, values: Mapping[str, Any], days: Iterable[Any]) -> set[Any]:
    """The days for which one of the filter's alternatives holds; a comparison with NULL never does."""
    texts = list(dict.fromkeys(text for each in found.alternatives for one in each for text in one.values))
    known = _evaluated(cursor, texts, values)
    taken: set[Any] = set()
    for alternative in found.alternatives:
        left = list(days)
        for condition in alternative:
            left = _holding(condition, left, [known[text] for text in condition.values])
        taken.update(left)
    return taken


def _evaluated(cursor: Cursor, texts: list[str], values: Mapping[str, Any]) -> dict[str, Any]:
    """The values of SQL texts: plain dates are read here, DuckDB is asked for the others."""
    known: dict[str, Any] = {}
    for text in texts:
        if literal := LITERAL.fullmatch(text):
            known[text] = dt.date.fromisoformat(literal[1])
        elif (named := PARAMETER.fullmatch(text)) and type(values[named[1]]) in (dt.date, NoneType):
            known[text] = values[named[1]]
    if others := [text for text in texts if text not in known]:
        names = {name: value for name, value in values.items() if any(f"CAST(${name} AS " in text for text in others)}
        row = cursor.execute(f"SELECT {', '.join(others)}", names or None).fetchone()
        known.update(zip(others, row or (), strict=True))
    return known


def _holding(condition: PartitionCondition, days: list[Any], values: list[Any]) -> list[Any]:
    if condition.operator in ("IN", "IN_ARRAY"):
        wanted = set(values if condition.operator == "IN" else values[0] or ())
        return [day for day in days if day in wanted]
    compared, limit = COMPARED[condition.operator], values[0]
    return [] if limit is None else [day for day in days if compared(day, limit)]
