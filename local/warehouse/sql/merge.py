"""MERGE, as DuckDB's own: it too fails when several source rows match one target row."""

from __future__ import annotations

from sqlglot import exp

from local.warehouse.sql.dml import Written, assignments, listed, value_or_default, written_scope
from local.warehouse.sql.errors import InvalidSql, UnsupportedSql
from local.warehouse.sql.expressions import Expressions, Node, only
from local.warehouse.sql.kinds import quote
from local.warehouse.sql.model import TableInfo
from local.warehouse.sql.partition import note_conditions
from local.warehouse.sql.query import compile_query
from local.warehouse.sql.relations import relation_of
from local.warehouse.sql.scope import Context, Relation, Scope


def merge(node: exp.Merge, context: Context) -> Written:
    """MERGE INTO target USING source ON … WHEN …; it returns one action per affected row."""
    only(node, "this", "using", "on", "whens")
    ref, info, alias, target, target_scope = written_scope(node.this, context)
    source, relation = relation_of(node.args["using"], Scope(context))
    if relation.name.lower() == alias.lower():
        raise InvalidSql(f"Duplicate table alias {alias} in the same MERGE")
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
        return f"{head} THEN {_insert(then, info, source, e)}"
    if not matched and not by_source:
        raise InvalidSql("WHEN NOT MATCHED BY TARGET allows only INSERT")
    if isinstance(then, exp.Update):
        only(then, "expressions")
        return f"{head} THEN UPDATE SET {assignments(then.expressions, info, alias, e)}"
    if isinstance(then, exp.Var) and then.name.upper() == "DELETE":
        return f"{head} THEN DELETE"
    raise UnsupportedSql(f"in MERGE: {then.sql(dialect='bigquery')[:80]}")


def _insert(node: exp.Insert, info: TableInfo, source: Relation, e: Expressions) -> str:
    only(node, "this", "expression")
    if isinstance(node.this, exp.Var) and node.this.name.upper() == "ROW":
        return _insert_row(info, source, e)
    names = _names(node.this)
    columns = listed(names, info)
    values = node.expression.expressions if isinstance(node.expression, exp.Tuple) else []
    if len(values) != len(columns):
        raise InvalidSql(f"Inserted row has wrong column count; Has {len(values)}, expected {len(columns)}")
    heads = ", ".join(quote(column.name) for column in columns)
    sqls = [value_or_default(value, column, e) for value, column in zip(values, columns, strict=True)]
    return f"INSERT ({heads}) VALUES ({', '.join(sqls)})"  # noqa: S608 - made of parts that are translated or quoted


def _names(node: Node) -> list[str]:
    if node is None:
        return []
    if not isinstance(node, exp.Tuple | exp.Paren | exp.Column):
        raise UnsupportedSql(f"in MERGE … INSERT: {node.sql(dialect='bigquery')[:80]}")
    items = node.expressions if isinstance(node, exp.Tuple) else [node]
    return [item.this.name if isinstance(item, exp.Paren) else item.name for item in items]


def _insert_row(info: TableInfo, source: Relation, e: Expressions) -> str:
    """INSERT ROW: every column from the source's column of the same place."""
    if len(source.fields) != len(info.columns):
        raise InvalidSql(f"Inserted row has wrong column count; Has {len(source.fields)}, expected {len(info.columns)}")
    heads, values = [], []
    for column, given in zip(info.columns, source.fields, strict=True):
        if column.name.lower() != given.name.lower() or column.type != given.type:
            raise UnsupportedSql("INSERT ROW from a source whose columns differ from the table's; list the columns")
        heads.append(quote(column.name))
        values.append(e.scope.use(given).sql)
    return f"INSERT ({', '.join(heads)}) VALUES ({', '.join(values)})"  # noqa: S608 - made of parts that are translated or quoted
