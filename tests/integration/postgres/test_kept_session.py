"""The session that a function keeps between invocations."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from pg8000.exceptions import DatabaseError  # type: ignore[import-untyped]

from shared.adapters import sessions
from shared.adapters.postgres import Session
from shared.adapters.sessions import session as lend
from shared.settings import Settings
from tests.contract.adapters.servers import settings_for
from tests.integration.postgres.target import Target

PID = "SELECT pg_backend_pid()"


@pytest.fixture
def settings(target: Target) -> Iterator[Settings]:
    yield settings_for(target.database_url)
    if kept := sessions._kept.pop(target.database_url, None):
        kept.close()


def closed(one: Session) -> bool:
    return one.connection._usock is None


def test_it_is_lent_again(settings: Settings) -> None:
    with lend(settings) as first:
        pid = first.row(PID)
    with lend(settings) as again:
        assert again.row(PID) == pid


def test_one_that_died_while_nobody_had_it_is_replaced(settings: Settings, session: Session) -> None:
    with lend(settings) as first:
        pid = first.row(PID)
    session.rows("SELECT pg_terminate_backend($1, 5000)", *pid)
    with lend(settings) as again:
        assert again.row(PID) != pid
    assert closed(first)


def test_after_an_error_it_is_closed(settings: Settings) -> None:
    with pytest.raises(DatabaseError), lend(settings) as failed:
        failed.rows("SELECT 1 / 0")
    assert closed(failed)


def test_one_whose_transaction_failed_and_was_left_is_replaced(settings: Settings) -> None:
    with lend(settings) as first:
        pid = first.row(PID)
        first.rows("BEGIN")
        with pytest.raises(DatabaseError):
            first.rows("SELECT 1 / 0")
    with lend(settings) as again:
        assert again.row(PID) != pid
    assert closed(first)
