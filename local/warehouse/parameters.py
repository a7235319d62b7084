"""Query parameters: the REST API's typed strings as the types the translation knows and the values DuckDB takes."""

from __future__ import annotations

import base64
import binascii
import datetime as dt
import decimal
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from local.warehouse.errors import invalid, invalid_query, unsupported
from local.warehouse.sql import SqlType, array_of, scalar

Value = Any


@dataclass(frozen=True)
class Parameters:
    """What a query was given, by name."""

    types: dict[str, SqlType]
    values: dict[str, Value]


def _timestamp(text: str) -> dt.datetime:
    """A TIMESTAMP value; without an offset it is UTC."""
    value = dt.datetime.fromisoformat(text.removesuffix(" UTC").strip())
    return value.replace(tzinfo=dt.UTC) if value.tzinfo is None else value.astimezone(dt.UTC)


def _boolean(text: str) -> bool:
    return {"true": True, "false": False}[text.lower()]


def _datetime(text: str) -> dt.datetime:
    value = dt.datetime.fromisoformat(text)
    if value.tzinfo is not None:
        raise ValueError(text)
    return value


def _numeric(text: str) -> decimal.Decimal:
    value = decimal.Decimal(text)
    exponent = value.as_tuple().exponent
    if not isinstance(exponent, int) or exponent < -9 or value.adjusted() >= 29:
        raise ValueError(text)
    return value


READERS: dict[str, Callable[[str], Value]] = {
    "STRING": str,
    "INT64": int,
    "FLOAT64": float,
    "BOOL": _boolean,
    "NUMERIC": _numeric,
    "DATE": dt.date.fromisoformat,
    "TIME": dt.time.fromisoformat,
    "DATETIME": _datetime,
    "TIMESTAMP": _timestamp,
    "BYTES": lambda text: base64.b64decode(text, validate=True),
}


def _type(body: dict[str, Any]) -> SqlType:
    kind = str(body.get("type", "")).upper()
    if kind == "ARRAY":
        return array_of(_type(body.get("arrayType") or {}))
    if kind in ("STRUCT", "RECORD"):
        members = body.get("structTypes") or []
        return SqlType("STRUCT", fields=tuple((str(each.get("name", "")), _type(each["type"])) for each in members))
    return scalar(kind)


def _value(name: str, kind: SqlType, body: dict[str, Any] | None) -> Value:
    if not body:
        return [] if kind.element is not None else None
    if kind.element is not None:
        return [_value(name, kind.element, each) for each in body.get("arrayValues") or []]
    if kind.kind == "STRUCT":
        given = body.get("structValues") or {}
        return {member: _value(name, each, given.get(member)) for member, each in kind.fields}
    text = body.get("value")
    if text is None:
        return None
    try:
        return READERS[kind.kind](str(text))
    except (ValueError, KeyError, decimal.InvalidOperation, binascii.Error) as error:
        raise invalid(f"Invalid value for query parameter {name}: it is not a {kind.kind}", name) from error


def read_parameters(config: dict[str, Any]) -> Parameters:
    """The named parameters of a query configuration."""
    types: dict[str, SqlType] = {}
    values: dict[str, Value] = {}
    given = config.get("queryParameters") or []
    if given and str(config.get("parameterMode", "NAMED")).upper() != "NAMED":
        raise unsupported("parameterMode POSITIONAL", "name the parameters (@name)")
    for each in given:
        name = str(each.get("name") or "")
        if not name:
            raise invalid_query("Query parameters must have names (@name)")
        types[name] = _type(each.get("parameterType") or {})
        values[name] = _value(name, types[name], each.get("parameterValue"))
    return Parameters(types, values)
