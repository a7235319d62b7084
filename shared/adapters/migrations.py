"""Brings a database to the newest migration: each file once, in order, in a transaction of its own.

The ledger (public.schema_migration) holds the checksum of what was applied: an applied file that was edited since is
an error, never a guess. An advisory lock lets several instances start at once; the later ones find nothing to do.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

from shared.adapters.postgres import Session
from shared.errors import ConfigError

FOLDER = Path(__file__).resolve().parents[2] / "sql" / "postgres" / "migrations"
LOCK_KEY = 7_265_001  # any number that nothing else of the project locks
_NAME = re.compile(r"(\d{4})_[a-z0-9]+(?:_[a-z0-9]+)+\.sql")
_LEDGER = """
    CREATE TABLE IF NOT EXISTS public.schema_migration (
        version    int PRIMARY KEY,
        name       text NOT NULL,
        checksum   text NOT NULL,
        applied_at timestamptz NOT NULL DEFAULT now(),
        applied_by text NOT NULL DEFAULT session_user
    )
"""


@dataclass(frozen=True)
class Migration:
    """One file of the folder."""

    version: int
    name: str
    sql: str
    checksum: str


def read_migrations(folder: Path = FOLDER) -> list[Migration]:
    """The files in order. Raises ConfigError on a name out of form or a number that is missing or taken twice."""
    found: list[Migration] = []
    for path in sorted(folder.glob("*.sql")):
        match = _NAME.fullmatch(path.name)
        if match is None or int(match[1]) != len(found) + 1:
            raise ConfigError(f"{path.name}: expected {len(found) + 1:04d}_<verb>_<noun>.sql as the next migration")
        data = path.read_bytes()
        found.append(Migration(int(match[1]), path.name, data.decode(), hashlib.sha256(data).hexdigest()))
    return found


def pending(session: Session, folder: Path = FOLDER) -> list[str]:
    """Names of the migrations that this database lacks; changes nothing. Raises ConfigError as `migrate` does."""
    return [migration.name for migration in _missing(session, read_migrations(folder))]


def migrate(session: Session, folder: Path = FOLDER) -> list[str]:
    """Apply what is missing and return its names. Raises ConfigError where the ledger and the files disagree."""
    migrations = read_migrations(folder)
    session.row("SELECT pg_advisory_lock($1::bigint)", LOCK_KEY)
    try:
        missing = _missing(session, migrations)
        if missing and not _has_ledger(session):
            session.rows(_LEDGER)
        for migration in missing:
            _apply(session, migration)
        return [migration.name for migration in missing]
    finally:
        session.row("SELECT pg_advisory_unlock($1::bigint)", LOCK_KEY)


def _missing(session: Session, migrations: list[Migration]) -> list[Migration]:
    applied: dict[int, tuple[object, ...]] = {}
    if _has_ledger(session):
        rows = session.rows("SELECT version, name, checksum FROM public.schema_migration")
        applied = {int(row[0]): row for row in rows}
    _compare(migrations, applied)
    return [migration for migration in migrations if migration.version not in applied]


def _has_ledger(session: Session) -> bool:
    return bool(session.row("SELECT to_regclass('public.schema_migration') IS NOT NULL")[0])


def _compare(migrations: list[Migration], applied: dict[int, tuple[object, ...]]) -> None:
    known = {migration.version: migration for migration in migrations}
    for version, (_, name, checksum) in applied.items():
        if version not in known:
            raise ConfigError(f"migration {name} was applied to this database, but its file is missing: newer code ran")
        if known[version].checksum != checksum:
            raise ConfigError(
                f"migration {known[version].name} was changed after it was applied as {name}: "
                "restore the file and put the change into a new migration"
            )


def _apply(session: Session, migration: Migration) -> None:
    with session.transaction():
        session.rows(migration.sql)
        session.rows(
            "INSERT INTO public.schema_migration (version, name, checksum) VALUES ($1, $2, $3)",
            migration.version,
            migration.name,
            migration.checksum,
        )
