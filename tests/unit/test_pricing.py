"""What bytes cost, and the list that says so."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from shared.adapters.prices import price_list
from shared.errors import ConfigError

MB, TIB = 2**20, 2**40


def test_a_tebibyte_costs_what_the_list_says_to_the_cent() -> None:
    assert price_list().query(TIB) == Decimal("6.25")
    assert price_list().query(3 * TIB // 2) == Decimal("9.375")
    assert price_list().query(0) == 0


def test_each_table_is_billed_as_whole_megabytes_and_at_least_ten() -> None:
    assert price_list().billed({"a": 1}) == 10 * MB
    assert price_list().billed({"a": 1, "b": 11 * MB + 1}) == 22 * MB
    assert price_list().billed({}) == 0


def test_storage_left_alone_costs_half() -> None:
    assert price_list().storage(100 * 2**30) == Decimal("2.00")
    assert price_list().storage(0, 100 * 2**30) == Decimal("1.00")


@pytest.mark.parametrize("text", ["", "bigquery: {}", "bigquery: {query_per_tib: cheap}", "a: [", "- 1"])
def test_a_list_that_is_not_one_is_refused(text: str, tmp_path: Path) -> None:
    path = tmp_path / "prices.yaml"
    path.write_text(text)
    with pytest.raises(ConfigError, match=r"prices\.yaml is not a price list"):
        price_list(path)
