"""Who may do what in Postgres: group roles, what each may do, and which users have them.

It runs after the migrations, as the owner of the schemas, and as often as one likes: sql/postgres/roles says all of it
each time, so what is taken out of these files is taken back in the database.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from pg8000.exceptions import DatabaseError  # type: ignore[import-untyped]

from shared.adapters.migrations import LOCK_KEY
from shared.adapters.postgres import Session, error_facts
from shared.errors import ConfigError

FOLDER = Path(__file__).resolve().parents[2] / "sql" / "postgres" / "roles"
UNDEFINED = "42704"


def grant_roles(session: Session, members: Mapping[str, Sequence[str]]) -> None:
    """Bring roles, grants and members to what the files and `members` say, in one transaction.

    members: role (a function of functions.yaml, auditor, operator, privacy_officer) => the users that have it, by their
    names in Postgres; whom it does not name loses the role. Raises ConfigError on a role or user that does not exist.
    """
    with session.transaction():
        session.row("SELECT pg_advisory_xact_lock($1::bigint)", LOCK_KEY)
        session.row("SELECT set_config('sluice.members', $1, true)", json.dumps(members))
        for name in ("create_roles", "take_back"):
            session.rows(_read(name))
        for path in sorted(FOLDER.glob("grant_*.sql")):
            session.rows(_read(path.stem))
        try:
            session.rows(_read("give_members"))
        except DatabaseError as exc:
            state, message = error_facts(exc)
            if state != UNDEFINED:
                raise
            raise ConfigError(f"the members of the roles of the database are wrong: {message}") from exc


def _read(name: str) -> str:
    return (FOLDER / f"{name}.sql").read_text(encoding="utf-8")
