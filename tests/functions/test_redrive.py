"""redrive sends dead letters again until the guard; what stays becomes one alert a day."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from google.cloud import pubsub_v1  # type: ignore[attr-defined]

from functions.redrive import main as redrive
from local.pubsub.control import PubSubControl
from local.stack import PROJECT, Endpoints
from shared.adapters.deadletters import DeadLetters
from shared.adapters.memory import MemoryPublisher
from shared.errors import DependencyUnavailable
from shared.settings import Settings
from tests.functions.harness import Cloud, settings, unique

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)


def die(subscription: str, data: bytes, **attributes: str) -> str:
    """A message in a dead-letter subscription; its id."""
    topic = f"projects/{PROJECT}/topics/{subscription}-dead"
    return str(pubsub_v1.PublisherClient().publish(topic, data, **attributes).result(timeout=30))


@pytest.fixture
def letters(cloud_settings: Settings, endpoints: Endpoints) -> Iterator[DeadLetters]:
    """The dead-letter subscriptions deliver while the test runs."""
    with PubSubControl(endpoints.pubsub) as control:
        names = [name for name in control.stats() if name.endswith("-dead")]
        for name in names:
            control.resume(name)
        made = DeadLetters(cloud_settings.project)
        made.pull_seconds = 1.0
        yield made
        for name in names:
            control.pause(name)


def run(cloud: Cloud, letters: DeadLetters, publisher: MemoryPublisher | None = None) -> Any:
    return redrive.run(
        session=cloud.session, letters=letters, publisher=publisher or MemoryPublisher(), settings=settings(), now=NOW
    )


def came_again(cloud: Cloud) -> list[Any]:
    """What came to the topic of the loaded feeds since somebody looked last."""
    subscription = f"projects/{PROJECT}/subscriptions/tests-warehouse_loaded"
    found = cloud.subscriber.pull(subscription=subscription, max_messages=100, timeout=20).received_messages
    cloud.subscriber.acknowledge(subscription=subscription, ack_ids=[each.ack_id for each in found])
    return [each.message for each in found]


def test_a_dead_letter_goes_to_its_topic_again_with_its_payload(cloud: Cloud, letters: DeadLetters) -> None:
    marker = unique("alert").encode()
    die("build_marts-warehouse_loaded", b'{"feed_id": 1, "days": [], "marker": "' + marker + b'"}', kept="yes")
    assert run(cloud, letters).outcome == "redriven"
    (message,) = [each for each in came_again(cloud) if marker in each.data]
    assert dict(message.attributes) == {"kept": "yes", "sluice_redrives": "1"}
    assert letters.peek() == []


def test_what_was_sent_again_too_often_stays_and_is_one_alert(cloud: Cloud, letters: DeadLetters) -> None:
    message = die("build_marts-warehouse_loaded", b'{"feed_id": 1, "days": []}', sluice_redrives="3")
    publisher = MemoryPublisher()
    for _ in range(2):
        outcome = run(cloud, letters, publisher)
        assert (outcome.outcome, outcome.rows_bad) == ("idle", 1)
    assert [letter.message_id for letter in letters.peek()] == [message]
    alerts = [alert for alert in publisher.of("alerts") if alert.kind == "dead_letters"]
    assert [(a.severity, a.subject, a.key) for a in alerts] == [
        (
            "critical", "build_marts-warehouse_loaded-dead",
            "dead_letters/build_marts-warehouse_loaded-dead/2026-03-02",
        )
    ]  # fmt: skip
    assert len(letters.redrive(lambda letter: letter.message_id == message)) == 1


def test_a_dead_letter_that_cannot_be_sent_is_not_lost(
    cloud: Cloud, letters: DeadLetters, monkeypatch: pytest.MonkeyPatch
) -> None:
    message = die("validate-transactions", b"{}")

    def fail(*_: object) -> None:
        raise DependencyUnavailable("no")

    with monkeypatch.context() as patch:
        patch.setattr(letters._publisher, "send", fail)
        with pytest.raises(DependencyUnavailable):
            run(cloud, letters)
    assert [letter.message_id for letter in letters.peek()] == [message]
    assert run(cloud, letters).rows_out == 1


def test_a_letter_that_is_slow_to_come_is_seen(
    letters: DeadLetters, cloud_settings: Settings, endpoints: Endpoints
) -> None:
    before = {letter.message_id for letter in letters.peek()}
    with PubSubControl(endpoints.pubsub) as control:
        control.set_faults(delay_seconds=1.5)
        message = die("build_marts-warehouse_loaded", b'{"feed_id": 1, "days": []}')
        control.set_faults(delay_seconds=0.0)
    after = {letter.message_id for letter in DeadLetters(cloud_settings.project).peek()}
    assert after - before == {message}


def test_a_letter_that_is_delivered_more_than_once_is_sent_once_and_every_delivery_of_it_is_answered(
    cloud: Cloud, letters: DeadLetters, endpoints: Endpoints
) -> None:
    """A repeat that nobody answers would count as a dead letter, for the ten minutes that it is held."""
    letters.redrive(lambda _: True)
    marker = unique("thrice").encode()
    with PubSubControl(endpoints.pubsub) as control:
        control.set_faults(copies=3)
        message = die("build_marts-warehouse_loaded", b'{"feed_id": 1, "days": [], "marker": "' + marker + b'"}')
        control.set_faults(copies=1)
        assert [letter.message_id for letter in letters.peek()] == [message]
        assert [letter.message_id for letter in letters.redrive(lambda _: True)] == [message]
        left = control.stats()[f"projects/{PROJECT}/subscriptions/build_marts-warehouse_loaded-dead"]
    assert (left.undelivered, left.outstanding) == (0, 0)
    assert len([each for each in came_again(cloud) if marker in each.data]) == 1
