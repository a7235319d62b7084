"""`sluice migrate` on a real Postgres: an empty database, a current one, and one that newer code has been at."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from itertools import count
from typing import Any

import pytest
from typer.testing import CliRunner

from cli.main import app
from local.stack import BUCKETS, PROJECT
from shared.adapters.migrations import read_migrations
from shared.adapters.postgres import Session, connect
from tests.integration.postgres.target import Target

_numbers = count(1)
ALL = [migration.name for migration in read_migrations()]
Sluice = Callable[..., Any]


@pytest.fixture
def empty(server_url: str) -> Iterator[Target]:
    """A database that holds nothing."""
    name = f"sluice_test_empty_{next(_numbers)}"
    admin = connect(Target(server_url), "tests")
    admin.rows(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
    admin.rows(f"CREATE DATABASE {name}")
    yield Target(server_url).named(name)
    admin.rows(f"DROP DATABASE {name} WITH (FORCE)")
    admin.close()


@pytest.fixture
def sluice(monkeypatch: pytest.MonkeyPatch) -> Callable[[Target], Sluice]:
    """Runs a command on a database; its exit code and output."""

    def on(target: Target) -> Sluice:
        for name, value in {**BUCKETS, "GOOGLE_CLOUD_PROJECT": PROJECT, "DATABASE_URL": target.database_url}.items():
            monkeypatch.setenv(name, value)
        return lambda *words: CliRunner().invoke(app, ["migrate", *words])

    return on


def test_an_empty_database_gets_every_migration_once(empty: Target, sluice: Callable[[Target], Sluice]) -> None:
    run = sluice(empty)
    asked = run("--check", "--json")
    assert (asked.exit_code, json.loads(asked.stdout)) == (1, {"migrations": len(ALL), "pending": ALL, "roles": []})
    done = run("--json")
    assert (done.exit_code, json.loads(done.stdout)) == (0, {"migrations": len(ALL), "applied": ALL, "roles": []})
    again = run("--check")
    assert again.exit_code == 0, again.output
    assert f"all {len(ALL)} migrations are applied" in again.stdout
    assert json.loads(run("--json").stdout)["applied"] == []


def test_a_dry_run_tells_and_changes_nothing(empty: Target, sluice: Callable[[Target], Sluice]) -> None:
    told = sluice(empty)("--dry-run")
    assert told.exit_code == 0, told.output
    assert all(name in told.stdout for name in ALL)
    assert "pending" in told.stdout
    with_nothing = connect(empty, "tests")
    assert with_nothing.row("SELECT to_regclass('public.schema_migration')") == (None,)
    with_nothing.close()


def test_a_database_that_newer_code_has_migrated_is_refused_in_one_line(
    session: Session, target: Target, sluice: Callable[[Target], Sluice]
) -> None:
    session.rows("INSERT INTO schema_migration (version, name, checksum) VALUES (9999, '9999_add_thing.sql', 'x')")
    for words in ([], ["--check"], ["--dry-run"]):
        refused = sluice(target)(*words)
        assert refused.exit_code == 1
        assert "9999_add_thing.sql was applied" in refused.stderr
        assert "newer code ran" in refused.stderr


def test_a_database_that_refuses_is_told_in_one_line(empty: Target, sluice: Callable[[Target], Sluice]) -> None:
    session = connect(empty, "tests")
    session.rows("CREATE SCHEMA pipeline")  # what the first migration wants to make
    session.close()
    refused = sluice(empty)()
    assert refused.exit_code == 1
    assert "Postgres refused (42P06)" in refused.stderr
    assert sluice(empty)("--check").exit_code == 1


def test_a_server_that_does_not_answer_is_told_in_one_line(sluice: Callable[[Target], Sluice]) -> None:
    refused = sluice(Target("postgresql://sluice@127.0.0.1:9/sluice"))("--check")
    assert refused.exit_code == 1
    assert "connection to Postgres failed" in refused.stderr


@pytest.fixture
def clerk(session: Session) -> Iterator[str]:
    """A user of the server who may nothing yet."""
    name = "clerk@example.com"
    session.rows(f'CREATE ROLE "{name}" LOGIN')
    yield name
    session.rows(f'DROP ROLE "{name}"')


def has_role(session: Session, user: str) -> bool:
    return bool(session.row("SELECT pg_has_role($1, 'sluice_auditor', 'MEMBER')", user)[0])


def test_users_get_the_roles_that_are_told_and_lose_others(
    session: Session, target: Target, sluice: Callable[[Target], Sluice], clerk: str
) -> None:
    run = sluice(target)
    given = run("--members", json.dumps({"auditor": [clerk]}))
    assert given.exit_code == 0, given.output
    assert "roles given: auditor" in given.stdout
    assert has_role(session, clerk)
    assert run("--check", "--members", "{}").exit_code == 0
    assert run().exit_code == 0
    assert has_role(session, clerk)  # neither a look nor a run without members takes anything away
    assert run("--members", "{}").exit_code == 0
    assert not has_role(session, clerk)


def test_members_come_from_the_environment_of_the_job(
    session: Session, target: Target, sluice: Callable[[Target], Sluice], clerk: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_MEMBERS", json.dumps({"auditor": [clerk]}))
    assert json.loads(sluice(target)("--json").stdout)["roles"] == ["auditor"]
    assert has_role(session, clerk)
    session.rows(f'REVOKE sluice_auditor FROM "{clerk}"')


@pytest.mark.parametrize(
    ("members", "code", "told"),
    [
        ("auditor=ann", 2, "is no JSON"),
        ('{"auditor": ["nobody@example.com"]}', 1, "no such user: nobody@example.com"),
        ('{"janitor": ["sluice"]}', 1, "no such role: janitor"),
    ],
)
def test_members_that_are_wrong_are_told_in_one_line(
    target: Target, sluice: Callable[[Target], Sluice], members: str, code: int, told: str
) -> None:
    refused = sluice(target)("--members", members)
    assert (refused.exit_code, told in refused.stderr) == (code, True), refused.stderr
