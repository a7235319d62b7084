"""`sluice migrate`: the schema of Postgres, as this release needs it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from pg8000.exceptions import DatabaseError  # type: ignore[import-untyped]

from cli.cloud import DEFAULT_HOME, HomeOption, JsonOption
from cli.output import console, fail, print_json, print_table
from local.stack import running_cloud
from shared.adapters.migrations import migrate as apply_missing
from shared.adapters.migrations import pending, read_migrations
from shared.adapters.postgres import Session, Timeouts, connect, error_facts
from shared.errors import PipelineError
from shared.settings import load_settings

LIMITS = Timeouts(statement=0)
"""An index over years of sales takes longer than a function may; a lock that others hold ends it after a minute."""


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(epilog="Examples:  sluice migrate --check  |  sluice migrate")(migrate)


def migrate(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what is missing and change nothing.")] = False,
    check: Annotated[bool, typer.Option("--check", help="The same, with exit code 1 where something is.")] = False,
    home: HomeOption = DEFAULT_HOME,
    as_json: JsonOption = False,
) -> None:
    """Bring Postgres to the newest migration: each once, in order. Run it before the code that needs it is deployed."""
    with _database(home) as session:
        missing = pending(session) if dry_run or check else apply_missing(session)
    state = "pending" if dry_run or check else "applied"
    if as_json:
        print_json({"migrations": len(read_migrations()), state: missing})
    elif missing:
        print_table("Migrations", ["migration", "state"], [[name, state] for name in missing])
    else:
        console.print(f"current: all {len(read_migrations())} migrations are applied")
    if check and missing:
        raise typer.Exit(1)


@contextmanager
def _database(home: Path) -> Iterator[Session]:
    """Postgres alone: whoever migrates needs neither buckets nor BigQuery."""
    if not os.environ.get("LANDING_BUCKET"):
        endpoints = running_cloud(home)
        if endpoints is None:
            fail(f"no local cloud runs in {home}; start one with `sluice up`, or set the variables of .env.example")
        os.environ.update(endpoints.environment())
    try:
        session = connect(load_settings(), "sluice-migrate", LIMITS)
        try:
            yield session
        finally:
            session.close()
    except PipelineError as exc:
        fail(str(exc), 1)
    except DatabaseError as exc:
        state, message = error_facts(exc)
        fail(f"Postgres refused ({state}): {message}; the migration was rolled back, earlier ones stay", 1)
