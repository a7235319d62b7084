"""The FROM clause: tables, views, WITH queries, subqueries, UNNEST, and how they are joined."""

from __future__ import annotations

from typing import Final

from sqlglot import exp

from local.warehouse.sql.errors import InvalidSql, UnsupportedSql
from local.warehouse.sql.expressions import Expressions, Node, only
from local.warehouse.sql.kinds import INT64, quote
from local.warehouse.sql.model import TableInfo, TableRef
from local.warehouse.sql.parse import parse_query
from local.warehouse.sql.partition import note_conditions
from local.warehouse.sql.query import compile_query
from local.warehouse.sql.scope import Context, Field, Relation, Scope, Usage
from local.warehouse.sql.typed import unify

_VIEW_DEPTH: Final = 16


def from_clause(node: exp.Select, scope: Scope) -> str:
    """The FROM clause in DuckDB's SQL; its relations are added to the scope."""
    clause = node.args.get("from_")
    if clause is None:
        return ""
    only(clause, "this")
    return "FROM " + joined(clause.this, node.args.get("joins") or [], scope)


def joined(first: Node, joins: list[Node], scope: Scope) -> str:
    """A first relation and those joined to it."""
    sql, relation = relation_of(first, scope)
    _add(scope, relation)
    parts = [sql]
    parts += [_join(join, scope) for join in joins]
    return " ".join(parts)


def _add(scope: Scope, relation: Relation) -> None:
    if relation.name and scope.relation(relation.name) is not None:
        raise InvalidSql(f"Duplicate table alias {relation.name} in the same FROM clause")
    scope.relations.append(relation)


def _join(node: exp.Join, scope: Scope) -> str:
    only(node, "this", "side", "kind", "on", "using")
    side, kind = (node.args.get("side") or "").upper(), (node.args.get("kind") or "").upper()
    if kind not in ("", "INNER", "OUTER", "CROSS"):
        raise UnsupportedSql(f"{kind} JOIN")
    sql, relation = relation_of(node.this, scope)
    word = f"{side} JOIN" if side else "JOIN"
    if node.args.get("using"):
        condition = _using(node, scope, relation, side)
        _add(scope, relation)
        return f"{word} {sql} ON {condition}"
    _add(scope, relation)
    on = node.args.get("on")
    if on is None:
        if side == "LEFT" and isinstance(node.this, exp.Unnest):
            return f"{word} {sql} ON TRUE"
        if side or kind == "INNER":
            raise InvalidSql(f"{word} must have an immediately following ON or USING clause")
        return f"CROSS JOIN {sql}"
    condition = Expressions(scope, compile_query).boolean(on, "JOIN ON clause")
    if side in ("", "LEFT"):
        note_conditions(on, scope, within=None if side == "" else relation)
    return f"{word} {sql} ON {condition}"


def _using(node: exp.Join, scope: Scope, right: Relation, side: str) -> str:
    """USING as ON; the merged column is the left one, the right one or the first of both that is not null."""
    conditions = []
    for name in (item.name for item in node.args["using"]):
        left_column, found = scope.column(name), right.find(name)
        if left_column is None or len(found) != 1:
            raise InvalidSql(f"Column {name} in USING clause not found on both sides of the join")
        (left, other), kind = unify([scope.use(left_column), scope.use(found[0])], "operator =")
        conditions.append(f"{left} = {other}")
        merged = {"RIGHT": other, "FULL": f"COALESCE({left}, {other})"}.get(side, left)
        origin = None if side in ("RIGHT", "FULL") else left_column.partition_of
        reads = left_column.reads | found[0].reads
        scope.merged[name.lower()] = Field(left_column.name, kind, merged, reads, origin)
    return " AND ".join(conditions)


def relation_of(node: Node, scope: Scope) -> tuple[str, Relation]:
    """One item of a FROM clause."""
    if isinstance(node, exp.Table):
        return _table(node, scope)
    if isinstance(node, exp.Subquery):
        only(node, "this", "alias")
        alias = _alias(node)
        outer = Scope(scope.context, scope.parent)
        query = compile_query(node.this, outer)
        return _derived(query.sql, query.fields, alias, scope.context)
    if isinstance(node, exp.Unnest):
        return _unnest(node, scope)
    raise UnsupportedSql(f"in FROM: {node.sql(dialect='bigquery')[:120]}")


def _alias(node: Node) -> str:
    alias = node.args.get("alias")
    if alias is None:
        return ""
    only(alias, "this")
    return str(alias.name)


def _derived(sql: str, fields: list[Field], alias: str, context: Context) -> tuple[str, Relation]:
    name = context.alias(alias or "q")
    columns = [_requalified(name, column) for column in fields]
    return f"({sql}) AS {name}", Relation(alias, columns)


