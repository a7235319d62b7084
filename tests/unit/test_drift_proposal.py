"""What `sluice drift propose` prints is right as it stands: it compiles, it validates, nothing can be smuggled in."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from google.cloud import bigquery
from marshmallow import Schema, ValidationError
from marshmallow import fields as ma

from cli.drift_proposal import KINDS, TARGETS, column_of, propose_new, propose_retyped, propose_vanished
from shared.domain.copytext import COLUMNS
from shared.domain.profiling import JSON_TYPES, OTHERS
from shared.schemas import fields as f
from shared.schemas import rows

VALUES: dict[str, list[tuple[Any, Any]]] = {
    "string": [("red", "red"), (" ", None), (None, None)],
    "number": [(Decimal("1.5"), Decimal("1.5")), (-7, Decimal(-7)), ("2.50", Decimal("2.50"))],
    "boolean": [(True, True), ("FALSE", False), ("", None)],
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("source", TARGETS)
def test_the_line_of_the_schema_compiles_and_reads_values_of_the_type(source: str, kind: str) -> None:
    line = propose_new(source, "colour", {kind, "null"}, 13).schema
    assert line is not None
    made: dict[str, ma.Field[Any]] = {}
    exec(compile(line, "rows.py", "exec"), {"f": f}, made)  # noqa: S102
    schema = Schema.from_dict(made)()
    assert schema.load({}) == {"colour": None}
    for given, kept in VALUES[kind]:
        assert schema.load({"colour": given}) == {"colour": kept}
    with pytest.raises(ValidationError):
        schema.load({"colour": [1]})


@pytest.mark.parametrize("kind", KINDS)
def test_the_entry_for_bigquery_is_a_field_of_a_schema(kind: str) -> None:
    entry = propose_new("products", "colour", {kind}, 13).bigquery or {}
    made = bigquery.SchemaField.from_api_repr(entry)
    assert (made.name, made.field_type, made.mode) == ("colour", KINDS[kind][2], "NULLABLE")


def test_a_field_of_users_does_not_go_to_bigquery() -> None:
    proposal = propose_new("users", "phone", {"string"}, 13)
    assert proposal.bigquery is None
    assert "identity.contact" in str(proposal.migration)


def test_the_files_that_a_proposal_names_are_there(request: pytest.FixtureRequest) -> None:
    for source, target in TARGETS.items():
        for place in propose_new(source, "colour", {"string"}, 13).files.values():
            assert (request.config.rootpath / place.split(",")[0]).exists()
        assert getattr(rows, target.schema)().fields.keys() == rows.KNOWN[source]


def test_every_source_and_every_json_type_has_an_answer() -> None:
    assert set(TARGETS) == set(COLUMNS)
    for kind in JSON_TYPES.values():
        assert propose_new("products", "colour", {kind}, 13).advice


@pytest.mark.parametrize(
    ("name", "types", "told"),
    [
        ("utm source", {"string"}, "no plain identifier"),
        ('x" text; DROP TABLE y; --', {"string"}, "no plain identifier"),
        ("class", {"string"}, "no plain identifier"),
        (OTHERS, {"string"}, "do not look like names"),
        ("colour", {"string", "number"}, "number and string"),
        ("colour", {"null"}, "nothing but null"),
        ("colour", {"object"}, "extra->'colour'"),
    ],
)
def test_where_no_column_can_be_proposed_the_advice_says_why(name: str, types: set[str], told: str) -> None:
    proposal = propose_new("products", name, types, 13)
    assert told in proposal.advice[0]
    assert (proposal.schema, proposal.migration, proposal.bigquery) == (None, None, None)


@pytest.mark.parametrize(
    ("name", "column"),
    [("deviceId", "device_id"), ("Colour", "colour"), ("version", "version_given"), ("Name", "name_given")],
)
def test_a_column_has_a_name_of_ours_that_is_free(name: str, column: str) -> None:
    assert column_of(name, "products") == column


@pytest.mark.parametrize(("is_read", "told"), [(True, "Nothing has to change"), (False, "quarantine")])
def test_advice_for_a_retyped_field_names_both_types_and_what_became_of_its_rows(is_read: bool, told: str) -> None:
    first, second, *_ = propose_retyped("products", "price", ["string"], ["number", "string"], is_read).advice
    assert "was number and came as string" in first
    assert told in second


def test_advice_for_a_vanished_field_names_what_it_may_be_called_now() -> None:
    advice = propose_vanished("products", "category", False, ["kind", "colour"]).advice
    assert "no schema names colour, kind" in advice[1]
    assert "required" in propose_vanished("products", "product_id", True, []).advice[0]
