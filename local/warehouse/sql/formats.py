"""FORMAT_DATE, FORMAT_TIMESTAMP, PARSE_DATE and PARSE_TIMESTAMP with a literal format of known elements."""

from __future__ import annotations

import re
from typing import Final

from local.warehouse.sql.errors import InvalidSql, UnsupportedSql
from local.warehouse.sql.expressions import Call, Expressions
from local.warehouse.sql.functions import SCALAR, arguments, literal_text
from local.warehouse.sql.kinds import DATE, STRING, TIMESTAMP, text
from local.warehouse.sql.typed import Typed, require

_SHORTHAND: Final = {"%F": "%Y-%m-%d", "%T": "%H:%M:%S", "%D": "%m/%d/%y", "%R": "%H:%M"}
_DATE_ELEMENTS: Final = {"Y", "y", "m", "d", "j", "b", "B", "a", "A", "G", "V", "u", "U", "W", "%", "Q"}
_CLOCK_ELEMENTS: Final = {"H", "I", "M", "S", "p"}
_PARSED: Final = {"Y": r"\d{4}", "m": r"\d{2}", "d": r"\d{2}", "H": r"\d{2}", "M": r"\d{2}", "S": r"\d{2}"}


def _expanded(value: Typed, name: str) -> str:
    written = literal_text(value, f"{name} with a format")
    for short, full in _SHORTHAND.items():
        written = written.replace(short, full)
    return written


def _elements(written: str, allowed: set[str], name: str) -> list[str]:
    found = re.findall(r"%(.?)", written, flags=re.DOTALL)
    for element in found:
        if element not in allowed:
            raise UnsupportedSql(f"format element %{element} in {name}")
    return found


def _format(e: Expressions, found: Call) -> Typed:
    values = arguments(e, found, 2, 3)
    kind = DATE if found.name == "FORMAT_DATE" else TIMESTAMP
    if len(values) == 3 and (kind == DATE or values[2].text not in ("UTC", "Etc/UTC", "+00:00", "+00")):
        raise UnsupportedSql(f"{found.name} with a time zone other than 'UTC'")
    written = _expanded(values[0], found.name)
    _elements(written, _DATE_ELEMENTS | (_CLOCK_ELEMENTS if kind == TIMESTAMP else set()), found.name)
    value = require(values[1], kind, found.name)
    if kind == TIMESTAMP:
        value = f"({value} AT TIME ZONE 'UTC')"
    pieces = [f"strftime({value}, {text(piece)})" if piece else "''" for piece in written.split("%Q")]
    return Typed("(" + f" || CAST(quarter({value}) AS VARCHAR) || ".join(pieces) + ")", STRING)


def _parse(e: Expressions, found: Call) -> Typed:
    """The text must have exactly the format's shape; BigQuery's looser readings stop with an error."""
    values = arguments(e, found, 2, 3)
    kind = DATE if found.name == "PARSE_DATE" else TIMESTAMP
    if len(values) == 3 and (kind == DATE or values[2].text != "UTC"):
        raise UnsupportedSql(f"{found.name} with a time zone other than 'UTC'")
    written = _expanded(values[0], found.name)
    allowed = {"Y", "m", "d"} if kind == DATE else set(_PARSED)
    elements = _elements(written, allowed, found.name)
    if "Y" not in elements or len(set(elements)) != len(elements):
        raise UnsupportedSql(f"{found.name} without the year or with an element twice")
    literal = re.split(r"%.", written)
    shape = "".join(
        re.escape(piece) + (_PARSED[elements[at]] if at < len(elements) else "") for at, piece in enumerate(literal)
    )
    value = require(values[1], STRING, found.name)
    parsed = f"strptime({value}, {text(written)})"
    sql = f"CAST({parsed} AS DATE)" if kind == DATE else f"({parsed} AT TIME ZONE 'UTC')"
    failure = f"error('Failed to parse input string with {found.name}')"
    return Typed(
        f"CASE WHEN regexp_full_match({value}, {text(shape)}) THEN {sql} WHEN {value} IS NOT NULL THEN {failure} END",
        kind,
    )


def _refuse_general(_: Expressions, found: Call) -> Typed:
    if not found.args:
        raise InvalidSql("Number of arguments does not match for function FORMAT")
    raise UnsupportedSql("function FORMAT; write CAST, LPAD or FORMAT_DATE")


SCALAR.update(
    FORMAT_DATE=_format,
    FORMAT_TIMESTAMP=_format,
    PARSE_DATE=_parse,
    PARSE_TIMESTAMP=_parse,
    FORMAT=_refuse_general,
)
