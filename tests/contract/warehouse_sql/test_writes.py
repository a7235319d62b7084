"""INSERT, UPDATE, DELETE, TRUNCATE and MERGE change what BigQuery's change."""

from __future__ import annotations

from datetime import date

import duckdb
import pytest

from local.warehouse.sql import array_of, scalar
from tests.contract.warehouse_sql.conftest import Warehouse, plain

MERGE = """
    MERGE INTO d.sales AS t
    USING d.staged AS s
    ON t.id = s.id AND t.day IN ('2024-01-01', '2024-01-05')
    WHEN MATCHED AND s.amount <> t.amount THEN UPDATE SET amount = s.amount, status = 'changed'
    WHEN NOT MATCHED THEN INSERT (id, day, amount) VALUES (s.id, s.day, s.amount)
"""


def rows(warehouse: Warehouse, table: str = "sales") -> object:
    """A table's rows by id."""
    return plain(warehouse.run(f"SELECT * FROM d.{table} ORDER BY 1, 2"))


def test_insert_values_coerces_literals_and_leaves_other_columns_null(warehouse: Warehouse) -> None:
    assert warehouse.run("INSERT INTO d.sales (id, day, amount) VALUES (7, '2024-03-01', 2), (8, NULL, DEFAULT)") == [
        (2,)
    ]
    assert rows(warehouse)[-2:] == [[7, "2024-03-01", "N2", None], [8, None, None, None]]  # type: ignore[index]


def test_insert_of_a_query_goes_by_place_and_widens(warehouse: Warehouse) -> None:
    warehouse.run("INSERT d.sales (id, amount, status, day) SELECT n, n, NULL, '2024-03-01' FROM d.orders WHERE n = 3")
    assert [3, "2024-03-01", "N3", None] in rows(warehouse)  # type: ignore[operator]


def test_insert_takes_a_with_query(warehouse: Warehouse) -> None:
    warehouse.run("INSERT INTO d.orders (user, n) WITH x AS (SELECT 'w' AS u) SELECT u, 5 FROM x")
    assert ["w", 5] in rows(warehouse, "orders")  # type: ignore[operator]


def test_update_sees_the_old_values(warehouse: Warehouse) -> None:
    assert warehouse.run("UPDATE d.orders SET n = n + 10 WHERE user = 'a'") == [(2,)]
    assert rows(warehouse, "orders") == [["a", 11], ["a", 12], ["z", 3]]


def test_update_from_another_table_gives_one_action_per_row(warehouse: Warehouse) -> None:
    sql = "UPDATE d.sales AS t SET amount = s.amount, status = NULL FROM d.staged AS s WHERE t.id = s.id"
    assert warehouse.statement(sql).count_column == "merge_action"
    assert warehouse.run(sql) == [("UPDATE",)]
    assert [1, "2024-01-01", "N11", None] in rows(warehouse)  # type: ignore[operator]


def test_update_from_fails_when_several_rows_match_one(warehouse: Warehouse) -> None:
    with pytest.raises(duckdb.Error, match="more than once"):
        warehouse.run("UPDATE d.people AS p SET age = o.n FROM d.orders AS o WHERE p.user = o.user")


def test_delete_with_a_subquery(warehouse: Warehouse) -> None:
    assert warehouse.run("DELETE FROM d.sales AS t WHERE t.id IN (SELECT id FROM d.staged)") == [(1,)]
    assert warehouse.run("DELETE d.sales WHERE TRUE") == [(3,)]


def test_truncate_empties_the_table(warehouse: Warehouse) -> None:
    warehouse.run("TRUNCATE TABLE d.orders")
    assert rows(warehouse, "orders") == []


def test_merge_updates_and_inserts_and_says_so(warehouse: Warehouse) -> None:
    assert sorted(warehouse.run(MERGE)) == [("INSERT",), ("UPDATE",)]
    assert [1, "2024-01-01", "N11", "changed"] in rows(warehouse)  # type: ignore[operator]
    assert [9, "2024-01-05", "N1", None] in rows(warehouse)  # type: ignore[operator]


