"""Topics and subscriptions: making, listing, changing, deleting, and what is refused."""

import uuid
from typing import Any

import pytest
from google.api_core import exceptions
from google.pubsub_v1.services.schema_service import SchemaServiceClient

from tests.contract.pubsub.service import PROJECT, Clients, Json

MISSING_TOPIC = f"{PROJECT}/topics/missing"
MISSING_SUBSCRIPTION = f"{PROJECT}/subscriptions/missing"


def test_a_name_that_is_taken_is_refused(clients: Clients, topic: str) -> None:
    subscription = clients.subscription(topic)
    with pytest.raises(exceptions.AlreadyExists):
        clients.publisher.create_topic(name=topic)
    with pytest.raises(exceptions.AlreadyExists):
        clients.subscriber.create_subscription(name=subscription, topic=topic)


def test_what_is_not_there_is_not_found(clients: Clients) -> None:
    with pytest.raises(exceptions.NotFound):
        clients.publisher.get_topic(topic=MISSING_TOPIC)
    with pytest.raises(exceptions.NotFound):
        clients.publisher.delete_topic(topic=MISSING_TOPIC)
    with pytest.raises(exceptions.NotFound):
        clients.subscription(MISSING_TOPIC)
    with pytest.raises(exceptions.NotFound):
        clients.subscriber.pull(subscription=MISSING_SUBSCRIPTION, max_messages=1)
    with pytest.raises(exceptions.NotFound):
        clients.subscriber.acknowledge(subscription=MISSING_SUBSCRIPTION, ack_ids=["1-0-1"])
    with pytest.raises(exceptions.NotFound):
        clients.subscriber.delete_subscription(subscription=MISSING_SUBSCRIPTION)


@pytest.mark.parametrize("identifier", ["ab", "1abc", "google-topic", "a b c", "x" * 256])
def test_a_name_the_service_would_not_take_is_refused(clients: Clients, identifier: str) -> None:
    with pytest.raises(exceptions.InvalidArgument):
        clients.publisher.create_topic(name=f"{PROJECT}/topics/{identifier}")


def test_a_subscription_shows_the_defaults_it_got(clients: Clients, topic: str) -> None:
    made = clients.subscriber.get_subscription(subscription=clients.subscription(topic))
    assert made.topic == topic
    assert made.ack_deadline_seconds == 10
    assert made.message_retention_duration.days == 7


@pytest.mark.parametrize(
    "settings",
    [
        {"ack_deadline_seconds": 9},
        {"ack_deadline_seconds": 601},
        {"message_retention_duration": {"seconds": 599}},
        {"retry_policy": {"minimum_backoff": {"seconds": 20}, "maximum_backoff": {"seconds": 10}}},
        {"retry_policy": {"maximum_backoff": {"seconds": 601}}},
        {"labels": {"Stage": "x"}},
    ],
)
def test_settings_out_of_bounds_are_refused(clients: Clients, topic: str, settings: dict[str, Json]) -> None:
    with pytest.raises(exceptions.InvalidArgument):
        clients.subscription(topic, **settings)


@pytest.mark.parametrize(
    "settings",
    [
        {"enable_message_ordering": True},
        {"enable_exactly_once_delivery": True},
        {"retain_acked_messages": True},
        {"bigquery_config": {"table": "p.d.t"}},
        {"push_config": {"push_endpoint": "http://127.0.0.1/", "no_wrapper": {"write_metadata": True}}},
    ],
)
def test_settings_that_are_not_done_here_are_refused(clients: Clients, topic: str, settings: dict[str, Json]) -> None:
    with pytest.raises(exceptions.MethodNotImplemented, match="not supported here"):
        clients.subscription(topic, **settings)


def test_ordering_keys_and_seek_and_snapshots_are_refused(clients: Clients, topic: str) -> None:
    subscription = clients.subscription(topic)
    with pytest.raises(exceptions.MethodNotImplemented, match="ordering_key is not supported here"):
        clients.publish_request(topic, [{"data": b"x", "ordering_key": "k"}])
    with pytest.raises(exceptions.MethodNotImplemented, match=r"Subscriber\.Seek is not supported here"):
        clients.subscriber.seek(request={"subscription": subscription})
    with pytest.raises(exceptions.MethodNotImplemented, match=r"Subscriber\.CreateSnapshot is not supported here"):
        clients.subscriber.create_snapshot(name=f"{PROJECT}/snapshots/abc", subscription=subscription)


