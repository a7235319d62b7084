"""Named SQL files: one statement each, `:name` parameters, three comment lines at the top.

A query is read once and turned into what the server takes ($1, $2 …). COPY takes no parameters, so there the values
are written as literals, by the driver's own quoting and only for types whose form is certain.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from pathlib import Path
from typing import Any

from pg8000.native import literal  # type: ignore[import-untyped]

from shared.adapters.postgres import Session
from shared.errors import ConfigError

FOLDER = Path(__file__).resolve().parents[2] / "sql" / "postgres" / "queries"
# What a colon may stand in: a comment, a quoted text or name, a cast; or else it begins a parameter.
_TOKEN = re.compile(r"--[^\n]*|'(?:[^']|'')*'|\"[^\"]*\"|::|:([a-z_][a-z0-9_]*)")
Value = str | int | bool | date | datetime | list[str] | list[date] | None


@dataclass(frozen=True)
class Query:
    """One statement and the names of its parameters in the order of their numbers."""

    name: str
    sql: str
    names: tuple[str, ...]
    source: str

    def values(self, params: dict[str, Value]) -> tuple[Any, ...]:
        """The values in the order of their numbers. Raises ConfigError where a name is missing or unknown."""
        self._check(params)
        return tuple(params[name] for name in self.names)

    def literal(self, params: dict[str, Value]) -> str:
        """The statement with its values written into it, for COPY (…)."""
        self._check(params)
        return _TOKEN.sub(lambda found: literal(params[found[1]]) if found[1] else found[0], self.source)

    def _check(self, params: dict[str, Value]) -> None:
        if set(params) != set(self.names):
            raise ConfigError(f"query {self.name} takes {sorted(self.names)}, but was given {sorted(params)}")


@cache
def query(name: str, folder: Path = FOLDER) -> Query:
    """Read sql/postgres/queries/<name>.sql."""
    try:
        text = (folder / f"{name}.sql").read_text(encoding="utf-8")
    except FileNotFoundError as exc:
        raise ConfigError(f"there is no query {name}.sql in {folder}") from exc
    source = "\n".join(line for line in text.splitlines() if not line.startswith("--")).strip().rstrip(";")
    names: list[str] = []

    def number(found: re.Match[str]) -> str:
        if not found[1]:
            return found[0]
        if found[1] not in names:
            names.append(found[1])
        return f"${names.index(found[1]) + 1}"

    return Query(name, _TOKEN.sub(number, source), tuple(names), source)


def rows_of(session: Session, name: str, **params: Value) -> list[tuple[Any, ...]]:
    """Run sql/postgres/queries/<name>.sql and return its rows."""
    statement = query(name)
    return session.rows(statement.sql, *statement.values(params))
