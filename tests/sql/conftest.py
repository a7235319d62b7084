"""One local warehouse with the tables and views of sql/bigquery, emptied before each case."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from google.cloud.bigquery import Client

from local.process import ServerProcess
from local.resources import create_warehouse
from shared.adapters.warehouse import BigQueryWarehouse, bigquery_client
from tests.contract.adapters.servers import settings_for
from tests.sql.building import Marts


@pytest.fixture(scope="session")
def created(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Marts]:
    """The server; only its clients know it, since the environment is that of the tests after these too."""
    home: Path = tmp_path_factory.mktemp("warehouse")
    server = ServerProcess("warehouse", ["local.warehouse", "--home", str(home)], {}, home)
    try:
        server.start()
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("BIGQUERY_EMULATOR_HOST", f"http://127.0.0.1:{server.port}")
            client: Client = bigquery_client(settings_for(""))
            made = Marts(client, BigQueryWarehouse(settings_for(""), "tests"))
        create_warehouse(client)
        yield made
        client.close()  # type: ignore[no-untyped-call]
    finally:
        server.stop()


@pytest.fixture
def marts(created: Marts) -> Marts:
    """The warehouse with empty tables."""
    created.empty()
    return created


@pytest.fixture(scope="session")
def sql_warehouse(created: Marts) -> Client:
    """The real client, for what only asks."""
    return created.client
