"""The checks see what they are there for: each of them fails on a file that breaks its rule."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.sql import test_files as checks
from tests.sql.files import SqlFile

HEADER = "-- What it is for.\n-- Parameters: days\n-- Result: day\n"
WHERE = "WHERE day IN UNNEST(@days)\n"
GOOD = f"{HEADER}SELECT day\nFROM marts.quality_metrics\n{WHERE}"
BEGINS = checks.test_a_file_begins_with_what_it_is_for_its_parameters_and_its_result
CASTS = checks.test_a_file_casts_by_name_and_uses_no_wildcard_or_hidden_column
BROKEN: list[tuple[Callable[[SqlFile], None], str]] = [
    (checks.test_a_file_parses_as_bigquery, GOOD.replace("SELECT day", "CALL something")),
    (BEGINS, GOOD.replace("-- Result", "-- Gives")),
    (checks.test_the_parameters_of_the_header_are_those_used, GOOD.replace("days\n", "days, months\n", 1)),
    (checks.test_the_parameters_of_the_header_are_those_used, GOOD.replace("@days", "@months")),
    (checks.test_the_parameters_of_the_header_are_those_used, GOOD.replace("marts.quality_metrics", "${staged}")),
    (checks.test_the_result_of_the_header_is_that_of_the_query, GOOD.replace("SELECT day", "SELECT day, rule")),
    (checks.test_a_file_uses_only_allowed_functions, GOOD.replace("SELECT day", "SELECT NVL(day) AS day")),
    (checks.test_a_file_uses_only_allowed_functions, GOOD.replace("SELECT day", "SELECT SAFE.ROUND(value) AS day")),
    (checks.test_a_file_does_not_ask_for_the_time, GOOD + "    AND day < CURRENT_DATE\n"),
    (checks.test_a_file_does_not_ask_for_the_time, GOOD + "    AND measured_at < current_timestamp()\n"),
    (checks.test_a_file_names_its_columns, GOOD.replace("SELECT day", "SELECT *")),
    (checks.test_a_file_names_its_columns, GOOD.replace("SELECT day", "SELECT m.* EXCEPT (rule)")),
    (CASTS, GOOD.replace("SELECT day", "SELECT day::DATE")),
    (CASTS, GOOD.replace("quality_metrics", "`q_*`")),
    (CASTS, GOOD.replace("WHERE day", "WHERE _PARTITIONDATE")),
    (checks.test_a_file_names_only_tables_that_are_there, GOOD.replace("quality_metrics", "quality")),
    (checks.test_a_file_names_only_tables_that_are_there, GOOD.replace("marts.quality_metrics", "quality_metrics")),
]  # fmt: skip


def file(folder: Path, text: str) -> SqlFile:
    path = folder / "query.sql"
    path.write_text(text, encoding="utf-8")
    return SqlFile(path)


@pytest.mark.parametrize(("check", "text"), BROKEN)
def test_a_broken_file_is_seen(tmp_path: Path, check: Callable[[SqlFile], None], text: str) -> None:
    check(file(tmp_path, GOOD))
    with pytest.raises((AssertionError, ValueError)):
        check(file(tmp_path, text))


def test_functions_are_what_stands_right_before_a_parenthesis_and_neither_comment_nor_text(tmp_path: Path) -> None:
    text = "-- A (b).\nSELECT COUNT(*) AS n, 'SUM(x)' AS t, SAFE.SUBSTR(a, 1) AS s FROM a.b WHERE c IN (1) /* MAX(c) */"
    assert file(tmp_path, text).functions == {"COUNT", "SAFE.SUBSTR"}
