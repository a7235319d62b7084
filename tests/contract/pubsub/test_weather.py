"""The control service: faults on demand, pausing, statistics."""

import time

import pytest
from google.api_core import exceptions

from local.pubsub.control import ControlRefused
from tests.contract.pubsub.conftest import Start
from tests.contract.pubsub.endpoint import Endpoint
from tests.contract.pubsub.service import Clients, PubSubControl, eventually


def numbered(count: int) -> list[bytes]:
    return [f"{number:04}".encode() for number in range(count)]


def test_every_message_can_be_delivered_three_times(
    clients: Clients, topic: str, control: PubSubControl, endpoint: Endpoint
) -> None:
    control.set_faults(copies=3)
    subscription = clients.subscription(topic, push_config=endpoint.push_config)
    [identifier] = clients.publish(topic, b"thrice")
    eventually(lambda: len(endpoint.pushes) == 3)
    assert {push.body["message"]["messageId"] for push in endpoint.pushes} == {identifier}
    eventually(lambda: control.stats()[subscription].quiet)
    assert control.stats()[subscription].acked == 1


def test_a_copy_that_fails_is_not_tried_again(
    clients: Clients, topic: str, control: PubSubControl, endpoint: Endpoint
) -> None:
    endpoint.answer = lambda earlier: 200 if earlier == 0 else 500
    control.set_faults(copies=2)
    subscription = clients.subscription(topic, push_config=endpoint.push_config)
    clients.publish(topic, b"twice")
    eventually(lambda: len(endpoint.pushes) == 2)
    eventually(lambda: control.stats()[subscription].quiet)
    assert len(endpoint.pushes) == 2


def test_a_share_of_the_messages_comes_twice(clients: Clients, topic: str, control: PubSubControl) -> None:
    control.set_faults(duplicate_rate=0.2)
    subscription = clients.subscription(topic)
    clients.publish(topic, *numbered(300))
    eventually(lambda: control.stats()[subscription].undelivered > 300)
    extra = control.stats()[subscription].undelivered - 300
    assert 30 < extra < 90
    assert set(clients.consume(subscription, 300 + extra)) == set(numbered(300))


def test_without_faults_the_order_is_kept_and_with_a_window_it_is_not(
    clients: Clients, topic: str, control: PubSubControl
) -> None:
    """In one request, since the client sends its batches at once, and either may be the first to arrive."""
    subscription = clients.subscription(topic)
    in_order = [{"data": each} for each in numbered(200)]
    clients.publish_request(topic, in_order)
    assert clients.consume(subscription, 200) == numbered(200)
    control.set_faults(shuffle_window=50)
    clients.publish_request(topic, in_order)
    shuffled = clients.consume(subscription, 200)
    assert shuffled != numbered(200)
    assert sorted(shuffled) == numbered(200)


def test_delivery_can_be_delayed(clients: Clients, topic: str, control: PubSubControl) -> None:
    control.set_faults(delay_seconds=0.3, jitter_seconds=0.1)
    subscription = clients.subscription(topic)
    began = time.monotonic()
    clients.publish(topic, b"later")
    assert clients.consume(subscription, 1) == [b"later"]
    assert time.monotonic() - began >= 0.3


def test_failing_publishes_are_retried_by_the_client(clients: Clients, topic: str, control: PubSubControl) -> None:
    subscription = clients.subscription(topic)
    control.set_faults(fail_publishes=2)
    clients.publish(topic, b"through")
    assert control.faults().fail_publishes == 0
    assert clients.consume(subscription, 1) == [b"through"]
    assert clients.is_empty(subscription)


def test_a_paused_subscription_delivers_when_it_is_resumed(
    clients: Clients, topic: str, control: PubSubControl, endpoint: Endpoint
) -> None:
    subscription = clients.subscription(topic, push_config=endpoint.push_config)
    control.pause(subscription)
    clients.publish(topic, b"1", b"2")
    time.sleep(0.2)
    stats = control.stats()[subscription]
    assert (stats.paused, stats.undelivered, stats.quiet, endpoint.pushes) == (True, 2, False, [])
    assert stats.oldest_unacked_seconds > 0.1
    control.resume(subscription)
    eventually(lambda: len(endpoint.pushes) == 2)
    eventually(lambda: control.stats()[subscription].quiet)


def test_statistics_follow_a_message_through(clients: Clients, topic: str, control: PubSubControl) -> None:
    subscription = clients.subscription(topic)
    clients.publish(topic, b"1", b"2", b"3")
    received = clients.pull(subscription, 2)
    stats = control.stats()[subscription]
    assert (stats.received, stats.undelivered, stats.outstanding, stats.acked) == (3, 1, 2, 0)
    clients.acknowledge(subscription, received[:1])
    clients.extend(subscription, received[1:], 0)
    stats = control.stats()[subscription]
    assert (stats.undelivered, stats.outstanding, stats.acked, stats.failed) == (2, 0, 1, 1)


def test_settings_that_mean_nothing_are_refused(clients: Clients, control: PubSubControl) -> None:
    with pytest.raises(ControlRefused, match="duplicate_rate"):
        control.set_faults(duplicate_rate=2)
    with pytest.raises(ControlRefused, match="copies"):
        control.set_faults(copies=0)
    with pytest.raises(ControlRefused, match="NOT_FOUND"):
        control.pause("projects/contract/subscriptions/missing")
    with pytest.raises(exceptions.NotFound):
        clients.subscriber.get_subscription(subscription="projects/contract/subscriptions/missing")


def test_one_message_in_a_hundred_comes_twice_unless_told_otherwise(start: Start) -> None:
    with PubSubControl(start("--seed", "1").host) as control:
        assert control.faults().duplicate_rate == 0.01
        assert control.faults().copies == 1
