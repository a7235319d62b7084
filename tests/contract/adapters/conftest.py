"""The real adapters on local servers of their own, one set for the session."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from google.auth.credentials import AnonymousCredentials
from google.cloud.storage import Client  # type: ignore[import-untyped]

from local.postgres import LocalPostgres
from local.process import ServerProcess
from shared.adapters import pubsub, storage
from shared.adapters.migrations import migrate
from shared.adapters.postgres import Session, connect
from shared.settings import Settings
from tests.contract.adapters.servers import BUCKET, Servers, settings_for


@pytest.fixture(scope="module")
def environment() -> Iterator[pytest.MonkeyPatch]:
    """The environment of a module; clients that were made before or in it are forgotten, as in a new process."""
    with pytest.MonkeyPatch.context() as patch:
        forget_clients()
        yield patch
        forget_clients()


def forget_clients() -> None:
    """The next call goes where the environment says then."""
    storage.client.cache_clear()
    pubsub.client.cache_clear()


@pytest.fixture(scope="session")
def home() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="sluice-test-"))
    folder.chmod(0o755)  # the database server may run as another user
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(scope="session")
def servers(home: Path) -> Iterator[Servers]:
    """Storage, Pub/Sub and the warehouse, started at their first use."""
    started = Servers(home)
    yield started
    started.stop()


@pytest.fixture(scope="module")
def real_storage(servers: Servers, environment: pytest.MonkeyPatch) -> Iterator[ServerProcess]:
    """A storage server with one bucket, found by STORAGE_EMULATOR_HOST."""
    server = servers.get("storage")
    environment.setenv("STORAGE_EMULATOR_HOST", f"http://127.0.0.1:{server.port}")
    with_nobody = Client(project="sluice-local", credentials=AnonymousCredentials())  # type: ignore[no-untyped-call]
    if not with_nobody.bucket(BUCKET).exists():
        with_nobody.create_bucket(BUCKET)
    yield server
    with_nobody.close()


@pytest.fixture(scope="session")
def database(home: Path) -> Iterator[str]:
    """The URL of a migrated database."""
    server = LocalPostgres()
    try:
        url = server.start(home / "postgres")
        session = connect(settings_for(url), "tests")
        migrate(session)
        session.close()
        yield url
    finally:
        server.stop()


@pytest.fixture
def session(database: str) -> Iterator[Session]:
    opened = connect(settings_for(database), "tests")
    yield opened
    opened.close()


@pytest.fixture
def settings() -> Settings:
    return settings_for("")
