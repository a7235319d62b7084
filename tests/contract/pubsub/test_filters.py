"""Subscription filters, one by one and through a subscription."""

import pytest
from google.api_core import exceptions

from local.pubsub.filters import parse_filter
from tests.contract.pubsub.service import Clients


@pytest.mark.parametrize(
    ("text", "attributes", "passes"),
    [
        ("", {}, True),
        ("attributes:kind", {"kind": ""}, True),
        ("attributes:kind", {"other": "x"}, False),
        ('attributes.kind = "a"', {"kind": "a"}, True),
        ('attributes.kind="a"', {"kind": "A"}, False),
        ('attributes."a.b/c" = "x"', {"a.b/c": "x"}, True),
        ('attributes.kind = "say \\"hi\\""', {"kind": 'say "hi"'}, True),
        ('hasPrefix(attributes.name, "tran")', {"name": "transactions"}, True),
        ('hasPrefix(attributes.name, "tran")', {"name": "users"}, False),
        ('hasPrefix(attributes.name, "")', {}, False),
        ("NOT attributes:kind", {}, True),
        ("-attributes:kind", {"kind": "a"}, False),
        ('attributes.kind = "a" AND attributes:size', {"kind": "a", "size": "1"}, True),
        ('attributes.kind = "a" OR attributes:size', {"size": "1"}, True),
        ('NOT (attributes.kind = "a" OR attributes.kind = "b")', {"kind": "b"}, False),
        ('attributes:a AND (attributes:b OR NOT attributes.c = "1")', {"a": "", "c": "2"}, True),
    ],
)
def test_a_filter_decides_by_attributes(text: str, attributes: dict[str, str], passes: bool) -> None:
    assert parse_filter(text)(attributes) is passes


@pytest.mark.parametrize(
    "text",
    [
        "kind",
        "attributes",
        "attributes.kind",
        "attributes.kind = a",
        'attributes.kind != "a"',
        "attributes:a AND attributes:b OR attributes:c",
        "(attributes:a",
        "attributes:a attributes:b",
        'data = "x"',
        'hasSuffix(attributes.a, "x")',
        "attributes:a AND",
        "attributes:" + "k" * 256,
        "attributes:a §",
    ],
)
def test_a_filter_that_is_not_understood_is_refused(clients: Clients, topic: str, text: str) -> None:
    with pytest.raises(exceptions.InvalidArgument, match="filter"):
        clients.subscription(topic, filter=text)


def test_only_what_passes_the_filter_is_delivered(clients: Clients, topic: str) -> None:
    users = clients.subscription(topic, filter='hasPrefix(attributes.objectId, "users/")')
    everything = clients.subscription(topic)
    clients.publish(topic, b"1", objectId="users/a.csv")
    clients.publish(topic, b"2", objectId="transactions/a.json")
    assert sorted(clients.consume(everything, 2)) == [b"1", b"2"]
    assert clients.consume(users, 1) == [b"1"]
    assert clients.is_empty(users)
