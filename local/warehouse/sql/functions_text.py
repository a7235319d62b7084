"""Functions of strings, regular expressions (RE2 on both sides) and hashes."""

from __future__ import annotations

import re
from typing import Final

from local.warehouse.sql.errors import InvalidSql, UnsupportedSql
from local.warehouse.sql.expressions import Call, Expressions
from local.warehouse.sql.functions import SCALAR, Overload, arguments, literal_text, overloaded
from local.warehouse.sql.kinds import BOOL, BYTES, INT64, NULL, STRING, array_of, text
from local.warehouse.sql.typed import Typed, require

_SPACES: Final = (
    "\t\n\v\f\r \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
    "\u2028\u2029\u202f\u205f\u3000"
)


def _simple(name: str, takes: int, gives: str, form: str) -> None:
    kinds = {"STRING": STRING, "BOOL": BOOL, "INT64": INT64, "BYTES": BYTES}
    SCALAR[name] = overloaded(name, Overload((STRING,) * takes, kinds[gives], form))


def _cased(duckdb: str, unsure: str) -> str:
    """Letters that change their number or depend on their place have no agreed other case: they stop the query."""
    return (
        f"CASE WHEN regexp_matches({{0}}, '{unsure}') "
        f"THEN error('Not supported here: {duckdb.upper()} of this letter') ELSE {duckdb}({{0}}) END"
    )


def _trim(e: Expressions, found: Call) -> Typed:
    values = arguments(e, found, 1, 2)
    value = require(values[0], STRING, found.name)
    characters = require(values[1], STRING, found.name) if len(values) > 1 else text(_SPACES)
    return Typed(f"{found.name.lower()}({value}, {characters})", STRING)


def _concat(e: Expressions, found: Call) -> Typed:
    values = arguments(e, found, 1, 1000)
    if any(value.type not in (STRING, NULL) for value in values):
        raise UnsupportedSql("CONCAT of values that are not STRING; CAST them")
    return Typed("(" + " || ".join(require(value, STRING, "CONCAT") for value in values) + ")", STRING)


def _substring(e: Expressions, found: Call) -> Typed:
    """Position 0 counts as 1, and a position before the start as the start; DuckDB cuts the length there."""
    values = arguments(e, found, 2, 3)
    value, start = require(values[0], STRING, found.name), require(values[1], INT64, found.name)
    if values[1].literal != "int" or values[1].text is None or int(values[1].text) < 1:
        start = (
            f"CASE WHEN {start} > 0 THEN {start} WHEN {start} = 0 OR {start} < -length({value}) THEN 1"
            f" ELSE length({value}) + {start} + 1 END"
        )
    if len(values) == 2:
        return Typed(f"substr({value}, {start})", STRING)
    size = require(values[2], INT64, found.name)
    if values[2].literal != "int" or values[2].text is None:
        size = f"CASE WHEN {size} < 0 THEN error('Third argument in {found.name} cannot be negative') ELSE {size} END"
    return Typed(f"substr({value}, {start}, {size})", STRING)


def _side(e: Expressions, found: Call) -> Typed:
    values = arguments(e, found, 2, 2)
    value, size = require(values[0], STRING, found.name), require(values[1], INT64, found.name)
    if values[1].literal != "int" or values[1].text is None:
        raise UnsupportedSql(f"{found.name} with a length that is not a literal")
    return Typed(f"{found.name.lower()}({value}, {size})", STRING)


def _pad(e: Expressions, found: Call) -> Typed:
    values = arguments(e, found, 2, 3)
    value = require(values[0], STRING, found.name)
    if values[1].literal != "int" or values[1].text is None:
        raise UnsupportedSql(f"{found.name} to a length that is not a literal")
    pattern = literal_text(values[2], f"{found.name} with a pattern") if len(values) > 2 else " "
    if not pattern:
        raise InvalidSql(f"{found.name} pattern must not be empty")
    return Typed(f"{found.name.lower()}({value}, {values[1].text}, {text(pattern)})", STRING)


def _replace(e: Expressions, found: Call) -> Typed:
    value, old, new = (require(v, STRING, found.name) for v in arguments(e, found, 3, 3))
    return Typed(f"CASE WHEN {old} = '' THEN {value} ELSE replace({value}, {old}, {new}) END", STRING)


