"""The columns of a SELECT list: what numbers and names mean among them, and whether a later filter reaches through."""

from __future__ import annotations

from dataclasses import dataclass, replace

from sqlglot import exp

from local.warehouse.sql.errors import InvalidSql
from local.warehouse.sql.expressions import Expressions, Node
from local.warehouse.sql.scope import Field
from local.warehouse.sql.typed import Typed


@dataclass
class Item:
    """One column of a SELECT list."""

    name: str | None
    value: Typed
    field: Field
    node: Node


def cut(column: Field) -> Field:
    """A column that no longer says anything of partitions."""
    return replace(column, partition_of=None)


def passes(node: exp.Select, item: Item, items: list[Item], e: Expressions) -> bool:
    """Whether a filter on a partition column after the SELECT is the same as before it: it cuts no group or window."""
    if item.field.partition_of is None or node.args.get("limit") or node.args.get("offset"):
        return False
    keys = node.args["group"].expressions if node.args.get("group") else None
    if keys is not None and item not in _meant(keys, items, e):
        return False
    windows = [w for each in (*node.expressions, node.args.get("qualify")) if each for w in each.find_all(exp.Window)]
    return all(item in _meant(window.args.get("partition_by") or [], items, e) for window in windows)


def _meant(keys: list[Node], items: list[Item], e: Expressions) -> list[Item]:
    """The items that keys of a GROUP BY or PARTITION BY stand for."""
    columns = [key for key in keys if isinstance(key, exp.Column)]
    places = [ordinal(key, items) for key in keys if isinstance(key, exp.Literal)]
    sqls = {e.of(column).sql for column in columns}
    return [item for at, item in enumerate(items, 1) if item.value.sql in sqls or at in places]


def ordinal(node: Node, items: list[Item]) -> int | None:
    """The place in the SELECT list that a number or an alias in GROUP BY or ORDER BY means."""
    if isinstance(node, exp.Literal) and not node.is_string:
        position = int(str(node.this)) if str(node.this).isdigit() else 0
        if not 1 <= position <= len(items):
            raise InvalidSql(f"GROUP BY or ORDER BY is out of SELECT item range: {node.this}")
        return position
    if isinstance(node, exp.Column) and len(node.parts) == 1:
        found = [at for at, item in enumerate(items, 1) if item.name and item.name.lower() == node.name.lower()]
        if len(found) > 1:
            raise InvalidSql(f"Name {node.name} in GROUP BY or ORDER BY is ambiguous")
        return found[0] if found else None
    return None
