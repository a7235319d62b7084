"""Window functions and the OVER clause."""

from __future__ import annotations

from sqlglot import exp

from local.warehouse.sql.errors import InvalidSql, UnsupportedSql
from local.warehouse.sql.expressions import Call, Expressions, Node, only
from local.warehouse.sql.functions import AGGREGATE, SCALAR, WINDOW_ONLY, arguments, mismatch, unknown
from local.warehouse.sql.kinds import FLOAT64, INT64, NUMERIC
from local.warehouse.sql.ordering import direction
from local.warehouse.sql.typed import Typed, require, unify


def window(e: Expressions, node: exp.Window) -> Typed:
    """A call with an OVER clause."""
    only(node, "this", "partition_by", "order", "spec", "over")
    inner: Node = node.this
    if not isinstance(inner, exp.Anonymous):
        raise UnsupportedSql(f"OVER on {inner.sql(dialect='bigquery')[:80]}")
    found = Call(str(inner.this).upper(), list(inner.expressions), over(e, node))
    for table in (AGGREGATE, WINDOW_ONLY):
        if found.name in table:
            return table[found.name](e, found)
    if found.name in SCALAR:
        raise InvalidSql(f"Function {found.name} does not support an OVER clause")
    raise unknown(found.name)


def over(e: Expressions, node: exp.Window) -> str:
    """The OVER clause as DuckDB's, with the place of NULLs written out."""
    parts: list[str] = []
    keys: list[Typed] = []
    if node.args.get("partition_by"):
        parts.append("PARTITION BY " + ", ".join(value.sql for value in e.all(node.args["partition_by"])))
    order = node.args.get("order")
    if order is not None:
        only(order, "expressions")
        keys = [_key(e, o.this) for o in order.expressions]
        parts.append("ORDER BY " + ", ".join(direction(o, k.sql) for o, k in zip(order.expressions, keys, strict=True)))
    if node.args.get("spec"):
        parts.append(_frame(node.args["spec"], keys))
    return f" OVER ({' '.join(parts)})"


def _key(e: Expressions, node: Node) -> Typed:
    if isinstance(node, exp.Literal):
        raise UnsupportedSql("a literal in the ORDER BY of a window")
    return e.of(node)


def _frame(spec: exp.WindowSpec, keys: list[Typed]) -> str:
    """ROWS or RANGE; a number of RANGE is a distance in the one INT64 key."""
    only(spec, "kind", "start", "start_side", "end", "end_side")
    kind = str(spec.args.get("kind") or "ROWS").upper()
    counts = kind == "ROWS" or [key.type for key in keys] == [INT64]
    start = _bound(spec.args.get("start"), spec.args.get("start_side"), counts=counts)
    end = _bound(spec.args.get("end") or "CURRENT ROW", spec.args.get("end_side"), counts=counts)
    return f"{kind} BETWEEN {start} AND {end}"


def _bound(value: Node, side: str | None, *, counts: bool) -> str:
    if isinstance(value, str):
        if value not in ("CURRENT ROW", "UNBOUNDED"):
            raise UnsupportedSql(f"window frame bound {value}")
        return f"{value} {side or ''}".strip()
    if not counts or not isinstance(value, exp.Literal) or not str(value.this).isdigit():
        raise UnsupportedSql("a window frame bound that is not a number of ROWS, or of RANGE over one INT64 key")
    return f"{value.this} {side}"


def _ranking(e: Expressions, found: Call) -> Typed:
    arguments(e, found, 0, 0)
    if "ORDER BY" not in found.over and found.name != "ROW_NUMBER":
        raise InvalidSql(f"Window ORDER BY is required for analytic function {found.name}")
    kind = FLOAT64 if found.name in ("PERCENT_RANK", "CUME_DIST") else INT64
    return Typed(f"{found.name.lower()}(){found.over}", kind)


def _ntile(e: Expressions, found: Call) -> Typed:
    values = arguments(e, found, 1, 1)
    return Typed(f"ntile({require(values[0], INT64, 'NTILE')}){found.over}", INT64)


def _shift(e: Expressions, found: Call) -> Typed:
    """LAG and LEAD: the offset is a literal, the default has the value's type."""
    values = arguments(e, found, 1, 3)
    if len(values) > 1 and (values[1].literal != "int" or values[1].text is None):
        raise UnsupportedSql(f"{found.name} with an offset that is not a literal")
    args = [values[0].sql, values[1].text or "1" if len(values) > 1 else "1"]
    kind = values[0].type
    if len(values) > 2:
        (args[0], default), kind = unify([values[0], values[2]], f"function {found.name}")
        args.append(default)
    return Typed(f"{found.name.lower()}({', '.join(args)}){found.over}", kind)


def _edge(e: Expressions, found: Call) -> Typed:
    """FIRST_VALUE and LAST_VALUE."""
    ignore = ""
    if found.args and isinstance(found.args[0], exp.IgnoreNulls | exp.RespectNulls):
        ignore = " IGNORE NULLS" if isinstance(found.args[0], exp.IgnoreNulls) else ""
        found = Call(found.name, [found.args[0].this, *found.args[1:]], found.over)
    values = arguments(e, found, 1, 1)
    return Typed(f"{found.name.lower()}({values[0].sql}{ignore}){found.over}", values[0].type)


def _percentile(e: Expressions, found: Call) -> Typed:
    values = arguments(e, found, 2, 2)
    if "ORDER BY" in found.over:
        raise InvalidSql(f"Window ORDER BY is not allowed for analytic function {found.name}")
    part = values[1].text
    if part is None or values[1].literal not in ("float", "int") or not 0 <= float(part) <= 1:
        raise UnsupportedSql(f"{found.name} with a percentile that is not a literal between 0 and 1")
    if found.name == "PERCENTILE_DISC":
        return Typed(f"quantile_disc({values[0].sql}, {part}){found.over}", values[0].type)
    if values[0].type == NUMERIC:
        raise UnsupportedSql("PERCENTILE_CONT of NUMERIC; write PERCENTILE_CONT(CAST(… AS FLOAT64), p)")
    if not values[0].type.numeric:
        raise mismatch(found.name, values)
    return Typed(f"quantile_cont({require(values[0], FLOAT64, found.name)}, {part}){found.over}", FLOAT64)


WINDOW_ONLY.update(dict.fromkeys(("ROW_NUMBER", "RANK", "DENSE_RANK", "PERCENT_RANK", "CUME_DIST"), _ranking))
WINDOW_ONLY.update(
    NTILE=_ntile,
    LAG=_shift,
    LEAD=_shift,
    FIRST_VALUE=_edge,
    LAST_VALUE=_edge,
    PERCENTILE_CONT=_percentile,
    PERCENTILE_DISC=_percentile,
)
