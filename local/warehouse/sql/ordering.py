"""The terms of ORDER BY, and LIMIT."""

from __future__ import annotations

from sqlglot import exp

from local.warehouse.sql.errors import InvalidSql
from local.warehouse.sql.expressions import Expressions, Node, only
from local.warehouse.sql.kinds import INT64
from local.warehouse.sql.typed import require


def direction(node: exp.Ordered, sql: str) -> str:
    """One ORDER BY term with the place of NULLs written out: first ascending, last descending, unless said."""
    only(node, "this", "desc", "nulls_first")
    word = "DESC" if node.args.get("desc") else "ASC"
    return f"{sql} {word} NULLS {'FIRST' if node.args.get('nulls_first') else 'LAST'}"


def limit(node: Node, e: Expressions) -> str:
    """LIMIT and OFFSET, which take numbers and parameters."""
    parts = []
    for key, word in (("limit", "LIMIT"), ("offset", "OFFSET")):
        clause = node.args.get(key)
        if clause is None:
            continue
        only(clause, "expression")
        value = clause.expression
        if not isinstance(value, exp.Literal | exp.Parameter):
            raise InvalidSql(f"{word} expects an integer literal or parameter")
        parts.append(f"{word} {require(e.of(value), INT64, word)}")
    return " ".join(parts)
