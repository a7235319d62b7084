"""Which days a filter on a DATE partition column takes, decided here so that no rows are read for it."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Mapping
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


def chosen(cursor: Cursor, found: PartitionFilter, values: Mapping[str, Any], days: Iterable[Any]) -> set[Any]:
    """The days for which one of the filter's alternatives holds; a comparison with NULL never does."""
    texts = list(dict.fromkeys(text for each in found.alternatives for one in each for text in one.values))
    row = cursor.execute(f"SELECT {', '.join(texts)}", dict(values) or None).fetchone()
    known = dict(zip(texts, row or (), strict=True))
    dated = [day for day in days if day is not None]
    taken: set[Any] = set()
    for alternative in found.alternatives:
        left = dated
        for condition in alternative:
            left = _holding(condition, left, [known[text] for text in condition.values])
        taken.update(left)
    return taken


def _holding(condition: PartitionCondition, days: list[Any], values: list[Any]) -> list[Any]:
    if condition.operator in ("IN", "IN_ARRAY"):
        wanted = set(values if condition.operator == "IN" else values[0] or ())
        return [day for day in days if day in wanted]
    compared, limit = COMPARED[condition.operator], values[0]
    return [] if limit is None else [day for day in days if compared(day, limit)]
