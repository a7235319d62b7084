"""A PostgreSQL server for the session and, for each test, a database of its own, copied from a migrated template.

With DATABASE_URL set, the databases are made on that server and nothing is started.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import psutil
import pytest

from local.postgres import LocalPostgres
from shared.adapters.migrations import migrate
from shared.adapters.postgres import Session, Timeouts, connect
from tests.integration.postgres.checking import Check
from tests.integration.postgres.rows import Product, User, load_products, load_users
from tests.integration.postgres.target import Target

TEMPLATE = "sluice_test_template"
MEMORY, DISK = Path("/dev/shm"), Path("/var/tmp")  # noqa: S108 (mkdtemp makes a folder of our own)
ROOM = 8 << 30
"""Bytes; all databases of a run take about three gigabytes."""
_numbers = count(1)


@pytest.fixture(scope="session")
def server_url() -> Iterator[str]:
    """The URL of a database that may create others."""
    home = Path(tempfile.mkdtemp(prefix="sluice-test-postgres-", dir=MEMORY if memory_has_room() else DISK))
    home.chmod(0o755)  # the server may run as another user
    server = LocalPostgres({"fsync": "off"})  # nothing here outlives the tests: do not wait for the disk
    try:
        yield server.start(home)
    finally:
        server.kill()  # nothing outlives the tests: no checkpoint
        subprocess.run(["rm", "-rf", str(home)], check=True)  # noqa: S607 (wherever the machine has it)


def memory_has_room() -> bool:
    """Whether a server can lie in memory: its databases are hundreds of thousands of files, for minutes only."""
    if not MEMORY.is_dir() or os.statvfs(MEMORY).f_flag & os.ST_NOEXEC:
        return False
    return min(shutil.disk_usage(MEMORY).free, psutil.virtual_memory().available) > ROOM


@pytest.fixture(scope="session")
def admin(server_url: str) -> Iterator[Session]:
    """Makes databases."""
    opened = connect(Target(server_url), "tests")
    yield opened
    opened.close()


@pytest.fixture(scope="session")
def template(server_url: str, admin: Session) -> Iterator[str]:
    """The name of a migrated, empty database."""
    admin.rows(f"DROP DATABASE IF EXISTS {TEMPLATE} WITH (FORCE)")
    admin.rows(f"CREATE DATABASE {TEMPLATE}")
    session = connect(Target(server_url).named(TEMPLATE), "tests")
    migrate(session)
    session.close()
    yield TEMPLATE
    admin.rows(f"DROP DATABASE {TEMPLATE} WITH (FORCE)")


@pytest.fixture
def new_target(server_url: str, admin: Session, template: str) -> Iterator[Callable[[], Target]]:
    """Makes migrated databases that nothing else uses."""
    made: list[str] = []

    def make() -> Target:
        made.append(f"sluice_test_{next(_numbers)}")
        admin.rows(f"DROP DATABASE IF EXISTS {made[-1]} WITH (FORCE)")
        admin.rows(f"CREATE DATABASE {made[-1]} TEMPLATE {template} STRATEGY file_copy")
        return Target(server_url).named(made[-1])

    yield make
    if "DATABASE_URL" in os.environ:  # a server of our own goes as a whole, which is faster
        for name in made:
            admin.rows(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def target(new_target: Callable[[], Target]) -> Target:
    """A migrated database that nothing else uses."""
    return new_target()


@pytest.fixture
def open_session(target: Target) -> Iterator[Callable[[], Session]]:
    """Opens sessions to the test's database and closes them after it."""
    opened: list[Session] = []

    def opener() -> Session:
        opened.append(connect(target, "tests", Timeouts(statement=60_000, lock=60_000)))
        return opened[-1]

    yield opener
    for session in opened:
        session.close()


@pytest.fixture
def session(open_session: Callable[[], Session]) -> Session:
    return open_session()


@pytest.fixture
def check(session: Session) -> Check:
    """check_quality on a database that knows a user and a product."""
    load_users(session, 0, User())
    load_products(session, Product())
    return Check(session)
