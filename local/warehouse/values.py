"""Values on their way out: DuckDB's Python objects as the cells of the REST API.

TIMESTAMP cells are kept as microseconds; a client that did not ask for them gets float seconds when its page is
written.
"""

from __future__ import annotations

import base64
import datetime as dt
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any

from local.warehouse.errors import invalid_query
from local.warehouse.types import Field

Cell = Any
EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
MICROSECOND = dt.timedelta(microseconds=1)


def integer(value: int) -> str:
    """INT64, checked: DuckDB's sums are wider than BigQuery's."""
    if not -(2**63) <= value < 2**63:
        raise invalid_query(f"int64 overflow: {value}")
    return str(value)


def floating(value: float) -> str:
    """FLOAT64 in the spelling of BigQuery's JSON."""
    if value != value:
        return "NaN"
    if value in (float("inf"), float("-inf")):
        return "Infinity" if value > 0 else "-Infinity"
    return repr(value).replace("e+", "E").replace("e", "E")


def numeric(value: Decimal | int) -> str:
    """NUMERIC without padded zeros."""
    text = format(value, "f")
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def micros(value: dt.datetime) -> str:
    """TIMESTAMP as whole microseconds since 1970."""
    return str((value - EPOCH) // MICROSECOND)


SCALARS: dict[str, Callable[[Any], str]] = {
    "STRING": str,
    "BYTES": lambda value: base64.b64encode(value).decode(),
    "INTEGER": integer,
    "FLOAT": floating,
    "BOOLEAN": lambda value: "true" if value else "false",
    "NUMERIC": numeric,
    "DATE": lambda value: str(value.isoformat()),
    "DATETIME": lambda value: str(value.isoformat()),
    "TIME": lambda value: str(value.isoformat()),
    "TIMESTAMP": micros,
}


def encoder(item: Field) -> Callable[[Any], Cell]:
    """The function that writes one column's values as cells."""
    if item.mode == "REPEATED":
        element = encoder(item.element)
        return lambda value: [] if value is None else [{"v": element(each)} for each in value]
    if item.type == "RECORD":
        return _record_encoder(item)
    scalar = SCALARS[item.type]
    return lambda value: None if value is None else scalar(value)


def _record_encoder(item: Field) -> Callable[[Any], Cell]:
    members = [(member.name, encoder(member)) for member in item.fields]

    def encode(value: dict[str, Any] | None) -> Cell:
        return None if value is None else {"f": [{"v": write(value[name])} for name, write in members]}

    return encode


def encode_rows(schema: Sequence[Field], rows: Sequence[Sequence[Any]]) -> list[list[Cell]]:
    """A batch of fetched rows as cells."""
    writers = [encoder(item) for item in schema]
    return [[write(value) for write, value in zip(writers, row, strict=True)] for row in rows]


def has_timestamp(schema: Sequence[Field]) -> bool:
    """Whether any column holds a TIMESTAMP, at any depth."""
    return any(item.type == "TIMESTAMP" or has_timestamp(item.fields) for item in schema)


def float_timestamps(item: Field, cell: Cell) -> Cell:
    """A cell with its microseconds rewritten as float seconds, the API's default."""
    if cell is None:
        return None
    if item.mode == "REPEATED":
        return [{"v": float_timestamps(item.element, each["v"])} for each in cell]
    if item.type == "RECORD":
        pairs = zip(item.fields, cell["f"], strict=True)
        return {"f": [{"v": float_timestamps(member, each["v"])} for member, each in pairs]}
    return floating(int(cell) / 1_000_000) if item.type == "TIMESTAMP" else cell
