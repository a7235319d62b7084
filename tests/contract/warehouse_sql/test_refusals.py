"""Nothing outside the lists is guessed: it is refused before anything runs."""

from __future__ import annotations

import pytest

from local.warehouse.sql import InvalidSql, UnsupportedSql
from tests.contract.warehouse_sql.cases_refused import INVALID, UNSUPPORTED
from tests.contract.warehouse_sql.conftest import Warehouse


@pytest.mark.parametrize("sql", UNSUPPORTED)
def test_what_is_not_translated_is_refused(reading: Warehouse, sql: str) -> None:
    with pytest.raises((UnsupportedSql, InvalidSql)):
        reading.statement(sql)


@pytest.mark.parametrize(("sql", "message"), INVALID)
def test_what_bigquery_refuses_is_refused_with_its_reason(reading: Warehouse, sql: str, message: str) -> None:
    with pytest.raises((InvalidSql, UnsupportedSql), match=message):
        reading.statement(sql)
