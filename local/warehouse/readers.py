"""The SQL that reads load files: each format with explicit columns and nothing guessed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import duckdb

from local.warehouse.convert import conversion, misfit, text_type
from local.warehouse.engine import Cursor
from local.warehouse.errors import ApiError, invalid, unsupported
from local.warehouse.faults import first_line
from local.warehouse.fetch import Source
from local.warehouse.parquet import parquet_plan_parts
from local.warehouse.records import BadRecords, check_records
from local.warehouse.types import Field, literal, quote

ENCODINGS = {"UTF-8": "utf-8", "UTF8": "utf-8", "ISO-8859-1": "latin-1"}
MAX_LINE = 100 * 1024 * 1024


@dataclass(frozen=True)
class Plan:
    """How to read some files: a row source for each, and the columns to make of it."""

    schema: tuple[Field, ...]
    columns: tuple[str, ...]
    sources: tuple[tuple[str, str], ...]
    misfits: tuple[str, ...] = ()

    @property
    def query(self) -> str:
        """All rows, converted; a value that can not be raises."""
        named = ", ".join(f"{sql} AS {quote(item.name)}" for item, sql in zip(self.schema, self.columns, strict=True))
        each = [f"SELECT {named} FROM {source}" for _name, source in self.sources]  # noqa: S608
        return " UNION ALL ".join(each)

    @property
    def misfit(self) -> str:
        """Whether a row holds anything that can not be converted."""
        return " OR ".join(self.misfits) or "FALSE"

    @property
    def record(self) -> str:
        """One row as a struct, NULL when anything in it can not be converted."""
        pairs = zip(self.schema, self.columns, strict=True)
        packed = ", ".join(f"{quote(item.name)} := {column}" for item, column in pairs)
        return f"CASE WHEN {self.misfit} THEN NULL ELSE struct_pack({packed}) END"


def prepare(
    cursor: Cursor, config: dict[str, Any], sources: list[Source], schema: tuple[Field, ...], bad: BadRecords
) -> Plan:
    """Decide how the files are read; refuses what their format can not mean."""
    kind = str(config.get("sourceFormat") or "CSV").upper()
    if kind == "PARQUET":
        schema, columns, found = parquet_plan_parts(cursor, sources, schema)
        return Plan(schema, columns, found)
    if not schema:
        raise unsupported("Schema auto-detection", "give the load job a schema, or create the table first")
    if kind == "CSV":
        return _csv(config, sources, schema, bad)
    if kind == "NEWLINE_DELIMITED_JSON":
        return _json(config, sources, schema, bad)
    raise unsupported(f"sourceFormat {kind}", "use CSV, NEWLINE_DELIMITED_JSON or PARQUET")


def _json(config: dict[str, Any], sources: list[Source], schema: tuple[Field, ...], bad: BadRecords) -> Plan:
    ignore = bool(config.get("ignoreUnknownValues"))
    columns = ", ".join(f"{literal(item.name)}: {literal(text_type(item))}" for item in schema)
    found = []
    for source in sources:
        path = check_records(source, schema, ignore_unknown=ignore, bad=bad)
        options = f"format = 'newline_delimited', columns = {{{columns}}}, maximum_object_size = {MAX_LINE}"
        compression = "gzip" if source.gzipped and path == source.path else "none"
        found.append((source.name, f"read_json({literal(str(path))}, {options}, compression = '{compression}')"))
    converted = tuple(conversion(item, quote(item.name), item.name) for item in schema)
    misfits = tuple(misfit(item, quote(item.name)) for item in schema)
    return Plan(schema, converted, tuple(found), misfits)


def _csv(config: dict[str, Any], sources: Sequence[Source], schema: tuple[Field, ...], bad: BadRecords) -> Plan:
    if config.get("ignoreUnknownValues"):
        raise unsupported("ignoreUnknownValues for CSV", "give every column of the file in the schema")
    encoding = ENCODINGS.get(str(config.get("encoding") or "UTF-8").upper())
    if encoding is None:
        raise unsupported(f"encoding {config['encoding']}", "use UTF-8 or ISO-8859-1")
    for item in schema:
        if item.mode == "REPEATED" or item.type == "RECORD":
            raise invalid(f"CSV can not hold nested or repeated field {item.name}")
    options = {
        "delim": literal({"\\t": "\t", "tab": "\t"}.get(delimiter := config.get("fieldDelimiter") or ",", delimiter)),
        "quote": literal(config.get("quote", '"')),
        "escape": literal(config.get("quote", '"')),
        "nullstr": literal(config.get("nullMarker") or ""),
        "skip": str(int(config.get("skipLeadingRows") or 0)),
        "null_padding": str(bool(config.get("allowJaggedRows"))).lower(),
        "ignore_errors": str(bad.allowed > 0).lower(),
        "store_rejects": str(bad.allowed > 0).lower(),
        "encoding": literal(encoding),
        "columns": "{" + ", ".join(f"{literal(item.name)}: 'VARCHAR'" for item in schema) + "}",
        "auto_detect": "false",
        "header": "false",
        "strict_mode": "true",
        "allow_quoted_nulls": "false",
        "max_line_size": str(MAX_LINE // 10),
    }
    text = ", ".join(f"{key} = {value}" for key, value in options.items())
    found = []
    for source in sources:
        compression = "gzip" if source.gzipped else "none"
        found.append((source.name, f"read_csv({literal(str(source.path))}, {text}, compression = '{compression}')"))
    newlines = bool(config.get("allowQuotedNewlines"))
    misfits = tuple(_csv_misfit(item, newlines=newlines) for item in schema)
    return Plan(schema, tuple(_csv_column(item, newlines=newlines) for item in schema), tuple(found), misfits)


def _csv_column(item: Field, *, newlines: bool) -> str:
    value = quote(item.name)
    converted = conversion(item, value, item.name)
    if item.type == "STRING" and not newlines:
        message = f"Field {item.name} holds a quoted newline; set allowQuotedNewlines"
        converted = f"CASE WHEN contains({value}, chr(10)) THEN error({literal(message)}) ELSE {converted} END"
    return converted


def _csv_misfit(item: Field, *, newlines: bool) -> str:
    if item.type == "STRING" and not newlines:
        return f"coalesce(contains({quote(item.name)}, chr(10)), FALSE)"
    return misfit(item, quote(item.name))


def tolerant(cursor: Cursor, plan: Plan, bad: BadRecords) -> str:
    """Read everything into a temporary table, leave bad rows out and count them; gives the query for the rest."""
    each = [f"SELECT {literal(name)} AS name, {plan.record} AS row FROM {source}" for name, source in plan.sources]  # noqa: S608
    cursor.execute(f"CREATE OR REPLACE TEMP TABLE _load AS {' UNION ALL '.join(each)}")
    rejected = _rejected(cursor)
    for message in rejected:
        bad.add(message)
    row = cursor.execute("SELECT count(*) FROM _load WHERE row IS NULL").fetchone()
    for _ in range(int(row[0]) if row else 0):
        bad.add("A row holds a value that does not fit its field.")
    names = ", ".join(f"row.{quote(item.name)}" for item in plan.schema)
    return f"SELECT {names} FROM _load WHERE row IS NOT NULL"  # noqa: S608


def _rejected(cursor: Cursor) -> list[str]:
    """What DuckDB's CSV reader left out in this transaction."""
    if cursor.execute("SELECT 1 FROM duckdb_tables() WHERE table_name = 'reject_errors'").fetchone() is None:
        return []
    found = cursor.execute(
        "SELECT line, min(error_message) FROM reject_errors GROUP BY file_id, line ORDER BY line"
    ).fetchall()
    return [f"Line {line}: {first_line(ValueError(message))}" for line, message in found]


def explained(plan: Plan, error: Exception) -> ApiError:
    """The refusal of a load, naming the file and row where the first bad value stands."""
    where = ""
    with duckdb.connect(config={"memory_limit": "256MB", "threads": 1}) as scratch:
        for name, source in plan.sources:
            rows = f"SELECT row_number() OVER () AS n, {plan.misfit} AS bad FROM {source}"  # noqa: S608
            query = f"SELECT min(n) FROM ({rows}) WHERE bad"  # noqa: S608
            try:
                found = scratch.execute(query).fetchone()
            except duckdb.Error:
                where = f" File: {name}"
                break
            if found is not None and found[0] is not None:
                where = f" File: {name}, row {found[0]}"
                break
    return invalid(f"Error while reading data, error message: {first_line(error)}{where}")