def _split(e: Expressions, found: Call) -> Typed:
    values = arguments(e, found, 1, 2)
    delimiter = literal_text(values[1], "SPLIT with a delimiter") if len(values) > 1 else ","
    if not delimiter:
        raise UnsupportedSql("SPLIT with an empty delimiter")
    return Typed(f"string_split({require(values[0], STRING, 'SPLIT')}, {text(delimiter)})", array_of(STRING))


def _pattern(value: Typed, name: str) -> tuple[str, int]:
    """A regular expression and its number of groups; what Python does not read as RE2 does is refused."""
    pattern = literal_text(value, f"{name} with a pattern")
    if re.search(r"\\[pPCQEzZ]|\(\?[^:]|\[\[:", pattern):
        raise UnsupportedSql(f"this part of RE2 in {name}: {pattern[:80]}")
    try:
        return text(pattern), re.compile(pattern).groups
    except re.error as error:
        raise InvalidSql(f"Cannot parse regular expression: {error}") from error


def _matches(e: Expressions, found: Call) -> Typed:
    values = arguments(e, found, 2, 2)
    pattern, _ = _pattern(values[1], found.name)
    return Typed(f"regexp_matches({require(values[0], STRING, found.name)}, {pattern})", BOOL)


def _extract(e: Expressions, found: Call) -> Typed:
    values = arguments(e, found, 2, 2)
    pattern, groups = _pattern(values[1], found.name)
    if groups > 1:
        raise InvalidSql(
            "Regular expressions passed into extraction functions must not have more than 1 capturing group"
        )
    written = values[1].text or ""
    outside = re.sub(r"\([^()]*\)", "", written)
    if groups and (re.search(r"\)([?*]|\{0)", written) or "|" in outside):
        raise UnsupportedSql("REGEXP_EXTRACT with a group that may not take part in the match")
    value = require(values[0], STRING, found.name)
    return Typed(
        f"CASE WHEN regexp_matches({value}, {pattern}) THEN regexp_extract({value}, {pattern}, {groups}) END", STRING
    )


def _regexp_replace(e: Expressions, found: Call) -> Typed:
    values = arguments(e, found, 3, 3)
    pattern, _ = _pattern(values[1], found.name)
    new = literal_text(values[2], "REGEXP_REPLACE with a replacement")
    if re.search(r"\\[^0-9\\]|\\$", new):
        raise InvalidSql(f"Invalid REGEXP_REPLACE replacement: {new}")
    return Typed(f"regexp_replace({require(values[0], STRING, found.name)}, {pattern}, {text(new)}, 'g')", STRING)


_simple("UPPER", 1, "STRING", _cased("upper", "[ßŉǰΐΰև\ufb00-\ufb17]"))
_simple("LOWER", 1, "STRING", _cased("lower", "[İΣ]"))
_simple("LENGTH", 1, "INT64", "CAST(length({0}) AS BIGINT)")
_simple("CHAR_LENGTH", 1, "INT64", "CAST(length({0}) AS BIGINT)")
_simple("BYTE_LENGTH", 1, "INT64", "CAST(strlen({0}) AS BIGINT)")
_simple("REVERSE", 1, "STRING", "reverse({0})")
_simple("STARTS_WITH", 2, "BOOL", "starts_with({0}, {1})")
_simple("ENDS_WITH", 2, "BOOL", "ends_with({0}, {1})")
_simple("STRPOS", 2, "INT64", "CAST(strpos({0}, {1}) AS BIGINT)")
_simple("SHA256", 1, "BYTES", "unhex(sha256({0}))")
_simple("MD5", 1, "BYTES", "unhex(md5({0}))")
SCALAR["TO_HEX"] = overloaded("TO_HEX", Overload((BYTES,), STRING, "lower(hex({0}))"))
SCALAR.update(
    TRIM=_trim,
    LTRIM=_trim,
    RTRIM=_trim,
    CONCAT=_concat,
    SUBSTR=_substring,
    SUBSTRING=_substring,
    LEFT=_side,
    RIGHT=_side,
    LPAD=_pad,
    RPAD=_pad,
    REPLACE=_replace,
    SPLIT=_split,
    REGEXP_CONTAINS=_matches,
    REGEXP_EXTRACT=_extract,
    REGEXP_REPLACE=_regexp_replace,
)
