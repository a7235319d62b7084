"""The judge of a chaos run: what it says of a system in which a row is lost, doubled, or a cent is wrong."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from local.chaos.judge import Found
from local.chaos.load import Expected

OUTCOMES = {"received": 10, "inserted": 7, "updated_or_superseded": 1, "unchanged": 0, "quarantined": 2, "held": 0}
RIGHT = Found(
    outcomes={"transactions": Counter(received=10, inserted=7, superseded=1, quarantined=2)},
    postgres=Counter(GBP=12_345, EUR=100),
    warehouse=Counter(GBP=12_345, EUR=100),
    net=Decimal("99.50"),
    findings=[],
)


@pytest.fixture
def expected() -> Expected:
    """What ten rows must have come to."""
    truth = Expected(net=Decimal("99.50"))
    truth.book("transactions", **OUTCOMES)
    truth.money("GBP", Decimal("123.45"))
    truth.money("EUR", Decimal("1.00"))
    return truth


def counts(**changed: int) -> dict[str, Counter[str]]:
    return {"transactions": Counter({**RIGHT.outcomes["transactions"], **changed})}


def test_what_is_as_it_must_be_has_no_difference(expected: Expected) -> None:
    assert RIGHT.differences(expected) == []
    assert RIGHT.lost_and_doubled(expected) == (0, 0)


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"outcomes": counts(received=9)}, "transactions: received is 9, must be 10"),
        ({"outcomes": counts(inserted=8)}, "transactions: inserted is 8, must be 7"),
        ({"outcomes": counts(superseded=0)}, "transactions: updated_or_superseded is 0, must be 1"),
        ({"outcomes": counts(quarantined=1)}, "transactions: quarantined is 1, must be 2"),
        ({"postgres": Counter(GBP=12_344, EUR=100)}, "Postgres: GBP 123.44, must be 123.45"),
        ({"warehouse": Counter(GBP=12_345, EUR=100, USD=1)}, "BigQuery: USD 0.01, must be 0.00"),
        ({"warehouse": Counter(GBP=12_345)}, "BigQuery: EUR 0.00, must be 1.00"),
        ({"net": Decimal("99.51")}, "the mart: net revenue 99.51, must be 99.50"),
        ({"findings": ["pending chunk c: 1 row"]}, "pending chunk c: 1 row"),
    ],
)
def test_each_thing_that_is_off_is_told(expected: Expected, changed: dict[str, Any], told: str) -> None:
    assert replace(RIGHT, **changed).differences(expected) == [told]


def test_a_source_of_which_nothing_came_in_is_lost(expected: Expected) -> None:
    nothing = replace(RIGHT, outcomes={})
    assert "transactions: received is 0, must be 10" in nothing.differences(expected)
    assert nothing.lost_and_doubled(expected) == (10, 0)


@pytest.mark.parametrize(("inserted", "found"), [(5, (2, 0)), (9, (0, 2))])
def test_rows_that_are_missing_are_lost_and_those_too_many_are_doubled(
    expected: Expected, inserted: int, found: tuple[int, int]
) -> None:
    assert replace(RIGHT, outcomes=counts(inserted=inserted)).lost_and_doubled(expected) == found
