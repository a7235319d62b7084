"""Queries: SELECT with all its clauses, set operations, WITH, and subqueries wherever they stand."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Set
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from sqlglot import exp

from local.warehouse.sql import operators as _operators  # noqa: F401 - registers the operators
from local.warehouse.sql import subqueries as _subqueries  # noqa: F401 - registers arrays, subqueries and IN
from local.warehouse.sql.errors import InvalidSql, UnsupportedSql
from local.warehouse.sql.expressions import Expressions, Node, only
from local.warehouse.sql.items import Item, cut, ordinal, passes
from local.warehouse.sql.kinds import INT64, quote
from local.warehouse.sql.model import TableRef
from local.warehouse.sql.ordering import direction, limit
from local.warehouse.sql.partition import note_conditions
from local.warehouse.sql.scope import Context, Cte, Field, Scope
from local.warehouse.sql.star import expand_star
from local.warehouse.sql.typed import Typed

SELECT_PARTS = (
    "with_", "distinct", "expressions", "from_", "joins", "where", "group", "having", "qualify", "order", "limit",
    "offset",
)  # fmt: skip


@dataclass
class Query:
    """A translated query and its columns, whose `sql` is their quoted name in it."""

    sql: str
    fields: list[Field]
    context: Context
    literals: list[Typed] = field(default_factory=list)

    def use_all(self) -> None:
        """Count everything that the columns are made of as read."""
        for column in self.fields:
            self.context.reads |= column.reads


def compile_query(node: Node, parent: Scope) -> Query:
    """Any query expression."""
    if isinstance(node, exp.Subquery):
        only(node, "this", "with_")
        return compile_query(node.this, parent)
    if isinstance(node, exp.SetOperation):
        from local.warehouse.sql.setops import set_operation

        return _with_ctes(node, parent, set_operation)
    if isinstance(node, exp.Select):
        only(node, *SELECT_PARTS)
        return _with_ctes(node, parent, _select)
    raise UnsupportedSql(f"as a query: {node.sql(dialect='bigquery')[:120]}")


def _with_ctes(node: Node, parent: Scope, inner: Callable[[Any, Scope], Query]) -> Query:
    scope = Scope(parent.context, parent)
    clause = node.args.get("with_")
    if clause is None:
        return inner(node, scope)
    only(clause, "expressions")
    parts = []
    for cte in clause.expressions:
        only(cte, "this", "alias")
        only(cte.args["alias"], "this")
        query = compile_query(cte.this, scope)
        name = parent.context.alias(cte.alias)
        fields = query.fields if _mentions(node, cte.alias) == 1 else [cut(column) for column in query.fields]
        scope.ctes[cte.alias.lower()] = Cte(name, fields)
        parts.append(f"{name} AS ({query.sql})")
    query = inner(node, Scope(parent.context, scope))
    return replace(query, sql=f"WITH {', '.join(parts)} {query.sql}")


def _mentions(node: Node, name: str) -> int:
    """How often a WITH query is used: a filter on one of several says nothing of the table that all read."""
    return sum(table.name.lower() == name.lower() and not table.db for table in node.find_all(exp.Table))


@contextmanager
def collected(context: Context) -> Iterator[set[Any]]:
    """What is read inside, kept apart from what the statement has read so far."""
    outer, context.reads = context.reads, set()
    try:
        yield context.reads
    finally:
        context.reads = outer


def _select(node: exp.Select, scope: Scope) -> Query:
    from local.warehouse.sql.relations import from_clause

    e = Expressions(scope, compile_query)
    source = from_clause(node, scope)
    where = node.args.get("where")
    condition = e.boolean(where.this, "WHERE clause") if where else None
    if where:
        note_conditions(where.this, scope)
    items = _items(node, e)
    if not items:
        raise InvalidSql("SELECT list must not be empty")
    if node.args.get("distinct"):
        only(node.args["distinct"])
        use(items, scope.context)
    group = _group(node, e, items)
    later = Expressions(replace(scope, aliases={i.name.lower(): i.value for i in items if i.name}), compile_query)
    having = [
        f"{word} {later.boolean(node.args[key].this, f'{word} clause')}"
        for key, word in (("having", "HAVING"), ("qualify", "QUALIFY"))
        if node.args.get(key)
    ]
    if node.args.get("qualify") and not _has_window(node):
        raise InvalidSql("The QUALIFY clause requires analytic function to be present")
    columns = ", ".join(f"{item.value.sql} AS {item.field.sql}" for item in items)
    distinct = "DISTINCT " if node.args.get("distinct") else ""
    parts = [f"SELECT {distinct}{columns}", source, f"WHERE {condition}" if condition else "", group, *having]
    parts += [order_by(node, later, items), limit(node, e)]
    fields = [item.field if passes(node, item, items, later) else cut(item.field) for item in items]
    return Query(" ".join(part for part in parts if part), fields, scope.context, [item.value for item in items])


def _items(node: exp.Select, e: Expressions) -> list[Item]:
    items: list[Item] = []
    anonymous = 0
    for each in node.expressions:
        if isinstance(each, exp.Star) or (isinstance(each, exp.Column) and isinstance(each.this, exp.Star)):
            for column, value, reads in expand_star(each, e):
                items.append(_item(column.name, value, reads, each, column))
            continue
        inner, name = each, None
        if isinstance(each, exp.Alias):
            only(each, "this", "alias")
            inner, name = each.this, each.alias
        elif isinstance(each, exp.Column | exp.Dot):
            name = each.name if isinstance(each, exp.Column) else each.expression.name
        with collected(e.scope.context) as reads:
            value = e.of(inner)
        if name is None:
            item_name = f"f{anonymous}_"
            anonymous += 1
        else:
            item_name = name
        origin = _origin(inner, e.scope)
        items.append(_item(item_name, value, reads, inner, origin, named=name is not None))
    return items


def _item(
    name: str, value: Typed, reads: Set[tuple[TableRef, str]], node: Node, origin: Field | None, *, named: bool = True
) -> Item:
    if value.type.kind == "NULL":
        value = Typed(f"CAST({value.sql} AS BIGINT)", INT64, value.literal)
    usage = origin.partition_of if origin is not None else None
    column = Field(name, value.type, quote(name), frozenset(reads), usage)
    return Item(name if named else None, value, column, node)


def _origin(node: Node, scope: Scope) -> Field | None:
    """The column that an item passes on unchanged, if it is one of this FROM clause."""
    if not isinstance(node, exp.Column) or len(node.parts) > 2:
        return None
    if len(node.parts) == 1:
        return scope.column(node.name)
    relation = scope.relation(node.table)
    found = relation.find(node.name) if relation else []
    return found[0] if len(found) == 1 else None


def use(items: list[Item], context: Context) -> None:
    """Count what the columns are made of as read."""
    for item in items:
        context.reads |= item.field.reads


def _has_window(node: exp.Select) -> bool:
    places = [node.args["qualify"], *node.expressions]
    return any(place.find(exp.Window) is not None for place in places)


def _group(node: exp.Select, e: Expressions, items: list[Item]) -> str:
    group = node.args.get("group")
    if group is None:
        return ""
    only(group, "expressions")
    keys = []
    for each in group.expressions:
        position = ordinal(each, items)
        if position is not None and isinstance(each, exp.Column):
            column, item = e.scope.column(each.name), items[position - 1]
            if column is not None and column.sql != item.value.sql:
                raise UnsupportedSql(f"GROUP BY {each.name}, which is both a column and another column's alias")
        if position is not None:
            keys.append(str(position))
            e.scope.context.reads |= items[position - 1].field.reads
            continue
        if isinstance(each, exp.Null | exp.Boolean | exp.Literal):
            raise InvalidSql("Cannot GROUP BY literal values")
        keys.append(e.of(each).sql)
    return "GROUP BY " + ", ".join(keys)


def order_by(node: Node, e: Expressions, items: list[Item]) -> str:
    """ORDER BY, where a number or an output name means the column of that place."""
    order = node.args.get("order")
    if order is None:
        return ""
    only(order, "expressions")
    terms = []
    for each in order.expressions:
        position = ordinal(each.this, items)
        if position is not None:
            e.scope.context.reads |= items[position - 1].field.reads
        terms.append(direction(each, str(position) if position is not None else e.of(each.this).sql))
    return "ORDER BY " + ", ".join(terms)
