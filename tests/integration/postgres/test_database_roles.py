"""Roles of the database: what each may do, that all of it follows from the files, and that a member needs no more."""

from __future__ import annotations

from shared.adapters.database_roles import grant_roles
from shared.adapters.postgres import Session


def test_roles_are_made_and_made_again(session: Session) -> None:
    grant_roles(session, {})
    grant_roles(session, {})
    assert session.rows("SELECT count(*) FROM pg_roles WHERE rolname LIKE 'sluice\\_%'")[0][0] == 18