def _requalified(name: str, column: Field) -> Field:
    return Field(column.name, column.type, f"{name}.{column.sql}", column.reads, column.partition_of)


def table_ref(node: exp.Table, context: Context) -> TableRef:
    """The full name of a table; the default project and dataset fill in."""
    parts = [part.name for part in node.parts]
    if len(parts) > 3:
        raise InvalidSql(f"Invalid table name: {'.'.join(parts)}")
    project = parts[0] if len(parts) == 3 else context.project
    if len(parts) == 1 and not context.dataset:
        raise InvalidSql(f'Table "{parts[0]}" must be qualified with a dataset (e.g. dataset.table).')
    dataset = parts[-2] if len(parts) > 1 else context.dataset
    if "*" in parts[-1]:
        raise UnsupportedSql(f"wildcard table {parts[-1]}")
    return TableRef(project, dataset, parts[-1])


def lookup(ref: TableRef, context: Context) -> TableInfo:
    """What the catalog has under that name."""
    info = context.schema.table(ref) if ref.project == context.project else None
    if info is None:
        raise InvalidSql(f"Not found: Table {ref.project}:{ref.dataset}.{ref.table} was not found")
    return info


def _table(node: exp.Table, scope: Scope) -> tuple[str, Relation]:
    only(node, "this", "db", "catalog", "alias")
    if not isinstance(node.this, exp.Identifier | exp.Dot):
        raise UnsupportedSql(f"table function {node.sql(dialect='bigquery')[:80]}")
    alias = _alias(node) or node.name
    if len(node.parts) == 1:
        cte = scope.cte(node.name)
        if cte is not None:
            name = scope.context.alias(alias)
            return f"{cte.sql_name} AS {name}", Relation(alias, [_requalified(name, c) for c in cte.fields])
    elif scope.relation(node.parts[0].name) is not None:
        raise UnsupportedSql(f"an array path in FROM; write UNNEST({node.sql(dialect='bigquery')[:80]})")
    ref = table_ref(node, scope.context)
    info = lookup(ref, scope.context)
    if info.view_sql is not None:
        return _view(ref, info.view_sql, alias, scope.context)
    return base_table(ref, info, alias, scope.context)


def base_table(ref: TableRef, info: TableInfo, alias: str, context: Context) -> tuple[str, Relation]:
    """A stored table under an alias of our own."""
    usage = Usage(ref, info)
    context.usages.append(usage)
    name = context.alias(alias)
    partition = (info.partition_column or "").lower()
    columns = [
        Field(
            column.name,
            column.type,
            f"{name}.{quote(column.name)}",
            frozenset({(ref, column.name)}),
            usage if column.name.lower() == partition else None,
        )
        for column in info.columns
    ]
    return f"{quote(ref.dataset)}.{quote(ref.table)} AS {name}", Relation(alias, columns)


def _view(ref: TableRef, sql: str, alias: str, context: Context) -> tuple[str, Relation]:
    """A view's query in its place, in which the names of the query around it mean nothing."""
    if len(context.views) >= _VIEW_DEPTH:
        raise InvalidSql(f"View nesting depth exceeds {_VIEW_DEPTH} at {ref}")
    context.views.append(ref)
    query = compile_query(parse_query(sql), Scope(context))
    context.views.pop()
    return _derived(query.sql, query.fields, alias, context)


def _unnest(node: exp.Unnest, scope: Scope) -> tuple[str, Relation]:
    only(node, "expressions", "alias", "offset")
    if len(node.expressions) != 1:
        raise UnsupportedSql("UNNEST of several arrays")
    array = Expressions(scope, compile_query).of(node.expressions[0])
    element = array.type.element
    if element is None:
        raise InvalidSql(f"Values referenced in UNNEST must be arrays. UNNEST contains expression of type {array.type}")
    alias = node.args.get("alias")
    names = [item.name for item in alias.args.get("columns") or ()] if alias is not None else []
    if len(names) > 1 or (alias is not None and alias.args.get("this")):
        raise UnsupportedSql("UNNEST with column aliases")
    name = scope.context.alias(names[0] if names else "u")
    value = Field(names[0] if names else "f0_", element, f'{name}."v"')
    fields = [value]
    if element.kind == "STRUCT":
        fields = [Field(key, kind, f"struct_extract({name}.\"v\", '{key}')") for key, kind in element.fields]
    columns = f'unnest({array.sql}) AS "v"'
    if node.args.get("offset"):
        offset = node.args["offset"]
        label = offset.name if isinstance(offset, exp.Identifier) else "offset"
        fields = [*fields, Field(label, INT64, f'{name}."o"')]
        columns += f', unnest(range(CAST(0 AS BIGINT), len({array.sql}))) AS "o"'
    relation = Relation(names[0] if names else "", fields, value)
    return f"LATERAL (SELECT {columns}) AS {name}", relation
