"""Publishing, pulling, acknowledging, deadlines."""

import base64
import threading
import time

import pytest
from google.api_core import exceptions

from tests.contract.pubsub.endpoint import Endpoint
from tests.contract.pubsub.service import Clients, eventually

MEGABYTE = 1_000_000


def test_a_published_message_arrives_with_data_attributes_id_and_time(clients: Clients, topic: str) -> None:
    subscription = clients.subscription(topic)
    [identifier] = clients.publish(topic, b"hello", source="transactions")
    [received] = clients.pull(subscription)
    assert received.message.data == b"hello"
    assert dict(received.message.attributes) == {"source": "transactions"}
    assert received.message.message_id == identifier
    assert abs(received.message.publish_time.timestamp() - time.time()) < 60  # type: ignore[attr-defined]  # proto-plus
    assert received.delivery_attempt == 0


def test_an_acknowledged_message_does_not_come_again(clients: Clients, topic: str) -> None:
    subscription = clients.subscription(topic)
    clients.publish(topic, b"once")
    received = clients.pull(subscription)
    clients.extend(subscription, received, 1)
    clients.acknowledge(subscription, received)
    time.sleep(1.2)
    assert clients.is_empty(subscription)


def test_every_subscription_gets_its_own_copy(clients: Clients, topic: str) -> None:
    first, second = clients.subscription(topic), clients.subscription(topic)
    clients.publish(topic, b"both")
    assert clients.consume(first, 1) == clients.consume(second, 1) == [b"both"]


def test_a_topic_without_subscription_drops_messages(clients: Clients, topic: str) -> None:
    clients.publish(topic, b"too early")
    subscription = clients.subscription(topic)
    clients.publish(topic, b"in time")
    assert clients.consume(subscription, 1) == [b"in time"]
    assert clients.is_empty(subscription)


def test_many_messages_arrive_once_each(clients: Clients, topic: str) -> None:
    subscription = clients.subscription(topic)
    payloads = [str(number).encode() for number in range(1_500)]
    identifiers = clients.publish(topic, *payloads)
    assert len(set(identifiers)) == len(payloads)
    assert sorted(clients.consume(subscription, len(payloads))) == sorted(payloads)
    assert clients.is_empty(subscription)


def test_pull_gives_no_more_than_asked_for(clients: Clients, topic: str) -> None:
    subscription = clients.subscription(topic)
    clients.publish(topic, b"1", b"2", b"3")
    assert len(clients.subscriber.pull(subscription=subscription, max_messages=2).received_messages) <= 2


def test_a_pull_that_waits_is_woken_by_a_publish(clients: Clients, topic: str) -> None:
    subscription = clients.subscription(topic)
    timer = threading.Timer(0.2, clients.publish, (topic, b"late"))
    timer.start()
    assert clients.consume(subscription, 1) == [b"late"]
    timer.join()


def test_an_empty_pull_ends_before_the_client_gives_up(clients: Clients, topic: str) -> None:
    subscription = clients.subscription(topic)
    response = clients.subscriber.pull(subscription=subscription, max_messages=1, timeout=3, retry=None)
    assert not response.received_messages


def test_a_message_given_back_comes_again_at_once(clients: Clients, topic: str) -> None:
    subscription = clients.subscription(topic)
    clients.publish(topic, b"again")
    clients.extend(subscription, clients.pull(subscription), 0)
    assert clients.consume(subscription, 1, seconds=5) == [b"again"]


def test_an_expired_deadline_brings_the_message_back(clients: Clients, topic: str) -> None:
    subscription = clients.subscription(topic)
    clients.publish(topic, b"forgotten")
    received = clients.pull(subscription)
    began = time.monotonic()
    clients.extend(subscription, received, 1)
    assert clients.consume(subscription, 1, seconds=8) == [b"forgotten"]
    assert time.monotonic() - began > 0.8


def test_an_extended_deadline_holds_the_message_back(clients: Clients, topic: str) -> None:
    subscription = clients.subscription(topic)
    clients.publish(topic, b"working")
    received = clients.pull(subscription)
    clients.extend(subscription, received, 1)
    clients.extend(subscription, received, 60)
    assert clients.pull(subscription, seconds=1.3) == []


def test_an_acknowledgement_after_the_deadline_counts(clients: Clients, topic: str) -> None:
    subscription = clients.subscription(topic)
    clients.publish(topic, b"slow")
    received = clients.pull(subscription)
    clients.extend(subscription, received, 0)
    clients.acknowledge(subscription, received)
    assert clients.is_empty(subscription)


def test_an_ack_id_that_was_never_given_out_is_refused(clients: Clients, topic: str) -> None:
    subscription = clients.subscription(topic)
    with pytest.raises(exceptions.InvalidArgument, match="invalid ack ID"):
        clients.subscriber.acknowledge(subscription=subscription, ack_ids=["made-up"])


def test_a_message_of_nearly_ten_megabytes_arrives_whole(clients: Clients, topic: str, endpoint: Endpoint) -> None:
    clients.subscription(topic, push_config=endpoint.push_config)
    payload = bytes(range(256)) * (99 * MEGABYTE // 2_560)
    clients.publish_request(topic, [{"data": payload}])
    eventually(lambda: endpoint.pushes)
    assert base64.b64decode(endpoint.pushes[0].body["message"]["data"]) == payload


def test_a_backlog_larger_than_one_response_is_pulled_in_several(clients: Clients, topic: str) -> None:
    subscription = clients.subscription(topic)
    payload = b"x" * MEGABYTE
    clients.publish(topic, *[payload] * 6)
    assert clients.consume(subscription, 6) == [payload] * 6


def test_a_larger_message_is_refused(clients: Clients, topic: str) -> None:
    with pytest.raises(exceptions.InvalidArgument, match="request_size is too large"):
        clients.publish_request(topic, [{"data": b"x" * (10 * MEGABYTE + 1)}])


@pytest.mark.parametrize(
    ("messages", "complaint"),
    [
        ([], "message_count is too small"),
        ([{"data": b"x"}] * 1_001, "message_count is too large"),
        ([{}], "neither data nor attributes"),
        ([{"data": b"x", "attributes": {"k" * 257: "v"}}], "attribute key"),
        ([{"data": b"x", "attributes": {"k": "v" * 1_025}}], "value of attribute"),
        ([{"data": b"x", "attributes": {f"k{n}": "v" for n in range(101)}}], "at most 100 attributes"),
    ],
)
def test_a_publish_outside_the_limits_is_refused(
    clients: Clients, topic: str, messages: list[dict[str, object]], complaint: str
) -> None:
    with pytest.raises(exceptions.InvalidArgument, match=complaint):
        clients.publish_request(topic, messages)


def test_publishing_to_a_topic_that_is_not_there_is_refused(clients: Clients) -> None:
    with pytest.raises(exceptions.NotFound):
        clients.publish_request("projects/contract/topics/missing", [{"data": b"x"}])
