"""Names: what a column name, an alias or a variable means at a place in a query.

Every relation gets an alias of our own in the DuckDB SQL, and every column is written out with it. So no name rule of
DuckDB (aliases visible in WHERE, functions of the same name, lateral aliases) ever decides what a name means.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from local.warehouse.sql.errors import InvalidSql, UnsupportedSql
from local.warehouse.sql.kinds import SqlType, quote, text
from local.warehouse.sql.model import (
    PartitionCondition,
    PlaceholderSource,
    SchemaLookup,
    TableInfo,
    TableRef,
)
from local.warehouse.sql.typed import Typed

Reads = frozenset[tuple[TableRef, str]]


@dataclass
class Usage:
    """One mention of a table, with what is known of its partition column there."""

    ref: TableRef
    info: TableInfo
    conditions: list[PartitionCondition] = field(default_factory=list)


@dataclass(frozen=True)
class Field:
    """A column that a relation or query offers. `partition_of` marks a partition column passed on unchanged."""

    name: str
    type: SqlType
    sql: str
    reads: Reads = frozenset()
    partition_of: Usage | None = None


@dataclass
class Relation:
    """One item of a FROM clause. `value` is what the alias alone means (an element of UNNEST)."""

    name: str
    fields: list[Field]
    value: Field | None = None

    def find(self, name: str) -> list[Field]:
        """The columns of that name, whatever its case."""
        return [column for column in self.fields if column.name.lower() == name.lower()]


@dataclass
class Cte:
    """A WITH query: its name in the DuckDB SQL and its columns."""

    sql_name: str
    fields: list[Field]


@dataclass
class Context:
    """What a whole statement shares: the catalog, the parameters, and what was found so far."""

    schema: SchemaLookup
    project: str
    dataset: str
    parameters: Mapping[str, SqlType]
    variables: Mapping[str, SqlType]
    usages: list[Usage] = field(default_factory=list)
    reads: set[tuple[TableRef, str]] = field(default_factory=set)
    placeholders: dict[str, PlaceholderSource] = field(default_factory=dict)
    views: list[TableRef] = field(default_factory=list)
    counter: int = 0

    def alias(self, name: str) -> str:
        """A quoted name that nothing else in the statement has."""
        self.counter += 1
        return quote(f"{name}_{self.counter}")

    def placeholder(self, name: str, source: PlaceholderSource) -> Typed:
        """A parameter or variable as a typed placeholder."""
        known = self.parameters if source == "parameter" else self.variables
        match = next((key for key in known if key.lower() == name.lower()), None)
        if match is None:
            raise InvalidSql(f"Query parameter '{name}' not found")
        if self.placeholders.setdefault(match, source) != source:
            raise UnsupportedSql(f"a parameter and a variable both named {match}")
        kind = known[match]
        return Typed(f"CAST(${match} AS {kind.duckdb})", kind, "parameter" if source == "parameter" else None)


@dataclass
class Scope:
    """The names visible at one place: relations, then those of the enclosing query, then script variables."""

    context: Context
    parent: Scope | None = None
    relations: list[Relation] = field(default_factory=list)
    merged: dict[str, Field] = field(default_factory=dict)
    ctes: dict[str, Cte] = field(default_factory=dict)
    aliases: dict[str, Typed] = field(default_factory=dict)

    def cte(self, name: str) -> Cte | None:
        """The nearest WITH query of that name."""
        found = self.ctes.get(name.lower())
        return found or (self.parent.cte(name) if self.parent else None)

    def column(self, name: str) -> Field | None:
        """A column by its bare name in this scope alone."""
        if name.lower() in self.merged:
            return self.merged[name.lower()]
        found = [column for relation in self.relations for column in relation.find(name)]
        if len(found) > 1:
            raise InvalidSql(f"Column name {name} is ambiguous")
        return found[0] if found else None

    def relation(self, name: str) -> Relation | None:
        """A FROM item of this scope by its alias."""
        return next((item for item in self.relations if item.name.lower() == name.lower()), None)

    def resolve(self, path: list[str]) -> Typed:
        """What a dotted name means."""
        scope: Scope | None = self
        while scope is not None:
            found = scope._here(path)
            if found is not None:
                return found
            scope = scope.parent
        if path[0].lower() in {name.lower() for name in self.context.variables}:
            return members(self.context.placeholder(path[0], "variable"), path[1:])
        raise InvalidSql(f"Unrecognized name: {'.'.join(path)}")

    def _here(self, path: list[str]) -> Typed | None:
        head, rest = path[0], path[1:]
        alias, column, relation = self.aliases.get(head.lower()), self.column(head), self.relation(head)
        if alias is not None:
            if column is not None and column.sql != alias.sql:
                raise UnsupportedSql(f"the name {head}, which is both a column and another column's alias")
            return members(alias, rest)
        if column is not None:
            if relation is not None and rest and relation.find(rest[0]):
                raise UnsupportedSql(f"the name {head}, which is both a column and a table alias")
            return members(self.use(column), rest)
        if relation is None:
            return None
        return self._of_relation(relation, path)

    def _of_relation(self, relation: Relation, path: list[str]) -> Typed:
        if len(path) == 1:
            if relation.value is None:
                raise UnsupportedSql(f"the table alias {path[0]} as a value")
            return self.use(relation.value)
        found = relation.find(path[1])
        if not found:
            raise InvalidSql(f"Name {path[1]} not found inside {path[0]}")
        if len(found) > 1:
            raise InvalidSql(f"Column name {path[1]} is ambiguous")
        return members(self.use(found[0]), path[2:])

    def use(self, column: Field) -> Typed:
        """A column in an expression: it counts as read."""
        self.context.reads |= column.reads
        return Typed(column.sql, column.type)


def members(value: Typed, path: list[str]) -> Typed:
    """A field of a STRUCT, of a field, and so on."""
    for name in path:
        if value.type.kind != "STRUCT":
            raise InvalidSql(f"Cannot access field {name} on a value with type {value.type}")
        found = [(key, kind) for key, kind in value.type.fields if key.lower() == name.lower()]
        if len(found) != 1:
            raise InvalidSql(f"Field name {name} does not exist in {value.type}")
        value = Typed(f"struct_extract({value.sql}, {text(found[0][0])})", found[0][1])
    return value
