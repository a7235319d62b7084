"""One request as the handlers see it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from local.warehouse.catalog import TableRef
from local.warehouse.errors import invalid
from local.warehouse.service import Warehouse


@dataclass(frozen=True)
class Call:
    """Path names, query parameters and JSON body, and the warehouse they are for."""

    warehouse: Warehouse
    names: dict[str, str]
    query: dict[str, str]
    body: dict[str, Any]
    if_match: str | None = None

    @property
    def project(self) -> str:
        """The project in the path."""
        return self.names["project"]

    @property
    def table(self) -> TableRef:
        """The table in the path."""
        return TableRef(self.project, self.names["dataset"], self.names["table"])

    def number(self, name: str, default: int) -> int:
        """A whole number of the query string."""
        text = self.query.get(name)
        try:
            return default if text in (None, "") else int(text or 0)
        except ValueError as error:
            raise invalid(f"Invalid value for {name}: it is not a number", name) from error

    def flag(self, name: str) -> bool:
        """A truth value of the query string."""
        return self.query.get(name, "").lower() == "true"

    def page(self, items: list[Any]) -> tuple[list[Any], dict[str, str]]:
        """The part of a listing that was asked for, and the token of the next part."""
        start, limit = self.number("pageToken", 0), self.number("maxResults", 1000)
        token = {"nextPageToken": str(start + limit)} if start + limit < len(items) else {}
        return items[start : start + limit], token
