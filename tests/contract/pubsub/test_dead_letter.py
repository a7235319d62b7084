"""Dead letters: what fails too often goes to another topic, with a note of where it comes from."""

import pytest
from google.api_core import exceptions

from tests.contract.pubsub.endpoint import Endpoint
from tests.contract.pubsub.service import Clients, PubSubControl, eventually

QUICK = {"minimum_backoff": {"seconds": 1}, "maximum_backoff": {"seconds": 1}}


def test_a_push_that_fails_five_times_goes_to_the_dead_letter_topic(
    clients: Clients, topic: str, endpoint: Endpoint, control: PubSubControl
) -> None:
    endpoint.answer = lambda _earlier: 500
    dead_topic = clients.topic()
    dead_subscription = clients.subscription(dead_topic)
    policy = {"dead_letter_topic": dead_topic, "max_delivery_attempts": 5}
    subscription = clients.subscription(
        topic, push_config=endpoint.push_config, retry_policy=QUICK, dead_letter_policy=policy
    )
    [identifier] = clients.publish(topic, b"poison", source="chunks")
    [dead] = clients.pull(dead_subscription)
    assert [push.body["deliveryAttempt"] for push in endpoint.pushes] == [1, 2, 3, 4, 5]
    assert dead.message.data == b"poison"
    assert dead.message.message_id != identifier
    attributes = dict(dead.message.attributes)
    assert attributes.pop("CloudPubSubDeadLetterSourceTopicPublishTime").endswith("Z")
    assert attributes == {
        "source": "chunks",
        "CloudPubSubDeadLetterSourceSubscription": subscription.rpartition("/")[2],
        "CloudPubSubDeadLetterSourceSubscriptionProject": "contract",
        "CloudPubSubDeadLetterSourceDeliveryCount": "5",
    }
    eventually(lambda: control.stats()[subscription].quiet)
    assert control.stats()[subscription].dead_lettered == 1


def test_a_pulled_message_counts_its_attempts(clients: Clients, topic: str) -> None:
    dead_topic = clients.topic()
    dead_subscription = clients.subscription(dead_topic)
    subscription = clients.subscription(topic, dead_letter_policy={"dead_letter_topic": dead_topic})
    clients.publish(topic, b"x")
    for attempt in range(1, 6):
        received = clients.pull(subscription)
        assert received[0].delivery_attempt == attempt
        clients.extend(subscription, received, 0)
    assert clients.consume(dead_subscription, 1) == [b"x"]
    assert clients.is_empty(subscription)


def test_a_dead_letter_topic_that_went_away_keeps_the_message_here(clients: Clients, topic: str) -> None:
    dead_topic = clients.topic()
    subscription = clients.subscription(topic, dead_letter_policy={"dead_letter_topic": dead_topic})
    clients.publisher.delete_topic(topic=dead_topic)
    clients.publish(topic, b"kept")
    for _ in range(5):
        clients.extend(subscription, clients.pull(subscription), 0)
    assert clients.consume(subscription, 1) == [b"kept"]


def test_a_dead_letter_topic_must_be_there(clients: Clients, topic: str) -> None:
    with pytest.raises(exceptions.NotFound):
        clients.subscription(topic, dead_letter_policy={"dead_letter_topic": "projects/contract/topics/missing"})


@pytest.mark.parametrize("attempts", [4, 101])
def test_the_number_of_attempts_has_bounds(clients: Clients, topic: str, attempts: int) -> None:
    policy = {"dead_letter_topic": topic, "max_delivery_attempts": attempts}
    with pytest.raises(exceptions.InvalidArgument, match="max_delivery_attempts"):
        clients.subscription(topic, dead_letter_policy=policy)