def test_insert_takes_an_empty_array(warehouse: Warehouse) -> None:
    warehouse.run("INSERT INTO d.events (id, tags) VALUES (6, [])")
    assert rows(warehouse, "events")[-1] == [6, None, []]  # type: ignore[index]


def test_merge_takes_its_days_from_a_parameter(warehouse: Warehouse) -> None:
    sql = MERGE.replace("IN ('2024-01-01', '2024-01-05')", "IN UNNEST(@days)")
    days = (array_of(scalar("DATE")), [date(2024, 1, 1)])
    assert sorted(warehouse.run(sql, {"days": days})) == [("INSERT",), ("UPDATE",)]


def test_merge_again_changes_nothing(warehouse: Warehouse) -> None:
    warehouse.run(MERGE)
    assert warehouse.run(MERGE) == []


def test_merge_fails_when_several_source_rows_match_one(warehouse: Warehouse) -> None:
    with pytest.raises(duckdb.Error, match="more than once"):
        warehouse.run(
            "MERGE d.people AS t USING d.orders AS s ON t.user = s.user WHEN MATCHED THEN UPDATE SET age = s.n"
        )


def test_merge_takes_several_matches_when_only_one_of_them_acts(warehouse: Warehouse) -> None:
    sql = (
        "MERGE d.people AS t USING d.orders AS s ON t.user = s.user WHEN MATCHED AND s.n = 2 THEN UPDATE SET age = s.n"
    )
    assert warehouse.run(sql) == [("UPDATE",)]


def test_merge_deletes_what_the_source_lacks(warehouse: Warehouse) -> None:
    sql = (
        "MERGE d.people AS t USING (SELECT DISTINCT user FROM d.orders) AS s ON t.user = s.user "
        "WHEN NOT MATCHED BY SOURCE AND t.country = 'GB' THEN DELETE "
        "WHEN NOT MATCHED BY SOURCE THEN UPDATE SET age = 0 "
        "WHEN NOT MATCHED BY TARGET THEN INSERT (user) VALUES (user)"
    )
    assert sorted(warehouse.run(sql)) == [("DELETE",), ("INSERT",), ("UPDATE",)]
    assert rows(warehouse, "people") == [["a", "GB", 30], ["b", "FR", 0], ["z", None, None]]


def test_merge_on_false_replaces_the_rows(warehouse: Warehouse) -> None:
    sql = (
        "MERGE d.sales USING d.staged ON FALSE "
        "WHEN NOT MATCHED THEN INSERT ROW "
        "WHEN NOT MATCHED BY SOURCE AND day = '2024-01-01' THEN DELETE"
    )
    assert warehouse.run(sql) == [(2,), (2,)]
    assert [row[0] for row in rows(warehouse)] == [1, 3, 4, 9]  # type: ignore[attr-defined]


def test_merge_on_false_reads_its_source_before_it_deletes(warehouse: Warehouse) -> None:
    sql = (
        "MERGE d.sales AS t USING (SELECT id + @more AS id, day FROM d.sales WHERE day IN UNNEST(@days)) AS s ON FALSE "
        "WHEN NOT MATCHED BY SOURCE AND t.day IN UNNEST(@days) THEN DELETE "
        "WHEN NOT MATCHED BY TARGET AND s.id > 11 THEN INSERT (day, id) VALUES (s.day, s.id)"
    )
    days = (array_of(scalar("DATE")), [date(2024, 1, 1)])
    assert warehouse.run(sql, {"days": days, "more": (scalar("INT64"), 10)}) == [(2,), (1,)]
    assert [row[0] for row in rows(warehouse)] == [3, 4, 12]  # type: ignore[attr-defined]


def test_the_first_clause_that_applies_is_taken(warehouse: Warehouse) -> None:
    sql = (
        "MERGE d.sales AS t USING d.staged AS s ON t.id = s.id "
        "WHEN MATCHED AND t.id = 1 THEN DELETE WHEN MATCHED THEN UPDATE SET amount = 0"
    )
    assert warehouse.run(sql) == [("DELETE",)]
