"""Streaming pull, through the client's own subscriber loop."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import pytest
from google.api_core import exceptions
from google.cloud.pubsub_v1.subscriber.futures import StreamingPullFuture  # type: ignore[import-untyped]
from google.cloud.pubsub_v1.subscriber.message import Message  # type: ignore[import-untyped]
from google.cloud.pubsub_v1.types import FlowControl  # type: ignore[import-untyped]

from tests.contract.pubsub.service import Clients, eventually


class Receiver:
    """Collects what comes; refuses the first so many, and may keep everything instead of answering."""

    def __init__(self, *, refuse: int = 0, keep: bool = False) -> None:
        self.messages: list[Message] = []
        self._refuse, self._keep, self._lock = refuse, keep, threading.Lock()

    def __call__(self, message: Message) -> None:
        with self._lock:
            self.messages.append(message)
            refused = len(self.messages) <= self._refuse
        if refused:
            message.nack()
        elif not self._keep:
            message.ack()


@contextmanager
def streaming(
    clients: Clients, subscription: str, receiver: Receiver, flow: FlowControl | None = None
) -> Iterator[StreamingPullFuture]:
    future = clients.subscriber.subscribe(subscription, receiver, flow_control=flow or FlowControl())
    try:
        yield future
    finally:
        future.cancel()
        with suppress(exceptions.NotFound):
            future.result(20)


def test_everything_published_before_and_after_arrives(clients: Clients, topic: str) -> None:
    subscription = clients.subscription(topic)
    early, late = [f"e{n}".encode() for n in range(200)], [f"l{n}".encode() for n in range(200)]
    clients.publish(topic, *early)
    receiver = Receiver()
    with streaming(clients, subscription, receiver):
        clients.publish(topic, *late)
        eventually(lambda: len(receiver.messages) >= 400)
    assert sorted(message.data for message in receiver.messages) == sorted(early + late)


def test_what_was_acknowledged_on_the_stream_is_gone(clients: Clients, topic: str) -> None:
    subscription = clients.subscription(topic)
    clients.publish(topic, b"a", b"b")
    receiver = Receiver()
    with streaming(clients, subscription, receiver):
        eventually(lambda: len(receiver.messages) == 2)
    assert clients.is_empty(subscription)


def test_a_message_refused_on_the_stream_comes_again(clients: Clients, topic: str) -> None:
    subscription = clients.subscription(topic)
    clients.publish(topic, b"retry me")
    receiver = Receiver(refuse=2)
    with streaming(clients, subscription, receiver):
        eventually(lambda: len(receiver.messages) == 3)


def test_no_more_is_outstanding_than_the_client_can_hold(clients: Clients, topic: str) -> None:
    subscription = clients.subscription(topic)
    clients.publish(topic, *[b"x"] * 20)
    receiver = Receiver(keep=True)
    with streaming(clients, subscription, receiver, FlowControl(max_messages=5)):
        eventually(lambda: len(receiver.messages) == 5)
        assert len(clients.pull(subscription, 15, seconds=20)) == 15
        for message in list(receiver.messages):
            message.nack()
        eventually(lambda: len(receiver.messages) > 5)


def test_deleting_the_subscription_ends_the_stream(clients: Clients, topic: str) -> None:
    subscription = clients.subscription(topic)
    with streaming(clients, subscription, Receiver()) as future:
        clients.publish(topic, b"x")
        clients.subscriber.delete_subscription(subscription=subscription)
        with pytest.raises(exceptions.NotFound):
            future.result(20)
