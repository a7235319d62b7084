"""A server that takes a request and never answers keeps no worker: the call ends with an error that is tried again."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from local.chaos import proxy
from local.chaos.proxies import Proxies
from shared.adapters import postgres
from shared.adapters.postgres import Timeouts, connect
from shared.adapters.pubsub import CloudPublisher
from shared.adapters.storage import CloudStorage
from shared.adapters.warehouse import BigQueryWarehouse
from shared.errors import DependencyUnavailable
from shared.messages import Upload
from shared.settings import Settings
from tests.contract.adapters.conftest import forget_clients
from tests.contract.adapters.servers import settings_for

CALL_SECONDS = 0.2
PATIENCE = 0.3
BOUND_SECONDS = 20.0


@pytest.fixture
def silent(environment: pytest.MonkeyPatch) -> Iterator[Settings]:
    """Settings under which every server is one that accepts and says nothing."""
    for adapter in (CloudStorage, CloudPublisher, BigQueryWarehouse):
        environment.setattr(adapter, "call_seconds", CALL_SECONDS)
    forget_clients()
    with socket.create_server(("127.0.0.1", 0), backlog=64) as listener:
        address = f"127.0.0.1:{listener.getsockname()[1]}"
        environment.setenv("STORAGE_EMULATOR_HOST", f"http://{address}")
        environment.setenv("BIGQUERY_EMULATOR_HOST", f"http://{address}")
        environment.setenv("PUBSUB_EMULATOR_HOST", address)
        yield settings_for(f"postgresql://sluice@{address}/sluice")
        listener.settimeout(BOUND_SECONDS)
        listener.accept()[0].close()  # it was this server that was called
    forget_clients()


def write(settings: Settings) -> None:
    CloudStorage(settings.project, PATIENCE).write_once("lake", "a", b"a")


def read(settings: Settings) -> None:
    CloudStorage(settings.project, PATIENCE).read("lake", "a")


def write_streamed(settings: Settings) -> None:
    with CloudStorage(settings.project, PATIENCE).open_once("lake", "a") as out:
        out.write(b"a")


def publish(settings: Settings) -> None:
    CloudPublisher(settings.project, PATIENCE).publish("uploads", [Upload(bucket="b", name="n", generation=1)])


def start_a_job(settings: Settings) -> None:
    BigQueryWarehouse(settings, patience=PATIENCE).run("SELECT 1", {}, "a-job")


@pytest.mark.parametrize("call", [write, read, write_streamed, publish, start_a_job], ids=lambda call: call.__name__)
def test_a_call_that_is_not_answered_is_given_up(silent: Settings, call: Callable[[Settings], None]) -> None:
    started = time.monotonic()
    with pytest.raises(DependencyUnavailable):
        call(silent)
    assert time.monotonic() - started < BOUND_SECONDS


def test_a_database_that_does_not_greet_is_given_up(silent: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postgres, "CONNECT_SECONDS", 0.2)
    with pytest.raises(DependencyUnavailable):
        connect(silent, "tests")


def test_a_database_that_does_not_let_in_keeps_no_connection_while_the_error_is_held(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A socket left to the garbage collector is an error in these tests, in whichever test it is collected."""
    monkeypatch.setattr(postgres, "CONNECT_SECONDS", 0.5)

    def refuse_encryption(listener: socket.socket) -> socket.socket:
        accepted = listener.accept()[0]
        accepted.sendall(b"N")
        return accepted

    with socket.create_server(("127.0.0.1", 0)) as listener, ThreadPoolExecutor(1) as pool:
        serving = pool.submit(refuse_encryption, listener)
        with pytest.raises(DependencyUnavailable) as held:
            connect(settings_for(f"postgresql://sluice@127.0.0.1:{listener.getsockname()[1]}/sluice"), "tests")
        with serving.result(BOUND_SECONDS) as accepted:
            accepted.settimeout(BOUND_SECONDS)
            while accepted.recv(1024):
                pass
    assert held.typename == "DependencyUnavailable"


def test_a_database_that_falls_silent_is_given_up_after_its_own_limit(
    database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgres, "SLACK_SECONDS", 1.0)
    monkeypatch.setattr(proxy, "SHARE", 1.1)
    monkeypatch.setattr(proxy, "SILENCE_SECONDS", 30.0)
    with Proxies("s") as proxies:
        session = connect(settings_for(proxies.between("postgres", database, http=False)), "tests", Timeouts(100))
        assert session.row("SELECT 1") == (1,)
        proxies.order("postgres", "silence")
        started = time.monotonic()
        with pytest.raises(DependencyUnavailable) as held:
            session.rows("SELECT 1")
        assert time.monotonic() - started < BOUND_SECONDS
        plain = session.connection._usock
        session.close()
        assert plain.fileno() == -1, f"it is open for as long as {held.typename} is held"
