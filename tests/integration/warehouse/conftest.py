"""A warehouse with all tables of the project, and a database for the ledger of the marts."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from local.postgres import LocalPostgres
from local.process import ServerProcess
from local.resources import create_warehouse
from local.stack import BUCKETS, PROJECT
from shared.adapters.migrations import migrate
from shared.adapters.postgres import connect
from shared.adapters.warehouse import BigQueryWarehouse, bigquery_client
from shared.settings import load_settings
from tests.integration.warehouse.world import World


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    """Everything that the marts are built from and into, without the pipeline before them."""
    home = Path(tempfile.mkdtemp(prefix="sluice-test-"))
    home.chmod(0o755)  # the database may run as another user
    arguments = ("local.warehouse", "--home", str(home / "warehouse"), "--storage", "http://127.0.0.1:1")
    server, database = ServerProcess("warehouse", arguments, {}, home), LocalPostgres({"fsync": "off"})
    try:
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("BIGQUERY_EMULATOR_HOST", f"http://127.0.0.1:{server.start()}")
            patch.setenv("GOOGLE_CLOUD_PROJECT", PROJECT)
            patch.setenv("DATABASE_URL", database.start(home / "postgres"))
            for name, value in BUCKETS.items():
                patch.setenv(name, value)
            settings = load_settings()
            session, client = connect(settings, "tests"), bigquery_client(settings)
            warehouse = BigQueryWarehouse(settings, "tests")
        migrate(session)
        create_warehouse(client)
        yield World(session, warehouse, client)
        session.close()
        client.close()  # type: ignore[no-untyped-call]
    finally:
        server.kill()
        database.kill()
        shutil.rmtree(home)


@pytest.fixture
def empty(world: World) -> World:
    """The same with nothing in it."""
    world.reset()
    return world
