"""The warehouse under test: ours, or the one that BIGQUERY_EMULATOR_HOST names already."""

from __future__ import annotations

import os
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from google.auth.credentials import AnonymousCredentials
from google.cloud import bigquery, storage  # type: ignore[attr-defined]
from google.cloud.bigquery import Client, DatasetReference, SchemaField

from tests.contract.warehouse.program import Program

EXTERNAL = os.environ.get("BIGQUERY_EMULATOR_HOST")
EXTERNAL_STORAGE = os.environ.get("STORAGE_EMULATOR_HOST")
MakeClient = Callable[[str], Client]
Upload = Callable[[str, bytes], str]
SALES = (
    SchemaField("id", "INTEGER", "REQUIRED"),
    SchemaField("day", "DATE", "REQUIRED"),
    SchemaField("amount", "NUMERIC"),
    SchemaField("note", "STRING"),
)


@pytest.fixture(scope="session")
def make_client() -> Iterator[MakeClient]:
    """Real clients that find a server as they find any emulator: by BIGQUERY_EMULATOR_HOST."""
    clients: list[Client] = []

    def make(url: str) -> Client:
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("BIGQUERY_EMULATOR_HOST", url)
            clients.append(Client(project="sluice-local", credentials=AnonymousCredentials()))  # type: ignore[no-untyped-call]
        return clients[-1]

    yield make
    for client in clients:
        client.close()  # type: ignore[no-untyped-call]


@pytest.fixture(scope="session")
def storage_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The storage server that load jobs read from."""
    if EXTERNAL_STORAGE:
        yield EXTERNAL_STORAGE
        return
    server = Program("local.storage", tmp_path_factory.mktemp("storage"))
    server.start()
    yield server.url
    server.stop()


@pytest.fixture(scope="session")
def warehouse_url(tmp_path_factory: pytest.TempPathFactory, storage_url: str) -> Iterator[str]:
    """One warehouse for all tests that do not stop it."""
    if EXTERNAL:
        yield EXTERNAL
        return
    server = Program("local.warehouse", tmp_path_factory.mktemp("warehouse"), "--storage", storage_url)
    server.start()
    yield server.url
    assert server.stop() == 0


@pytest.fixture
def own_server(tmp_path: Path) -> Iterator[Program]:
    """A warehouse that a test may kill."""
    if EXTERNAL:
        pytest.skip("kills the server, so it runs against our own only; unset BIGQUERY_EMULATOR_HOST")
    server = Program("local.warehouse", tmp_path / "home")
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def client(warehouse_url: str, make_client: MakeClient) -> Client:
    """The real client, talking to the warehouse under test."""
    return make_client(warehouse_url)


@pytest.fixture
def dataset(client: Client) -> str:
    """A fresh dataset's name."""
    name = f"d_{uuid.uuid4().hex}"
    client.create_dataset(DatasetReference(client.project, name))
    return name


@pytest.fixture
def sales(client: Client, dataset: str) -> str:
    """A table of 30 rows over 3 days that demands a partition filter; its name as SQL writes it."""
    name = f"{dataset}.sales"
    make_sales(client, name)
    return name


def make_sales(client: Client, name: str) -> None:
    """Ten rows a day on the first three days of 2024, each with a note of ten letters."""
    table = bigquery.Table(f"{client.project}.{name}", schema=SALES)
    table.time_partitioning = bigquery.TimePartitioning(field="day")
    table.require_partition_filter = True
    client.create_table(table)
    rows = [
        {"id": number, "day": f"2024-01-0{number % 3 + 1}", "amount": f"{number}.50", "note": "n" * 10}
        for number in range(30)
    ]
    client.load_table_from_json(rows, name, job_config=bigquery.LoadJobConfig(schema=SALES)).result()


@pytest.fixture(scope="session")
def upload(storage_url: str) -> Iterator[Upload]:
    """Puts an object into a bucket and gives its gs:// URI."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("STORAGE_EMULATOR_HOST", storage_url)
        client = storage.Client(project="sluice-local", credentials=AnonymousCredentials())  # type: ignore[no-untyped-call]
    bucket = client.create_bucket(f"bucket-{uuid.uuid4().hex}")

    def put(name: str, data: bytes) -> str:
        bucket.blob(name).upload_from_string(data)
        return f"gs://{bucket.name}/{name}"

    yield put
    client.close()
