"""Each expression gives the value that BigQuery gives."""

from __future__ import annotations

from typing import Any

import duckdb
import pytest

from tests.contract.warehouse_sql import cases_numbers, cases_queries, cases_text, cases_time
from tests.contract.warehouse_sql.conftest import Warehouse, plain

EXPRESSIONS = cases_numbers.CASES | cases_time.CASES | cases_text.CASES


@pytest.mark.parametrize(("expression", "expected"), EXPRESSIONS.items(), ids=EXPRESSIONS)
def test_an_expression_has_its_value(reading: Warehouse, expression: str, expected: object) -> None:
    ((value,),) = reading.run(f"SELECT {expression}")
    assert plain(value) == expected
    assert type(plain(value)) is type(expected)


@pytest.mark.parametrize(("expression", "message"), cases_numbers.FAILS.items(), ids=cases_numbers.FAILS)
def test_an_expression_fails_when_run(reading: Warehouse, expression: str, message: str) -> None:
    with pytest.raises(duckdb.Error, match=f"(?i){message}"):
        reading.run(f"SELECT {expression}")


@pytest.mark.parametrize("case", cases_queries.CASES, ids=lambda case: case[0])
def test_a_query_gives_its_rows(reading: Warehouse, case: tuple[str, str, list[list[Any]]]) -> None:
    _, sql, expected = case
    assert plain(reading.run(sql)) == expected
