"""SELECT *, alias.*, with EXCEPT and REPLACE."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from sqlglot import exp

from local.warehouse.sql.errors import InvalidSql
from local.warehouse.sql.expressions import Expressions, Node, only
from local.warehouse.sql.scope import Field
from local.warehouse.sql.typed import Typed


def expand_star(node: Node, e: Expressions) -> Iterator[tuple[Field, Typed, Any]]:
    """The columns that a star stands for, each with its value and what it reads."""
    star = node.this if isinstance(node, exp.Column) else node
    only(star, "except_", "replace")
    columns = _columns(node, e)
    left_out = {item.name.lower() for item in star.args.get("except_") or ()}
    replaced = {item.alias.lower(): item.this for item in star.args.get("replace") or ()}
    known = {column.name.lower() for column in columns}
    for name in left_out | set(replaced):
        if name not in known:
            raise InvalidSql(f"Column {name} in SELECT * EXCEPT or REPLACE does not exist")
    for column in columns:
        name = column.name.lower()
        if name in left_out:
            continue
        outer, e.scope.context.reads = e.scope.context.reads, set()
        value = e.of(replaced[name]) if name in replaced else e.scope.use(column)
        reads, e.scope.context.reads = e.scope.context.reads, outer
        yield (replace(column, partition_of=None) if name in replaced else column), value, reads


def _columns(node: Node, e: Expressions) -> list[Field]:
    if isinstance(node, exp.Column):
        relation = e.scope.relation(node.table)
        if relation is None or len(node.parts) != 2:
            raise InvalidSql(f"Unrecognized name: {node.table}")
        return relation.fields
    if not e.scope.relations:
        raise InvalidSql("SELECT * must have a FROM clause")
    merged = list(e.scope.merged.values())
    names = set(e.scope.merged)
    others = [c for relation in e.scope.relations for c in relation.fields if c.name.lower() not in names]
    return merged + others
