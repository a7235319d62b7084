"""Text into typed values, strictly: SQL that either converts exactly or says which value it can not read.

DuckDB's own casts are lenient where BigQuery is not ('1.5' becomes the integer 2, '2024-01-01 10:00' a date), so a
regular expression decides first what may be cast at all.
"""

from __future__ import annotations

from local.warehouse.types import DUCKDB_SCALARS, Field, literal, quote

ZONE = r"(?: ?(?:Z|z|UTC|[+-]\d{1,2}(?::?\d{2})?))?"
CLOCK = r"\d{1,2}:\d{2}:\d{2}(?:\.\d{1,6})?"
DAY = r"\d{4}-\d{1,2}-\d{1,2}"
PATTERNS = {
    "INTEGER": r"\s*[+-]?\d{1,19}(?:\.0+)?\s*",
    "FLOAT": r"(?i)\s*[+-]?(?:(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?|inf|infinity|nan)\s*",
    "NUMERIC": r"(?i)\s*[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?\s*",
    "BOOLEAN": r"(?i)true|false|t|f|yes|no|y|n|1|0",
    "DATE": DAY,
    "TIME": CLOCK,
    "DATETIME": rf"{DAY}(?:[T ]{CLOCK})?",
    "TIMESTAMP": rf"{DAY}(?:[Tt ]{CLOCK}{ZONE})?",
    "BYTES": r"[A-Za-z0-9+/]*={0,2}",
}
ISO_DAY = r"(\d{4}-\d{1,2}-\d{1,2})"


def text_type(item: Field) -> str:
    """The DuckDB type in which a field is read before it is converted: text at every leaf."""
    if item.mode == "REPEATED":
        return text_type(item.element) + "[]"
    if item.type == "RECORD":
        members = ", ".join(f"{quote(member.name)} {text_type(member)}" for member in item.fields)
        return f"STRUCT({members})"
    return "VARCHAR"


def conversion(item: Field, value: str, path: str, depth: int = 0) -> str:
    """SQL for a field's value from its text form; a value that does not fit raises with its path."""
    if item.mode == "REPEATED":
        name = f"_e{depth}"
        inner = conversion(item.element, name, path, depth + 1)
        return f"coalesce(list_transform({value}, lambda {name}: {inner}), [])"
    if item.type == "RECORD":
        members = ", ".join(_member(member, value, path, depth) for member in item.fields)
        return f"CASE WHEN {value} IS NULL THEN NULL ELSE struct_pack({members}) END"
    if item.type == "STRING":
        return value
    message = f"'Could not parse ''' || left({value}, 40) || ''' as {item.type} for field {path}'"
    refusal = f"error({message})"
    cast = f"CASE WHEN {_fits(item, value)} THEN coalesce({_cast(item, value)}, {refusal}) ELSE {refusal} END"
    return f"CASE WHEN {value} IS NULL THEN NULL ELSE {cast} END"


def _member(item: Field, record: str, path: str, depth: int) -> str:
    name = quote(item.name)
    return f"{name} := {conversion(item, f'{record}.{name}', f'{path}.{item.name}', depth)}"


def misfit(item: Field, value: str, depth: int = 0) -> str:
    """SQL that is true where the conversion of a value would raise; it is never NULL."""
    if item.mode == "REPEATED":
        name = f"_m{depth}"
        inner = misfit(item.element, name, depth + 1)
        return f"coalesce(list_contains(list_transform({value}, lambda {name}: {inner}), TRUE), FALSE)"
    if item.type == "RECORD":
        return "(" + " OR ".join(misfit(each, f"{value}.{quote(each.name)}", depth) for each in item.fields) + ")"
    if item.type == "STRING":
        return "FALSE"
    return f"({value} IS NOT NULL AND NOT ({_fits(item, value)} AND {_cast(item, value)} IS NOT NULL))"


def _fits(item: Field, value: str) -> str:
    return f"regexp_full_match({value}, {literal(PATTERNS[item.type])})"


def _cast(item: Field, value: str) -> str:
    if item.type == "BYTES":
        return f"TRY(from_base64({value}))"
    return f"TRY_CAST({_readable(item.type, value)} AS {DUCKDB_SCALARS[item.type]})"


def _readable(kind: str, value: str) -> str:
    """The text in the spelling that DuckDB's cast reads."""
    if kind in ("INTEGER", "NUMERIC", "FLOAT"):
        return f"trim({value})"
    return value
