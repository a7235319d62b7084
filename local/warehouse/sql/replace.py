"""MERGE … ON FALSE, which replaces rows: the source is read, what BY SOURCE names is deleted, the source is inserted.

DuckDB's own MERGE would compare every row of the source with every row of the target to learn that none matches.
"""

from __future__ import annotations

from sqlglot import exp

from local.warehouse.sql.dml import Written
from local.warehouse.sql.expressions import Expressions, only
from local.warehouse.sql.inserted import inserted_row
from local.warehouse.sql.kinds import quote
from local.warehouse.sql.model import ReplaceDetails, TableInfo, TableRef
from local.warehouse.sql.partition import note_conditions
from local.warehouse.sql.query import compile_query
from local.warehouse.sql.scope import Relation, Scope

STAGED = "temp._replacement"


def replaces(node: exp.Merge) -> bool:
    """Whether a MERGE matches nothing and is one DELETE BY SOURCE and one INSERT, in either order."""
    on, whens = node.args["on"], node.args["whens"].expressions
    if not isinstance(on, exp.Boolean) or on.this or any(when.args.get("matched") for when in whens):
        return False
    actions = {bool(when.args.get("source")): when.args["then"] for when in whens}
    deletes = isinstance(actions.get(True), exp.Var) and actions[True].name.upper() == "DELETE"
    return len(whens) == 2 and deletes and isinstance(actions.get(False), exp.Insert)


def replacement(
    node: exp.Merge, written: tuple[TableRef, TableInfo, str], target: Scope, source: tuple[str, Relation]
) -> Written:
    """The three statements. A condition on the partition column in BY SOURCE says which partitions are read."""
    ref, info, target_sql = written
    source_sql, relation = source
    whens = {bool(when.args.get("source")): when for when in node.args["whens"].expressions}
    for when in whens.values():
        only(when, "matched", "source", "condition", "then")
    gone, kept = whens[True].args.get("condition"), whens[False].args.get("condition")
    doomed = Expressions(target, compile_query).boolean(gone, "WHEN condition") if gone else "TRUE"
    if gone:
        note_conditions(gone, target)
    e = Expressions(Scope(target.context, relations=[relation]), compile_query)
    wanted = e.boolean(kept, "WHEN condition") if kept else "TRUE"
    heads, values = inserted_row(whens[False].args["then"], info, relation, e)
    staged = ", ".join(f"{value} AS {head}" for head, value in zip(heads, values, strict=True))
    names = ", ".join(heads)
    details = ReplaceDetails(
        stage=f"CREATE OR REPLACE TEMP TABLE _replacement AS SELECT {staged} FROM {source_sql} WHERE {wanted}",  # noqa: S608 - made of parts that are translated or quoted
        delete=f"DELETE FROM {target_sql} WHERE {doomed}",  # noqa: S608 - likewise
    )
    order = f" ORDER BY {quote(info.partition_column)}" if info.partition_column else ""  # so that days lie together
    insert = f"INSERT INTO {quote(ref.dataset)}.{quote(ref.table)} ({names}) SELECT {names} FROM {STAGED}{order}"  # noqa: S608 - likewise
    return Written(insert, ref, details=details)
