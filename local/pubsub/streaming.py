"""Streaming pull: one open call over which messages flow out and acknowledgements, deadlines and limits come in."""

import asyncio
import math
from collections.abc import AsyncIterator, Coroutine
from typing import Any, TypeVar

from local.pubsub.backlog import BacklogClosed
from local.pubsub.checks import ACK_DEADLINE_LEAST, ACK_DEADLINE_MOST
from local.pubsub.deliveries import AckId, Delivery
from local.pubsub.refusals import invalid, not_found
from local.pubsub.subscription import Subscription
from local.pubsub.wire import Proto, message

StreamingPullResponse = message("StreamingPullResponse")

RESPONSE_LIMIT_MESSAGES = 1_000
RESPONSE_LIMIT_BYTES = 3_500_000


class StreamingPull:
    """One stream: it leases no more than the client said it can hold."""

    def __init__(self, subscription: Subscription, first: Proto) -> None:
        self._subscription = subscription
        self._backlog = subscription.backlog
        self._deadline = _stream_deadline(first.stream_ack_deadline_seconds)
        self._message_limit = first.max_outstanding_messages or math.inf
        self._byte_limit = first.max_outstanding_bytes or math.inf
        self._messages = 0
        self._bytes = 0
        self._room = asyncio.Event()
        self._settle(first)

    async def responses(self, requests: AsyncIterator[Proto]) -> AsyncIterator[Proto]:
        """Messages as they become ready, until the client ends its side or the subscription is deleted."""
        listening = asyncio.ensure_future(self._listen(requests))
        try:
            while True:
                deliveries = await _first_of(self._take(), listening)
                if deliveries is None:
                    return
                received = [self._subscription.received(delivery) for delivery in deliveries]
                yield StreamingPullResponse(received_messages=received)
        except BacklogClosed as closed:
            raise not_found(self._subscription.name) from closed
        finally:
            listening.cancel()

    async def _take(self) -> list[Delivery]:
        while self._messages >= self._message_limit or self._bytes >= self._byte_limit:
            self._room.clear()
            await self._room.wait()
        count = int(min(self._message_limit - self._messages, RESPONSE_LIMIT_MESSAGES))
        size = min(self._byte_limit - self._bytes, RESPONSE_LIMIT_BYTES)
        deliveries = await self._backlog.take(count, size)
        for delivery in deliveries:
            self._messages += 1
            self._bytes += delivery.message.size
            delivery.released = self._released
            self._backlog.extend(AckId(delivery.key, delivery.lease), self._deadline)
        return deliveries

    def _released(self, delivery: Delivery) -> None:
        self._messages -= 1
        self._bytes -= delivery.message.size
        self._room.set()

    async def _listen(self, requests: AsyncIterator[Proto]) -> None:
        async for request in requests:
            if request.stream_ack_deadline_seconds:
                self._deadline = _stream_deadline(request.stream_ack_deadline_seconds)
            self._settle(request)

    def _settle(self, request: Proto) -> None:
        for text in request.ack_ids:
            self._backlog.acknowledge(_parse(text))
        if len(request.modify_deadline_seconds) != len(request.modify_deadline_ack_ids):
            raise invalid("modify_deadline_seconds and modify_deadline_ack_ids must be of the same length.")
        for text, seconds in zip(request.modify_deadline_ack_ids, request.modify_deadline_seconds, strict=True):
            self._backlog.extend(_parse(text), seconds)


def _stream_deadline(seconds: int) -> float:
    if not ACK_DEADLINE_LEAST <= seconds <= ACK_DEADLINE_MOST:
        raise invalid(f"Invalid stream ack deadline given ({seconds}); it must be between 10 and 600 seconds.")
    return float(seconds)


def _parse(text: str) -> AckId:
    ack_id = AckId.parse(text)
    if ack_id is None:
        raise invalid(f"You have passed an invalid ack ID to the service (ack_id={text}).")
    return ack_id


T = TypeVar("T")


async def _first_of(work: Coroutine[Any, Any, T], ending: "asyncio.Future[None]") -> T | None:
    """The result of the work, or None when the ending comes first (its exception, when it has one)."""
    task = asyncio.ensure_future(work)
    try:
        await asyncio.wait((task, ending), return_when=asyncio.FIRST_COMPLETED)
        if task.done():
            return task.result()
        ending.result()
        return None
    finally:
        task.cancel()
