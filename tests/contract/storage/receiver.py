"""A Pub/Sub publisher service of a few lines: keeps what is published, refuses on request, can be away."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import grpc  # type: ignore[import-untyped]
from google.pubsub_v1 import types

REQUEST = types.PublishRequest.pb()
RESPONSE = types.PublishResponse.pb()


@dataclass(frozen=True)
class Received:
    """One message as it arrived."""

    topic: str
    attributes: dict[str, str]
    data: bytes
    at: float

    @property
    def resource(self) -> dict[str, Any]:
        """The payload as JSON."""
        resource: dict[str, Any] = json.loads(self.data)
        return resource


class Receiver:
    """Listens on a port of its own; `stop` and `start` keep the port, so an outage can be played."""

    def __init__(self) -> None:
        self._messages: list[Received] = []
        self._lock = threading.Lock()
        self._refusals = 0
        self._server: Any = None
        self.port = 0
        self.start()

    @property
    def host(self) -> str:
        """What PUBSUB_EMULATOR_HOST would hold."""
        return f"127.0.0.1:{self.port}"

    def start(self) -> None:
        """Listen, at first on a free port, later on the same one."""
        handler = grpc.unary_unary_rpc_method_handler(
            self._publish, request_deserializer=REQUEST.FromString, response_serializer=RESPONSE.SerializeToString
        )
        self._server = grpc.server(ThreadPoolExecutor(4))
        self._server.add_generic_rpc_handlers(
            (grpc.method_handlers_generic_handler("google.pubsub.v1.Publisher", {"Publish": handler}),)
        )
        self.port = self._server.add_insecure_port(f"127.0.0.1:{self.port}")
        self._server.start()

    def stop(self) -> None:
        """Be away."""
        self._server.stop(0).wait()

    def refuse_next(self, times: int) -> None:
        """Answer the next publishes with UNAVAILABLE."""
        self._refusals = times

    def _publish(self, request: types.PublishRequest, context: grpc.ServicerContext) -> types.PublishResponse:
        with self._lock:
            if self._refusals > 0:
                self._refusals -= 1
                context.abort(grpc.StatusCode.UNAVAILABLE, "refused on request")
            now = time.monotonic()
            new = [Received(request.topic, dict(m.attributes), m.data, now) for m in request.messages]
            self._messages += new
            ids = [str(number) for number in range(len(new))]
            answer: types.PublishResponse = RESPONSE(message_ids=ids)
            return answer

    def wait(self, topic: str, count: int, seconds: float = 30) -> list[Received]:
        """The messages of a topic once there are `count` of them."""
        self._wait_until(lambda: len(self.of(topic)) >= count, seconds)
        return self.of(topic)

    def of(self, topic: str) -> list[Received]:
        """The messages of a topic so far."""
        with self._lock:
            return [m for m in self._messages if m.topic.endswith(f"/topics/{topic}")]

    def _wait_until(self, reached: Callable[[], bool], seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while not reached():
            assert time.monotonic() < deadline, "the messages did not arrive in time"
            time.sleep(0.002)
