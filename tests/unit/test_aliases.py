"""Aliases: another name is the field, the canonical name wins, and no value is lost."""

from __future__ import annotations

import pytest

from shared.domain.cells import header_names
from shared.schemas.aliases import ALIASES, canonical_header, canonical_row, natural_names
from shared.schemas.rows import KNOWN


@pytest.mark.parametrize("source", KNOWN)
def test_every_alias_means_a_field_of_the_schema_and_is_none_itself(source: str) -> None:
    assert set(ALIASES[source].values()) <= KNOWN[source]
    assert not ALIASES[source].keys() & KNOWN[source]
    if source in ("users", "fx_rates"):
        assert header_names(ALIASES[source]) == list(ALIASES[source])  # as they stand after a header was read


@pytest.mark.parametrize(
    ("row", "canonical"),
    [
        ({"txn_id": "t"}, {"transaction_id": "t"}),
        ({"txn_id": "t", "transaction_id": None}, {"transaction_id": "t"}),
        ({"txn_id": "t", "transaction_id": "t"}, {"transaction_id": "t"}),
        ({"txn_id": "t", "transaction_id": "u"}, {"txn_id": "t", "transaction_id": "u"}),
        ({"TXN_ID": "t", "more": 1}, {"TXN_ID": "t", "more": 1}),
    ],
)
def test_a_value_under_another_name_is_the_fields_unless_the_field_has_another(
    row: dict[str, object], canonical: dict[str, object]
) -> None:
    before = dict(row)
    assert canonical_row("transactions", row) == canonical
    assert row == before


def test_of_two_aliases_with_different_values_the_one_declared_first_is_the_field() -> None:
    row = canonical_row("transactions", {"txn_id": "a", "transactionId": "b"})
    assert row == {"transaction_id": "b", "txn_id": "a"}


def test_a_header_keeps_an_alias_beside_the_name_that_it_means() -> None:
    assert canonical_header("users", ["userid", "tier", "x"]) == ["user_id", "customer_tier", "x"]
    assert canonical_header("users", ["user_id", "userid"]) == ["user_id", "userid"]
    assert canonical_header("users", ["customer_id", "userid"]) == ["customer_id", "userid"]


def test_the_natural_key_has_all_its_names() -> None:
    assert natural_names("transactions") == {"transaction_id", "transactionId", "txn_id"}
    assert natural_names("fx_rates") == set()
