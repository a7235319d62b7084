"""Migrations run once, in order, and tell when the ledger and the files disagree."""

from __future__ import annotations

from pathlib import Path

import pytest
from pg8000.exceptions import DatabaseError  # type: ignore[import-untyped]

from shared.adapters.migrations import FOLDER, migrate, read_migrations
from shared.adapters.postgres import Session
from shared.errors import ConfigError


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for file in FOLDER.glob("*.sql"):
        (tmp_path / file.name).write_bytes(file.read_bytes())
    return tmp_path


def following(folder: Path) -> str:
    return f"{len(list(folder.glob('*.sql'))) + 1:04d}"


def test_a_migrated_database_has_nothing_left_to_do(session: Session) -> None:
    assert migrate(session) == []
    assert session.row("SELECT count(*) FROM schema_migration") == (len(read_migrations()),)


def test_a_new_file_is_applied_alone(session: Session, folder: Path) -> None:
    name = f"{following(folder)}_add_thing.sql"
    (folder / name).write_text("CREATE TABLE thing (a int); INSERT INTO thing VALUES (1);")
    assert migrate(session, folder) == [name]
    assert migrate(session, folder) == []
    assert session.row("SELECT a FROM thing") == (1,)


def test_a_file_that_fails_leaves_nothing(session: Session, folder: Path) -> None:
    (folder / f"{following(folder)}_add_thing.sql").write_text("CREATE TABLE thing (a int); SELECT 1 / 0;")
    with pytest.raises(DatabaseError, match="division by zero"):
        migrate(session, folder)
    assert session.row("SELECT to_regclass('thing')") == (None,)


def test_an_applied_file_that_was_edited_is_named(session: Session, folder: Path) -> None:
    (folder / "0003_create_identity.sql").write_text("-- edited")
    with pytest.raises(ConfigError, match=r"0003_create_identity\.sql was changed"):
        migrate(session, folder)


def test_an_applied_file_that_is_missing_is_named(session: Session, folder: Path) -> None:
    last = sorted(folder.glob("*.sql"))[-1]
    last.unlink()
    with pytest.raises(ConfigError, match=last.name):
        migrate(session, folder)


@pytest.mark.parametrize("name", ["9999_add_thing.sql", "1_add_thing.sql", "0001_add_again.sql"])
def test_a_name_out_of_form_or_order_is_refused(folder: Path, name: str) -> None:
    (folder / name).write_text("SELECT 1")
    with pytest.raises(ConfigError, match="as the next migration"):
        read_migrations(folder)
