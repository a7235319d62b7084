"""What survives: a kill at any moment loses nothing that was answered."""

import threading

import pytest
from google.api_core import exceptions

from tests.contract.pubsub.conftest import Start
from tests.contract.pubsub.endpoint import Endpoint
from tests.contract.pubsub.service import PROJECT, Clients, Program, PubSubControl, eventually

TOPIC = f"{PROJECT}/topics/chunks"
SUBSCRIPTION = f"{PROJECT}/subscriptions/load"


def test_a_kill_between_publish_and_delivery_loses_nothing(start: Start) -> None:
    program = start()
    clients = Clients(program.host)
    clients.publisher.create_topic(name=TOPIC)
    clients.subscriber.create_subscription(name=SUBSCRIPTION, topic=TOPIC)
    clients.publish(TOPIC, *[f"{number}".encode() for number in range(500)])
    program.kill()
    clients.close()
    clients = Clients(start().host)
    assert set(clients.consume(SUBSCRIPTION, 500)) == {f"{number}".encode() for number in range(500)}
    clients.close()


def test_every_answered_publish_is_delivered_after_a_kill_in_full_flight(start: Start, endpoint: Endpoint) -> None:
    program = start()
    clients = Clients(program.host)
    clients.publisher.create_topic(name=TOPIC)
    settings = {"name": SUBSCRIPTION, "topic": TOPIC, "push_config": endpoint.push_config}
    clients.subscriber.create_subscription(request=settings)
    answered: list[str] = []
    publishers = [threading.Thread(target=publish_until_killed, args=(clients, answered)) for _ in range(4)]
    for publisher in publishers:
        publisher.start()
    eventually(lambda: len(answered) > 100)
    program.kill()
    for publisher in publishers:
        publisher.join()
    clients.close()
    with PubSubControl(start().host) as control:
        eventually(lambda: control.stats()[SUBSCRIPTION].quiet)
    delivered = {push.body["message"]["messageId"] for push in endpoint.pushes}
    assert set(answered) <= delivered


def publish_until_killed(clients: Clients, answered: list[str]) -> None:
    while True:
        try:
            answered += clients.publish_request(TOPIC, [{"data": b"x" * 500}])
        except (exceptions.ServiceUnavailable, exceptions.DeadlineExceeded):
            return


def test_what_was_acknowledged_stays_acknowledged_and_ids_go_on_rising(start: Start) -> None:
    first = restarted_after_one_message(start, b"first")
    second = restarted_after_one_message(start, b"second")
    assert int(second) > int(first)


def restarted_after_one_message(start: Start, payload: bytes) -> str:
    program = start()
    clients = Clients(program.host)
    try:
        clients.publisher.create_topic(name=TOPIC)
        clients.subscriber.create_subscription(name=SUBSCRIPTION, topic=TOPIC)
    except exceptions.AlreadyExists:
        assert clients.is_empty(SUBSCRIPTION)
    [identifier] = clients.publish(TOPIC, payload)
    assert clients.consume(SUBSCRIPTION, 1) == [payload]
    assert program.stop() == 0
    clients.close()
    return identifier


def test_topics_subscriptions_and_their_settings_are_there_after_a_kill(start: Start) -> None:
    program = start()
    clients = Clients(program.host)
    clients.publisher.create_topic(request={"name": TOPIC, "labels": {"stage": "chunks"}})
    made = clients.subscriber.create_subscription(
        request={"name": SUBSCRIPTION, "topic": TOPIC, "filter": "attributes:kind", "ack_deadline_seconds": 600}
    )
    program.kill()
    clients.close()
    clients = Clients(start().host)
    assert clients.publisher.get_topic(topic=TOPIC).labels == {"stage": "chunks"}
    assert clients.subscriber.get_subscription(subscription=SUBSCRIPTION) == made
    clients.publish(TOPIC, b"no")
    clients.publish(TOPIC, b"yes", kind="x")
    assert clients.consume(SUBSCRIPTION, 1) == [b"yes"]
    clients.close()


def test_attempts_are_remembered_across_a_restart(start: Start) -> None:
    program = start()
    clients = Clients(program.host)
    clients.publisher.create_topic(name=TOPIC)
    settings = {"name": SUBSCRIPTION, "topic": TOPIC, "dead_letter_policy": {"dead_letter_topic": TOPIC}}
    clients.subscriber.create_subscription(request=settings)
    clients.publish(TOPIC, b"x")
    for _ in range(2):
        clients.extend(SUBSCRIPTION, clients.pull(SUBSCRIPTION), 0)
    program.stop()
    clients.close()
    clients = Clients(start().host)
    assert clients.pull(SUBSCRIPTION)[0].delivery_attempt == 3
    clients.close()


def test_a_deleted_subscription_stays_deleted(start: Start) -> None:
    program = start()
    clients = Clients(program.host)
    clients.publisher.create_topic(name=TOPIC)
    clients.subscriber.create_subscription(name=SUBSCRIPTION, topic=TOPIC)
    clients.publish(TOPIC, b"x")
    clients.subscriber.delete_subscription(subscription=SUBSCRIPTION)
    program.kill()
    clients.close()
    clients = Clients(start().host)
    with pytest.raises(exceptions.NotFound):
        clients.subscriber.get_subscription(subscription=SUBSCRIPTION)
    clients.close()


def test_an_orderly_stop_exits_with_zero(start: Start) -> None:
    program: Program = start()
    assert program.stop() == 0
