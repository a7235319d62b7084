"""Which rows, chunks or messages an operator means; the same filters for every command and for the HTTP function."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

from shared.adapters.queries import Value


@dataclass(frozen=True)
class Chosen:
    """Filters; what is None filters nothing. `file` is a part of the object's name, `day` one of the ledger."""

    source: str | None = None
    reason: str | None = None
    file: str | None = None
    day: date | None = None
    chunk_id: str | None = None
    line: int | None = None

    def params(self, *names: str) -> dict[str, Value]:
        """The filters as parameters of a query; all of them, or those that are named."""
        known: dict[str, Value] = asdict(self)
        return {name: known[name] for name in names} if names else known

    def as_fields(self) -> dict[str, Any]:
        """What was given, for the record."""
        return {name: value for name, value in asdict(self).items() if value is not None}
