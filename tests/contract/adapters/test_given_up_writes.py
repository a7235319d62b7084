"""A stream to Cloud Storage that was given up: it is no object then, nor later, when its writer is collected."""

from __future__ import annotations

import gc
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from local.process import ServerProcess
from shared.adapters import storage
from shared.adapters.storage import WRITTEN_BYTES, CloudStorage
from shared.errors import DependencyUnavailable, Inconsistent
from tests.contract.adapters.servers import BUCKET, Servers


@pytest.fixture
def server(servers: Servers, environment: pytest.MonkeyPatch) -> Iterator[ServerProcess]:
    made = servers.new("storage", uuid.uuid4().hex)
    environment.setenv("STORAGE_EMULATOR_HOST", f"http://127.0.0.1:{made.port}")
    yield made
    made.stop()


@pytest.fixture
def store(server: ServerProcess) -> CloudStorage:
    assert server.alive()
    project = f"given-up-{uuid.uuid4().hex}"
    storage.client(project).create_bucket(BUCKET)
    return CloudStorage(project, patience=0.1)


def test_a_stream_that_breaks_off_while_the_server_is_away_never_becomes_an_object(
    server: ServerProcess, store: CloudStorage
) -> None:
    def break_off() -> None:
        with store.open_once(BUCKET, "half") as out:
            out.write(b"x" * (WRITTEN_BYTES + 1))
            server.stop()
            raise ValueError("the row that follows cannot be read")

    with pytest.raises(DependencyUnavailable):
        break_off()
    server.start()
    gc.collect()
    assert store.stat(BUCKET, "half") is None


def test_a_stream_that_was_refused_sends_nothing_more(store: CloudStorage, environment: pytest.MonkeyPatch) -> None:
    def write_again() -> None:
        with store.open_once(BUCKET, "taken") as out:
            out.write(b"second")

    store.write_once(BUCKET, "taken", b"first")
    gc.collect()
    gc.disable()  # the writer is collected below and not before
    try:
        with pytest.raises(Inconsistent, match="was written before"):
            write_again()
    finally:
        gc.enable()
    sent: list[object] = []
    send = requests.Session.send

    def noting(session: requests.Session, request: requests.PreparedRequest, **options: Any) -> requests.Response:
        sent.append(request.method)
        return send(session, request, **options)

    environment.setattr(requests.Session, "send", noting)
    gc.collect()
    assert sent == []
