"""One service for most tests, started once; tests that kill or set it up differently start their own."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.contract.pubsub.endpoint import Endpoint
from tests.contract.pubsub.service import Clients, Program, PubSubControl, other_emulator

Start = Callable[..., Program]

FLAGS = ("--backoff-scale", "0.01", "--duplicate-rate", "0", "--seed", "1")


@pytest.fixture(scope="session")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The service under test: ours, unless PUBSUB_EMULATOR_HOST names another."""
    other = other_emulator()
    if other is not None:
        yield other
        return
    program = Program(tmp_path_factory.mktemp("pubsub"), *FLAGS)
    yield program.host
    assert program.stop() == 0


@pytest.fixture(scope="session")
def clients(host: str) -> Iterator[Clients]:
    made = Clients(host)
    yield made
    made.close()


@pytest.fixture
def topic(clients: Clients) -> str:
    return clients.topic()


@pytest.fixture
def control(host: str) -> Iterator[PubSubControl]:
    """The weather, fair before and after each test."""
    if other_emulator() is not None:
        pytest.skip("only the local Pub/Sub has a control service; PUBSUB_EMULATOR_HOST names another emulator")
    with PubSubControl(host) as made:
        made.clear_faults()
        yield made
        made.clear_faults()


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    made = Endpoint()
    yield made
    made.close()


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Start a service of one's own; every start has the same home."""
    programs: list[Program] = []

    def started(*flags: str) -> Program:
        programs.append(Program(tmp_path / "home", *(flags or FLAGS)))
        return programs[-1]

    yield started
    for program in programs:
        program.stop()
