"""`sluice migrate`: the schema of Postgres, and who may do what in it, as this release needs them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from pg8000.exceptions import DatabaseError  # type: ignore[import-untyped]

from cli.cloud import DEFAULT_HOME, HomeOption, JsonOption, find_cloud, one_line_errors
from cli.output import console, fail, print_json, print_table
from shared.adapters.database_roles import grant_roles
from shared.adapters.migrations import migrate as apply_missing
from shared.adapters.migrations import pending, read_migrations
from shared.adapters.postgres import Session, Timeouts, connect, error_facts
from shared.settings import load_settings

LIMITS = Timeouts(statement=0)
"""An index over years of sales takes longer than a function may; a lock that others hold ends it after a minute."""


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(epilog="Examples:  sluice migrate --check  |  sluice migrate")(migrate)


def migrate(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what is missing and change nothing.")] = False,
    check: Annotated[bool, typer.Option("--check", help="The same, with exit code 1 where something is.")] = False,
    members: Annotated[
        str,
        typer.Option(
            envvar="DATABASE_MEMBERS", help='Users of each role, as JSON: {"role": ["user"]}. Without it roles stay.'
        ),
    ] = "",
    home: HomeOption = DEFAULT_HOME,
    as_json: JsonOption = False,
) -> None:
    """Bring Postgres to the newest migration and give its roles. Run it before the code that needs it is deployed."""
    users, looking = _read_members(members), dry_run or check
    with _database(home) as session:
        missing = pending(session) if looking else apply_missing(session)
        if users is not None and not looking:
            grant_roles(session, users)
    _tell(missing, users if not looking else None, looking, as_json)
    if check and missing:
        raise typer.Exit(1)


def _read_members(text: str) -> Mapping[str, Sequence[str]] | None:
    if not text:
        return None
    try:
        users: Mapping[str, Sequence[str]] = json.loads(text)
    except ValueError:
        fail("--members (DATABASE_MEMBERS) is no JSON; Terraform's output database_members is what it wants")
    return users


def _tell(missing: list[str], users: Mapping[str, Sequence[str]] | None, looking: bool, as_json: bool) -> None:
    known, state = len(read_migrations()), "pending" if looking else "applied"
    given = sorted(users) if users is not None else []
    if as_json:
        print_json({"migrations": known, state: missing, "roles": given})
        return
    if missing:
        print_table("Migrations", ["migration", "state"], [[name, state] for name in missing])
    else:
        console.print(f"current: all {known} migrations are applied")
    if given:
        console.print(f"roles given: {', '.join(given)}")


@contextmanager
def _database(home: Path) -> Iterator[Session]:
    """Postgres alone: whoever migrates needs neither buckets nor BigQuery."""
    find_cloud(home)
    with one_line_errors():
        session = connect(load_settings(), "sluice-migrate", LIMITS)
        try:
            yield session
        except DatabaseError as exc:
            state, message = error_facts(exc)
            fail(f"Postgres refused ({state}): {message}. What failed was rolled back; earlier migrations stay", 1)
        finally:
            session.close()
