"""MERGE, as DuckDB's own: it too fails when several source rows match one target row."""

from __future__ import annotations

from sqlglot import exp

from local.warehouse.sql.dml import Written, assignments, written_scope
from local.warehouse.sql.errors import InvalidSql, UnsupportedSql
from local.warehouse.sql.expressions import Expressions, only
from local.warehouse.sql.inserted import inserted_row
from local.warehouse.sql.model import TableInfo
from local.warehouse.sql.partition import note_conditions
from local.warehouse.sql.query import compile_query
from local.warehouse.sql.relations import relation_of
from local.warehouse.sql.replace import replacement, replaces
from local.warehouse.sql.scope import Context, Relation, Scope


def merge(node: exp.Merge, context: Context) -> Written:
    """MERGE INTO target USING source ON … WHEN …; it returns one action per affected row."""
    only(node, "this", "using", "on", "whens")
    ref, info, alias, target, target_scope = written_scope(node.this, context)
    source, relation = relation_of(node.args["using"], Scope(context))
    if relation.name.lower() == alias.lower():
        raise InvalidSql(f"Duplicate table alias {alias} in the same MERGE")
    if replaces(node):
        return replacement(node, (ref, info, target), target_scope, (source, relation))
    both = Scope(context, relations=[*target_scope.relations, relation])
    condition = Expressions(both, compile_query).boolean(node.args["on"], "MERGE ON clause")
    note_conditions(node.args["on"], both)
    scopes = (both, Scope(context, relations=[relation]), target_scope)
    parts = [_when(when, info, alias, scopes, relation) for when in node.args["whens"].expressions]
    sql = f"MERGE INTO {target} USING {source} ON {condition} {' '.join(parts)} RETURNING merge_action"
    return Written(sql, ref, actions=True)


def _when(node: exp.When, info: TableInfo, alias: str, scopes: tuple[Scope, Scope, Scope], source: Relation) -> str:
    only(node, "matched", "source", "condition", "then")
    both, source_only, target_only = scopes
    matched, by_source = bool(node.args.get("matched")), bool(node.args.get("source"))
    scope = both if matched else target_only if by_source else source_only
    head = "WHEN MATCHED" if matched else "WHEN NOT MATCHED BY " + ("SOURCE" if by_source else "TARGET")
    e = Expressions(scope, compile_query)
    if node.args.get("condition"):
        head += f" AND {e.boolean(node.args['condition'], 'WHEN condition')}"
    then = node.args["then"]
    if isinstance(then, exp.Insert):
        if matched or by_source:
            raise InvalidSql("INSERT is only allowed in WHEN NOT MATCHED BY TARGET")
        heads, values = inserted_row(then, info, source, e)
        return f"{head} THEN INSERT ({', '.join(heads)}) VALUES ({', '.join(values)})"  # noqa: S608 - made of parts that are translated or quoted
    if not matched and not by_source:
        raise InvalidSql("WHEN NOT MATCHED BY TARGET allows only INSERT")
    if isinstance(then, exp.Update):
        only(then, "expressions")
        return f"{head} THEN UPDATE SET {assignments(then.expressions, info, alias, e)}"
    if isinstance(then, exp.Var) and then.name.upper() == "DELETE":
        return f"{head} THEN DELETE"
    raise UnsupportedSql(f"in MERGE: {then.sql(dialect='bigquery')[:80]}")
