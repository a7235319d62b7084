"""The server under test: ours, or the one that STORAGE_EMULATOR_HOST names already."""

from __future__ import annotations

import os
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
from google.auth.credentials import AnonymousCredentials
from google.cloud import storage  # type: ignore[import-untyped]
from google.cloud.storage import Bucket, Client  # type: ignore[import-untyped]

from tests.contract.storage.receiver import Receiver
from tests.contract.storage.server import StorageServer

EXTERNAL = os.environ.get("STORAGE_EMULATOR_HOST")
MakeClient = Callable[[str], Client]


@pytest.fixture(scope="session")
def make_client() -> Iterator[MakeClient]:
    """Real clients that find a server as they find any emulator: by STORAGE_EMULATOR_HOST."""
    clients: list[Client] = []

    def make(url: str) -> Client:
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("STORAGE_EMULATOR_HOST", url)
            nobody = AnonymousCredentials()  # type: ignore[no-untyped-call]
            clients.append(storage.Client(project="sluice-local", credentials=nobody))
        return clients[-1]

    yield make
    for client in clients:
        client.close()


@pytest.fixture(scope="session")
def receiver() -> Iterator[Receiver]:
    """A Pub/Sub that takes what is published."""
    receiver = Receiver()
    yield receiver
    receiver.stop()


@pytest.fixture(scope="session")
def server_url(tmp_path_factory: pytest.TempPathFactory, receiver: Receiver) -> Iterator[str]:
    """One server for all tests that do not stop it."""
    if EXTERNAL:
        yield EXTERNAL
        return
    server = StorageServer(tmp_path_factory.mktemp("storage"), receiver.host)
    server.start()
    yield server.url
    server.stop()


@pytest.fixture(scope="session")
def client(server_url: str, make_client: MakeClient) -> Client:
    """The real client, talking to the server under test."""
    return make_client(server_url)


@pytest.fixture
def bucket(client: Client) -> Bucket:
    """A fresh bucket."""
    return client.create_bucket(f"bucket-{uuid.uuid4().hex}")


@pytest.fixture(scope="session")
def http(server_url: str) -> Iterator[httpx.Client]:
    """Plain HTTP for what the real client never sends."""
    with httpx.Client(base_url=server_url) as http:
        yield http


@pytest.fixture
def own_server(tmp_path: Path, receiver: Receiver) -> Iterator[StorageServer]:
    """A server that a test may kill."""
    if EXTERNAL:
        pytest.skip("kills the server, so it runs against our own only; unset STORAGE_EMULATOR_HOST")
    server = StorageServer(tmp_path / "home", receiver.host)
    server.start()
    yield server
    server.stop()
