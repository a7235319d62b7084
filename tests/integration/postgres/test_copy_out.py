"""COPY TO STDOUT: what is written, and what is left where it cannot be."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from shared.adapters.postgres import Session

ROWS = r"""
SELECT number, repeat(E'a,"\n\r\n\\.\n', size) AS note
FROM (VALUES (1, 0), (2, 1), (3, 20000), (4, 7), (5, 1)) AS told (number, size) ORDER BY number
"""
"""Line ends, quotes, what ends a COPY of the old protocol, and a row that is larger than any buffer."""
COPY = "COPY ({}) TO STDOUT WITH (FORMAT csv, HEADER)"


class Writes:
    """Keeps each write; fails at one."""

    def __init__(self, fails_at: int = 0) -> None:
        self.made: list[bytes] = []
        self._fails_at = fails_at

    def write(self, data: bytes) -> int:
        if len(self.made) + 1 == self._fails_at:
            raise ZeroDivisionError
        self.made.append(data)
        return len(data)


def test_the_header_and_each_row_are_written_by_themselves(session: Session) -> None:
    out = Writes()
    assert session.copy_out(COPY.format(ROWS), out) == 5
    cell = 'a,""\n\r\n\\.\n'
    wanted = ["number,note\n", '1,""\n', *(f'{number},"{cell * size}"\n' for number, size in ((2, 1), (3, 20_000)))]
    wanted += [f'{number},"{cell * size}"\n' for number, size in ((4, 7), (5, 1))]
    assert out.made == [text.encode() for text in wanted]


def copy_after_a_change(session: Session) -> None:
    with session.transaction():
        session.rows("CREATE TABLE half_done (n int)")
        session.copy_out(COPY.format("SELECT generate_series(1, 100000) AS n"), Writes(fails_at=3))


def test_what_fails_while_a_copy_is_written_is_told_and_nothing_of_its_transaction_stays(
    open_session: Callable[[], Session],
) -> None:
    session, other = open_session(), open_session()
    with pytest.raises(ZeroDivisionError):
        copy_after_a_change(session)
    assert other.rows("SELECT to_regclass('half_done')") == [(None,)]
