"""Functions of arrays and structs."""

from __future__ import annotations

from sqlglot import exp

from local.warehouse.sql.errors import InvalidSql, UnsupportedSql
from local.warehouse.sql.expressions import Call, Expressions, only
from local.warehouse.sql.functions import SCALAR, arguments, literal_text, mismatch
from local.warehouse.sql.kinds import INT64, NULL, STRING, SqlType, array_of, quote, text
from local.warehouse.sql.typed import Typed, require, unify


def _struct(e: Expressions, found: Call) -> Typed:
    """STRUCT(x AS a, y): a plain column gives its own name; any other value must be given one."""
    names, values = [], []
    for node in found.args:
        if isinstance(node, exp.Alias):
            only(node, "this", "alias")
            names.append(node.alias)
            values.append(e.of(node.this))
        elif isinstance(node, exp.Column):
            names.append(node.name)
            values.append(e.of(node))
        else:
            raise UnsupportedSql("a STRUCT field without a name; write STRUCT(x AS name)")
    if not names or len({name.lower() for name in names}) != len(names):
        raise UnsupportedSql("a STRUCT without fields or with two of the same name")
    typed = [Typed("CAST(NULL AS BIGINT)", INT64) if v.type == NULL else v for v in values]
    body = ", ".join(f"{quote(name)} := {value.sql}" for name, value in zip(names, typed, strict=True))
    fields = tuple((name, value.type) for name, value in zip(names, typed, strict=True))
    return Typed(f"struct_pack({body})", SqlType("STRUCT", fields=fields))


def _array(e: Expressions, found: Call) -> Typed:
    """ARRAY(query): its one column in the query's order; no rows give an empty array."""
    if len(found.args) != 1 or not isinstance(found.args[0], exp.Query):
        raise InvalidSql("Syntax error: ARRAY takes a query")
    query = e.query(found.args[0], e.scope)
    if len(query.fields) != 1:
        raise InvalidSql("ARRAY subquery cannot have more than one column unless using SELECT AS STRUCT")
    query.use_all()
    return Typed(f"ARRAY({query.sql})", array_of(query.fields[0].type))


def _element(e: Expressions, found: Call, least: int, most: int) -> tuple[list[Typed], SqlType]:
    values = arguments(e, found, least, most)
    element = values[0].type.element
    if element is None:
        raise mismatch(found.name, values)
    return values, element


def _length(e: Expressions, found: Call) -> Typed:
    values, _ = _element(e, found, 1, 1)
    return Typed(f"CAST(len({values[0].sql}) AS BIGINT)", INT64)


def _reverse(e: Expressions, found: Call) -> Typed:
    values, _ = _element(e, found, 1, 1)
    return Typed(f"list_reverse({values[0].sql})", values[0].type)


def _to_string(e: Expressions, found: Call) -> Typed:
    values, element = _element(e, found, 2, 2)
    if element != STRING:
        raise mismatch(found.name, values)
    delimiter = text(literal_text(values[1], "ARRAY_TO_STRING with a delimiter"))
    kept = f"list_filter({values[0].sql}, lambda x: x IS NOT NULL)"
    return Typed(f"array_to_string({kept}, {delimiter})", STRING)


def _generate(e: Expressions, found: Call) -> Typed:
    values = arguments(e, found, 2, 3)
    if any(value.type != INT64 for value in values):
        raise UnsupportedSql("GENERATE_ARRAY of other types than INT64")
    if len(values) > 2 and (values[2].literal != "int" or int(values[2].text or "0") < 1):
        raise UnsupportedSql("GENERATE_ARRAY with a step that is not a positive literal")
    first, last = values[0].sql, values[1].sql
    step = values[2].sql if len(values) > 2 else "CAST(1 AS BIGINT)"
    return Typed(
        f"CASE WHEN {first} IS NOT NULL AND {last} IS NOT NULL THEN generate_series({first}, {last}, {step}) END",
        array_of(INT64),
    )


def _bucket(e: Expressions, found: Call) -> Typed:
    """RANGE_BUCKET(point, boundaries): how many boundaries are not above the point."""
    values = arguments(e, found, 2, 2)
    element = values[1].type.element
    if element is None or element.kind in ("FLOAT64", "STRUCT"):
        raise mismatch(found.name, values)
    (point, _), kind = unify([values[0], Typed("NULL", element)], "function RANGE_BUCKET")
    if kind != element:
        raise mismatch(found.name, values)
    boundaries = require(values[1], array_of(kind), "RANGE_BUCKET")
    # A lambda cannot see a subquery's row, so the boundaries are unnested and counted.
    counted = f"(SELECT count(*) FILTER (WHERE b <= {point}) FROM (SELECT unnest({boundaries}) AS b))"  # noqa: S608 - made of parts that are translated or quoted
    return Typed(f"CASE WHEN {point} IS NOT NULL AND {boundaries} IS NOT NULL THEN {counted} END", INT64)


SCALAR.update(
    STRUCT=_struct,
    ARRAY=_array,
    ARRAY_LENGTH=_length,
    ARRAY_REVERSE=_reverse,
    ARRAY_TO_STRING=_to_string,
    GENERATE_ARRAY=_generate,
    RANGE_BUCKET=_bucket,
)
