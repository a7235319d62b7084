"""The row that a MERGE inserts."""

from __future__ import annotations

from sqlglot import exp

from local.warehouse.sql.dml import listed, value_or_default
from local.warehouse.sql.errors import InvalidSql, UnsupportedSql
from local.warehouse.sql.expressions import Expressions, Node, only
from local.warehouse.sql.kinds import quote
from local.warehouse.sql.model import TableInfo
from local.warehouse.sql.scope import Relation

Row = tuple[list[str], list[str]]
"""Quoted column names, and a value in SQL for each."""


def inserted_row(node: exp.Insert, info: TableInfo, source: Relation, e: Expressions) -> Row:
    """INSERT (columns) VALUES (…), or INSERT ROW."""
    only(node, "this", "expression")
    if isinstance(node.this, exp.Var) and node.this.name.upper() == "ROW":
        return _whole_row(info, source, e)
    columns = listed(_names(node.this), info)
    values = node.expression.expressions if isinstance(node.expression, exp.Tuple) else []
    if len(values) != len(columns):
        raise InvalidSql(f"Inserted row has wrong column count; Has {len(values)}, expected {len(columns)}")
    sqls = [value_or_default(value, column, e) for value, column in zip(values, columns, strict=True)]
    return [quote(column.name) for column in columns], sqls


def _names(node: Node) -> list[str]:
    if node is None:
        return []
    if not isinstance(node, exp.Tuple | exp.Paren | exp.Column):
        raise UnsupportedSql(f"in MERGE … INSERT: {node.sql(dialect='bigquery')[:80]}")
    items = node.expressions if isinstance(node, exp.Tuple) else [node]
    return [item.this.name if isinstance(item, exp.Paren) else item.name for item in items]


def _whole_row(info: TableInfo, source: Relation, e: Expressions) -> Row:
    """Every column from the source's column of the same place."""
    if len(source.fields) != len(info.columns):
        raise InvalidSql(f"Inserted row has wrong column count; Has {len(source.fields)}, expected {len(info.columns)}")
    heads, values = [], []
    for column, given in zip(info.columns, source.fields, strict=True):
        if column.name.lower() != given.name.lower() or column.type != given.type:
            raise UnsupportedSql("INSERT ROW from a source whose columns differ from the table's; list the columns")
        heads.append(quote(column.name))
        values.append(e.scope.use(given).sql)
    return heads, values