def test_schemas_are_refused(clients: Clients) -> None:
    transport = SchemaServiceClient.get_transport_class("grpc")(channel=clients.publisher.transport.grpc_channel)
    with pytest.raises(exceptions.MethodNotImplemented, match=r"SchemaService\.ListSchemas is not supported here"):
        SchemaServiceClient(transport=transport).list_schemas(parent=PROJECT)


def test_an_update_changes_the_named_fields_and_no_others(clients: Clients, topic: str) -> None:
    subscription = clients.subscription(topic, labels={"stage": "load"})
    clients.subscriber.update_subscription(
        request={
            "subscription": {
                "name": subscription,
                "ack_deadline_seconds": 60,
                "retry_policy": {"minimum_backoff": {"seconds": 5}},
                "labels": {"stage": "never"},
            },
            "update_mask": {"paths": ["ack_deadline_seconds", "retry_policy"]},
        }
    )
    changed = clients.subscriber.get_subscription(subscription=subscription)
    assert changed.ack_deadline_seconds == 60
    assert changed.retry_policy.minimum_backoff.seconds == 5
    assert dict(changed.labels) == {"stage": "load"}


@pytest.mark.parametrize("paths", [["filter"], ["topic"], ["nonsense"], []])
def test_an_update_of_anything_else_is_refused(clients: Clients, topic: str, paths: list[str]) -> None:
    request: dict[str, Any] = {
        "subscription": {"name": clients.subscription(topic), "filter": "attributes:x"},
        "update_mask": {"paths": paths},
    }
    with pytest.raises(exceptions.InvalidArgument, match="update_mask"):
        clients.subscriber.update_subscription(request=request)


def test_a_topic_can_change_its_labels(clients: Clients, topic: str) -> None:
    request = {"topic": {"name": topic, "labels": {"stage": "x"}}, "update_mask": {"paths": ["labels"]}}
    clients.publisher.update_topic(request=request)
    assert dict(clients.publisher.get_topic(topic=topic).labels) == {"stage": "x"}


def test_lists_come_in_pages_and_hold_everything_once(clients: Clients) -> None:
    project = f"projects/p-{uuid.uuid4().hex[:8]}"
    topics = [f"{project}/topics/t-{number:02}" for number in range(7)]
    for name in topics:
        clients.publisher.create_topic(name=name)
    first = next(clients.publisher.list_topics(request={"project": project, "page_size": 3}).pages)
    assert ([each.name for each in first.topics], bool(first.next_page_token)) == (topics[:3], True)
    listed = [each.name for each in clients.publisher.list_topics(request={"project": project, "page_size": 3})]
    assert listed == topics
    subscriptions = [f"{project}/subscriptions/s-{number}" for number in range(5)]
    for name in subscriptions:
        clients.subscriber.create_subscription(name=name, topic=topics[0])
    request = {"project": project, "page_size": 2}
    assert [each.name for each in clients.subscriber.list_subscriptions(request=request)] == subscriptions
    of_topic = clients.publisher.list_topic_subscriptions(request={"topic": topics[0], "page_size": 2})
    assert list(of_topic) == subscriptions


def test_a_made_up_page_token_is_refused(clients: Clients) -> None:
    with pytest.raises(exceptions.InvalidArgument, match="page token"):
        clients.publisher.list_topics(request={"project": PROJECT, "page_token": "???"})


def test_a_subscription_outlives_its_topic_with_what_it_has(clients: Clients, topic: str) -> None:
    subscription = clients.subscription(topic)
    clients.publish(topic, b"left")
    clients.publisher.delete_topic(topic=topic)
    assert clients.subscriber.get_subscription(subscription=subscription).topic == "_deleted_topic_"
    assert clients.consume(subscription, 1) == [b"left"]
