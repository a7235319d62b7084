"""COPY text: what is written is read back the same, whatever it holds."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.copytext import BAD_COLUMNS, COLUMNS, RATE_COLUMNS, line_of, table_of
from tests.unit.judging import few, parse_copy

AWKWARD = st.text(st.sampled_from("\\\t\n\rNab.,\"'|\x0b\x0c\x1f\x85\u2028é😀 "), max_size=12)
VALUES = st.lists(st.none() | AWKWARD | st.text(st.characters(codec="utf-8"), max_size=8), min_size=5, max_size=5)


@few
@given(st.lists(VALUES, max_size=5))
def test_values_are_read_back_as_they_were_written(rows: list[list[str | None]]) -> None:
    text = table_of(RATE_COLUMNS, [line_of(row) for row in rows])
    assert [list(row.values()) for row in parse_copy(text, RATE_COLUMNS)] == rows


@pytest.mark.parametrize(
    ("values", "line"),
    [
        ([None], "\\N"),
        (["\\N"], "\\\\N"),
        (["\\."], "\\\\."),
        ([""], ""),
        (["a\tb", None, "c\nd\r\\"], "a\\tb\t\\N\tc\\nd\\r\\\\"),
        (["\\t"], "\\\\t"),
    ],
)
def test_what_copy_would_take_for_its_own_is_escaped(values: list[str | None], line: str) -> None:
    assert line_of(values) == line


def test_the_first_line_names_the_columns_and_every_line_has_an_end() -> None:
    assert table_of(("a", "b"), []) == b"a\tb\n"
    assert table_of(("a", "b"), ["1\t2", "3\t4"]) == b"a\tb\n1\t2\n3\t4\n"


@pytest.mark.parametrize("columns", [*COLUMNS.values(), BAD_COLUMNS])
def test_a_column_is_named_once_and_the_line_number_comes_first(columns: tuple[str, ...]) -> None:
    assert columns[0] == "line"
    assert len(set(columns)) == len(columns)
