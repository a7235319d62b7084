"""What a condition says about a table's partition column.

Only comparisons that hold whatever else is true are taken: those joined by AND at the top of a WHERE or ON clause,
between the bare column and something constant. Anything else says nothing, so no partition is ever left out wrongly.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, Literal

from sqlglot import exp

from local.warehouse.sql.errors import InvalidSql
from local.warehouse.sql.expressions import Expressions, Node
from local.warehouse.sql.model import PartitionCondition
from local.warehouse.sql.scope import Field, Relation, Scope, Usage
from local.warehouse.sql.typed import require

Operator = Literal["=", "<", "<=", ">", ">="]
_OPERATORS: Final[dict[type, tuple[Operator, Operator]]] = {
    exp.EQ: ("=", "="),
    exp.LT: ("<", ">"),
    exp.LTE: ("<=", ">="),
    exp.GT: (">", "<"),
    exp.GTE: (">=", "<="),
}


def note_conditions(condition: Node, scope: Scope, within: Relation | None = None) -> None:
    """Add what the condition says to the mentions of tables it is about; `within` limits it to one relation."""
    for part in _conjuncts(condition):
        for usage, found in _conditions(part, scope, within):
            usage.conditions.append(found)


def _conjuncts(node: Node) -> Iterator[Node]:
    while isinstance(node, exp.Paren):
        node = node.this
    if isinstance(node, exp.And):
        yield from _conjuncts(node.this)
        yield from _conjuncts(node.expression)
    else:
        yield node


def _conditions(node: Node, scope: Scope, within: Relation | None) -> Iterator[tuple[Usage, PartitionCondition]]:
    if type(node) in _OPERATORS:
        forward, backward = _OPERATORS[type(node)]
        for column, other, operator in (
            (node.this, node.expression, forward),
            (node.expression, node.this, backward),
        ):
            yield from _compared(column, [other], operator, scope, within)
    elif isinstance(node, exp.Between):
        yield from _compared(node.this, [node.args["low"]], ">=", scope, within)
        yield from _compared(node.this, [node.args["high"]], "<=", scope, within)
    elif isinstance(node, exp.In) and node.expressions:
        yield from _compared(node.this, node.expressions, "IN", scope, within)
    elif isinstance(node, exp.In) and node.args.get("unnest"):
        yield from _compared(node.this, node.args["unnest"].expressions, "IN_ARRAY", scope, within)


def _compared(
    column: Node,
    values: list[Node],
    operator: Literal["=", "<", "<=", ">", ">=", "IN", "IN_ARRAY"],
    scope: Scope,
    within: Relation | None,
) -> Iterator[tuple[Usage, PartitionCondition]]:
    field = _partition_column(column, scope, within)
    if field is None or field.partition_of is None or not all(_constant(value, scope) for value in values):
        return
    from local.warehouse.sql.query import compile_query

    e = Expressions(Scope(scope.context), compile_query)
    typed = e.all(values)
    if operator == "IN_ARRAY":
        yield field.partition_of, PartitionCondition(operator, (typed[0].sql,))
        return
    texts = tuple(require(value, field.type, "Partition filter") for value in typed)
    yield field.partition_of, PartitionCondition(operator, texts)


def _partition_column(node: Node, scope: Scope, within: Relation | None) -> Field | None:
    if not isinstance(node, exp.Column) or len(node.parts) > 2:
        return None
    if len(node.parts) == 2:
        relation = scope.relation(node.table)
        if relation is None or (within is not None and relation is not within):
            return None
        found = relation.find(node.name)
        return found[0] if len(found) == 1 else None
    try:
        column = scope.column(node.name)
    except InvalidSql:
        return None
    if within is not None and column not in within.fields:
        return None
    return column


def _constant(node: Node, scope: Scope) -> bool:
    """Whether a value is the same for every row: literals, parameters, script variables and functions of them."""
    if node.find(exp.Query, exp.Window) is not None:
        return False
    variables = {name.lower() for name in scope.context.variables}
    names = [item for item in node.find_all(exp.Column) if not _date_part(item)]
    return all(len(item.parts) == 1 and item.name.lower() in variables for item in names)


def _date_part(node: exp.Column) -> bool:
    """Whether it is the MONTH of DATE_TRUNC(…, MONTH), which is written as a column is."""
    call = node.parent
    return (
        isinstance(call, exp.Anonymous)
        and str(call.this).upper().endswith("_TRUNC")
        and len(call.expressions) > 1
        and call.expressions[1] is node
    )
