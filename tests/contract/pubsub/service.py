"""Starting the local Pub/Sub as a program, and the real clients that talk to it."""

import json
import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from google.api_core import exceptions
from google.cloud import pubsub_v1  # type: ignore[import-untyped,attr-defined]  # ships no types
from google.pubsub_v1 import types
from google.pubsub_v1.services.publisher import PublisherClient as OneRequestPublisher

from local.pubsub.control import PubSubControl

PROJECT = "projects/contract"
STOP_SECONDS = 60

Json = Any  # a message as a dictionary, which the client library accepts wherever it takes a message


class Program:
    """The service as a subprocess, on a free port."""

    def __init__(self, home: Path, *flags: str) -> None:
        command = [sys.executable, "-m", "local.pubsub", "--home", str(home), "--port", "0", *flags]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        ready = json.loads(self._process.stdout.readline())
        assert ready["ready"] is True
        self.host = f"127.0.0.1:{ready['port']}"

    def stop(self) -> int:
        """End it in an orderly way, unless it has ended; the exit code."""
        self._process.terminate()
        return self._end()

    def kill(self) -> None:
        """End it as a crash would."""
        self._process.send_signal(signal.SIGKILL)
        self._end()

    def _end(self) -> int:
        assert self._process.stdout is not None
        code = self._process.wait(STOP_SECONDS)
        self._process.stdout.close()
        return code


@dataclass
class Clients:
    """The real clients of one service, and shorthands for what most tests do."""

    host: str
    publisher: pubsub_v1.PublisherClient = field(init=False)
    subscriber: pubsub_v1.SubscriberClient = field(init=False)

    def __post_init__(self) -> None:
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("PUBSUB_EMULATOR_HOST", self.host)
            self.publisher = pubsub_v1.PublisherClient()
            self.subscriber = pubsub_v1.SubscriberClient()

    def close(self) -> None:
        self.publisher.stop()
        self.publisher.transport.close()
        self.subscriber.close()

    def topic(self, **settings: Any) -> str:
        name = f"{PROJECT}/topics/t-{uuid.uuid4().hex}"
        self.publisher.create_topic(request={"name": name, **settings})
        return name

    def subscription(self, topic: str, **settings: Any) -> str:
        name = f"{PROJECT}/subscriptions/s-{uuid.uuid4().hex}"
        self.subscriber.create_subscription(request={"name": name, "topic": topic, **settings})
        return name

    def publish(self, topic: str, *payloads: bytes, **attributes: str) -> list[str]:
        futures = [self.publisher.publish(topic, payload, **attributes) for payload in payloads]
        return [future.result(60) for future in futures]

    def publish_request(self, topic: str, messages: Sequence[Json]) -> list[str]:
        """One request as it is, past the batching, checks and retries of the high-level client."""
        response = OneRequestPublisher.publish(
            self.publisher, topic=topic, messages=list(messages), retry=None, timeout=30.0
        )
        return list(response.message_ids)

    def pull(self, subscription: str, count: int = 1, *, seconds: float = 5.0) -> list[types.ReceivedMessage]:
        """Lease messages until there are so many or the time is up."""
        received: list[types.ReceivedMessage] = []
        until = time.monotonic() + seconds
        while len(received) < count and (left := until - time.monotonic()) > 0:
            request = {"subscription": subscription, "max_messages": count - len(received)}
            with suppress(exceptions.DeadlineExceeded):  # the time is up while the server still looks
                received += self.subscriber.pull(request=request, timeout=max(left, 0.05), retry=None).received_messages
        return received

    def acknowledge(self, subscription: str, received: list[types.ReceivedMessage]) -> None:
        ack_ids = [message.ack_id for message in received]
        self.subscriber.acknowledge(subscription=subscription, ack_ids=ack_ids)

    def extend(self, subscription: str, received: list[types.ReceivedMessage], seconds: int) -> None:
        ack_ids = [message.ack_id for message in received]
        self.subscriber.modify_ack_deadline(subscription=subscription, ack_ids=ack_ids, ack_deadline_seconds=seconds)

    def consume(self, subscription: str, count: int, *, seconds: float = 30.0) -> list[bytes]:
        """Pull, acknowledge, and return the payloads in the order in which they came."""
        received: list[types.ReceivedMessage] = []
        until = time.monotonic() + seconds
        while len(received) < count and time.monotonic() < until:
            some = self.pull(subscription, count - len(received), seconds=max(until - time.monotonic(), 0.05))
            if some:
                self.acknowledge(subscription, some)
            received += some
        return [message.message.data for message in received]

    def is_empty(self, subscription: str) -> bool:
        request = {"subscription": subscription, "max_messages": 10, "return_immediately": True}
        with pytest.warns(DeprecationWarning, match="return_immediately"):
            return not self.subscriber.pull(request=request).received_messages


def eventually(holds: Callable[[], object], *, seconds: float = 30.0) -> None:
    """Wait until something holds; fail when it does not in time."""
    until = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < until, "it did not come to hold in time"
        time.sleep(0.005)


def other_emulator() -> str | None:
    return os.environ.get("PUBSUB_EMULATOR_HOST")


__all__ = ["PROJECT", "Clients", "Program", "PubSubControl", "eventually", "other_emulator"]
