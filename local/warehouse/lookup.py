"""The catalog as the translation sees it, in one transaction."""

from __future__ import annotations

from functools import lru_cache

from local.warehouse import catalog, infoschema
from local.warehouse.catalog import Table
from local.warehouse.engine import Cursor
from local.warehouse.errors import not_found
from local.warehouse.sql import Column, TableInfo
from local.warehouse.sql import TableRef as SqlRef
from local.warehouse.types import Field, sql_type


def catalog_ref(ref: SqlRef) -> catalog.TableRef:
    """The catalog's name of a table that the translation names."""
    return catalog.TableRef(ref.project, ref.dataset, ref.table)


def columns(schema: tuple[Field, ...]) -> tuple[Column, ...]:
    """A schema as the translation knows it."""
    return tuple(Column(item.name, sql_type(item), item.mode == "REQUIRED", item.description) for item in schema)


@lru_cache(maxsize=1_000)
def _info(table: Table) -> TableInfo:
    view = table.body.get("view")
    return TableInfo(columns(table.schema), table.partition_column, str(view["query"]) if view else None)


class Lookup:
    """Answers the translation's questions about tables and remembers what it was asked."""

    def __init__(self, cursor: Cursor, project: str) -> None:
        self._cursor = cursor
        self._project = project
        self._seen: dict[SqlRef, Table] = {}

    def table(self, ref: SqlRef) -> TableInfo | None:
        """The table or view, or None when there is none of that name."""
        system = infoschema.describe(ref, self._project)
        if system is not None:
            return system
        table = self._seen.get(ref) or catalog.find_table(self._cursor, catalog_ref(ref))
        if table is None:
            return None
        self._seen[ref] = table
        return _info(table)

    def described(self) -> dict[SqlRef, TableInfo | None]:
        """The tables and views that were asked for, as they were answered."""
        return {ref: self.table(ref) for ref in tuple(self._seen)}

    def stored(self, ref: SqlRef) -> Table | None:
        """The catalog's own record of a table that the statement uses; None for INFORMATION_SCHEMA."""
        if infoschema.describe(ref, self._project) is not None:
            return None
        table = self._seen.get(ref) or catalog.find_table(self._cursor, catalog_ref(ref))
        if table is None:
            raise not_found("Table", catalog_ref(ref).label)
        return table
