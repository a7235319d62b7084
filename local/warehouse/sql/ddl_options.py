"""OPTIONS(…) of tables, views and datasets: literals under known names."""

from __future__ import annotations

from dataclasses import replace

from sqlglot import exp

from local.warehouse.sql.errors import InvalidSql, UnsupportedSql
from local.warehouse.sql.expressions import Node
from local.warehouse.sql.model import TableOptions


def options_of(properties: list[Node]) -> TableOptions:
    """The options given, each at most once."""
    options, seen = TableOptions(), set()
    for item in properties:
        name, value = _named(item)
        if name in seen:
            raise InvalidSql(f"Duplicate option specified: {name}")
        seen.add(name)
        options = _with(options, name, value)
    return options


def _named(item: Node) -> tuple[str, object]:
    if isinstance(item, exp.LocationProperty):
        return "location", str(item.this.this)
    if type(item) is not exp.Property:
        raise UnsupportedSql(f"{type(item).__name__}: {item.sql(dialect='bigquery')[:80]}")
    return item.name.lower(), property_value(item.args["value"])


def property_value(node: Node) -> object:
    """An option's value: a literal, or for labels a list of pairs."""
    if isinstance(node, exp.Literal):
        return str(node.this) if node.is_string else float(str(node.this))
    if isinstance(node, exp.Boolean):
        return bool(node.this)
    if isinstance(node, exp.Null):
        return None
    if isinstance(node, exp.Array):
        return {str(pair.expressions[0].this): str(pair.expressions[1].this) for pair in node.expressions}
    if isinstance(node, exp.Cast) and isinstance(node.this, exp.Literal):
        return str(node.this.this)
    raise UnsupportedSql(f"option value {node.sql(dialect='bigquery')[:80]}")


def _with(options: TableOptions, name: str, value: object) -> TableOptions:
    checks: dict[str, type] = {
        "description": str,
        "friendly_name": str,
        "location": str,
        "expiration_timestamp": str,
        "labels": dict,
        "require_partition_filter": bool,
        "partition_expiration_days": float,
    }
    if name not in checks:
        raise UnsupportedSql(f"option {name}")
    if value is not None and not isinstance(value, checks[name]):
        raise InvalidSql(f"Invalid value for option {name}")
    return replace(options, **{name: value})  # type: ignore[arg-type]
