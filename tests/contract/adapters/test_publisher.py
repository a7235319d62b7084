"""Publisher: what the fake and Pub/Sub's adapter have in common."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime

import pytest

from local.process import ServerProcess
from shared import messages
from shared.adapters import pubsub
from shared.adapters.memory import MemoryPublisher
from shared.adapters.ports import Publisher
from shared.adapters.pubsub import MAX_BATCH_MESSAGES, CloudPublisher
from shared.errors import ConfigError, DependencyUnavailable, TransientError
from shared.messages import Payload, Upload, Validated, WarehouseLoaded
from tests.contract.adapters.servers import PROJECT, Servers, nobody_listens
from tests.contract.pubsub.service import Clients, PubSubControl

Take = Callable[[int], list[bytes]]


@dataclass
class Subject:
    """A publisher, a topic that is there, and how its messages are received."""

    publisher: Publisher
    topic: str
    take: Take


@pytest.fixture(scope="module")
def service(servers: Servers, environment: pytest.MonkeyPatch) -> ServerProcess:
    server = servers.get("pubsub", "--backoff-scale", "0.01", "--duplicate-rate", "0")
    environment.setenv("PUBSUB_EMULATOR_HOST", f"127.0.0.1:{server.port}")
    return server


@pytest.fixture(scope="module")
def clients(service: ServerProcess) -> Iterator[Clients]:
    made = Clients(f"127.0.0.1:{service.port}")
    yield made
    made.close()


@pytest.fixture
def cloud(clients: Clients) -> Subject:
    topic = f"t-{uuid.uuid4().hex}"
    path = f"projects/{PROJECT}/topics/{topic}"
    clients.publisher.create_topic(request={"name": path})
    subscription = clients.subscription(path)
    return Subject(CloudPublisher(PROJECT, patience=5), topic, lambda count: clients.consume(subscription, count))


@pytest.fixture(params=["memory", "cloud"])
def subject(request: pytest.FixtureRequest) -> Subject:
    if request.param == "cloud":
        found: Subject = request.getfixturevalue("cloud")
        return found
    fake = MemoryPublisher(topics=["there"])
    return Subject(fake, "there", lambda count: [data for _, data in fake.data[:count]])


def upload(number: int) -> Upload:
    return Upload(bucket="b", name=f"n{number}", generation=number)


def test_each_message_arrives_as_it_is_encoded(subject: Subject) -> None:
    sent = [upload(1), upload(2), WarehouseLoaded(feed_id=7, days=[date(2026, 3, 1)])]
    subject.publisher.publish(subject.topic, sent)
    assert sorted(subject.take(3)) == sorted(messages.encode(message) for message in sent)


def test_no_messages_are_no_request(subject: Subject) -> None:
    subject.publisher.publish("not-there", [])


def test_more_messages_than_one_request_may_hold_all_arrive(subject: Subject) -> None:
    sent = [upload(number) for number in range(2 * MAX_BATCH_MESSAGES + 1)]
    subject.publisher.publish(subject.topic, sent)
    assert sorted(subject.take(len(sent))) == sorted(messages.encode(message) for message in sent)


def test_more_bytes_than_one_request_may_hold_all_arrive(subject: Subject) -> None:
    sent = [large(number) for number in range(3)]
    subject.publisher.publish(subject.topic, sent)
    assert sorted(subject.take(3)) == sorted(messages.encode(message) for message in sent)


def large(number: int) -> Validated:
    return Validated(
        chunk_id=f"c{number}", file_id=None, source="transactions", ordinal=0, received=1, valid=1, quarantined=0,
        state="valid", landed_at=datetime(2026, 3, 1, tzinfo=UTC), rows=Payload(inline="x" * 4_000_000),
    )  # fmt: skip


def test_a_missing_topic_is_an_error_of_the_installation(subject: Subject) -> None:
    with pytest.raises(ConfigError, match="not-there"):
        subject.publisher.publish("not-there", [upload(1)])


def test_a_fault_that_passes_is_overcome(cloud: Subject, service: ServerProcess) -> None:
    with PubSubControl(f"127.0.0.1:{service.port}") as control:
        control.set_faults(fail_publishes=2)
        cloud.publisher.publish(cloud.topic, [upload(1)])
        control.clear_faults()
    assert cloud.take(1) == [messages.encode(upload(1))]


def test_a_fault_that_stays_is_transient(cloud: Subject, service: ServerProcess) -> None:
    with PubSubControl(f"127.0.0.1:{service.port}") as control:
        control.set_faults(fail_publishes=1_000)
        with pytest.raises(TransientError):
            CloudPublisher(PROJECT, patience=0.2).publish(cloud.topic, [upload(1)])
        control.clear_faults()


def test_a_service_that_is_down_is_unavailable(monkeypatch: pytest.MonkeyPatch) -> None:
    with nobody_listens() as host:
        monkeypatch.setenv("PUBSUB_EMULATOR_HOST", host)
        pubsub.client.cache_clear()
        try:
            with pytest.raises(DependencyUnavailable, match="uploads"):
                CloudPublisher(PROJECT, patience=0.2).publish("uploads", [upload(1)])
        finally:
            pubsub.client.cache_clear()
