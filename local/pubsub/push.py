"""Push: POST each message to the subscription's endpoint, and take the status for an acknowledgement or a refusal."""

import asyncio
import base64
import json
import logging
from collections.abc import Callable
from typing import Any

from local.pubsub.backlog import Backlog, BacklogClosed
from local.pubsub.deliveries import Delivery, State
from local.pubsub.http_post import BrokenResponse, Endpoint, HttpPoster
from local.pubsub.wire import Proto, message

log = logging.getLogger(__name__)

ACKNOWLEDGED = frozenset({102, 200, 201, 202, 204})
HEADERS = {"Content-Type": "application/json", "Accept": "application/json", "User-Agent": "CloudPubSub-Google"}

PubsubMessage = message("PubsubMessage")


class Pusher:
    """A fixed number of workers, each with one message out at a time: that number bounds what is outstanding."""

    def __init__(self, resource: Proto, backlog: Backlog, body: Callable[[int], bytes], poster: HttpPoster) -> None:
        self._name = str(resource.name)
        self._endpoint = Endpoint.parse(resource.push_config.push_endpoint)
        self._backlog = backlog
        self._body = body
        self._poster = poster
        self._stopping = False
        self._failing = False
        self._workers: set[asyncio.Task[None]] = set()
        self._idle: set[asyncio.Task[None]] = set()

    def start(self, outstanding: int) -> None:
        for _ in range(outstanding):
            worker = asyncio.get_running_loop().create_task(self._work())
            self._workers.add(worker)
            worker.add_done_callback(self._workers.discard)

    def stop(self) -> None:
        """Take no more messages; what is out is waited for by its worker."""
        self._stopping = True
        for worker in self._idle:
            worker.cancel()

    async def cancel(self) -> None:
        """Stop at once; what is out comes again after the next start."""
        workers = list(self._workers)
        for worker in workers:
            worker.cancel()
        await asyncio.gather(*workers, return_exceptions=True)

    async def _work(self) -> None:
        while not self._stopping:
            try:
                delivery = await self._next()
            except BacklogClosed:
                return
            try:
                acknowledged = await self._push(delivery)
            except Exception:
                log.exception("push of %s failed in an unforeseen way; the message will be tried again", self._name)
                acknowledged = False
            if acknowledged:
                self._backlog.settle(delivery)
            elif delivery.state is State.LEASED:
                self._backlog.fail(delivery)

    async def _next(self) -> Delivery:
        worker = asyncio.current_task()
        assert worker is not None
        self._idle.add(worker)
        try:
            [delivery] = await self._backlog.take(1, leased=False)
        finally:
            self._idle.discard(worker)
        return delivery

    async def _push(self, delivery: Delivery) -> bool:
        try:
            async with asyncio.timeout(self._backlog.policy.ack_deadline):
                status = await self._poster.post(self._endpoint, self._wrapped(delivery), HEADERS)
        except (OSError, EOFError, BrokenResponse) as error:
            self._report(f"{type(error).__name__}: {error}")
            return False
        if status not in ACKNOWLEDGED:
            self._report(f"HTTP {status}")
            return False
        self._failing = False
        return True

    def _report(self, outcome: str) -> None:
        """The first failure after a success is worth a line; those that follow it are the same news."""
        level = logging.DEBUG if self._failing else logging.WARNING
        self._failing = True
        log.log(level, "push of %s to port %s not acknowledged: %s", self._name, self._endpoint.port, outcome)

    def _wrapped(self, delivery: Delivery) -> bytes:
        item = PubsubMessage.FromString(self._body(delivery.message.number))
        published = item.publish_time.ToJsonString()
        wrapped: dict[str, Any] = {
            "messageId": item.message_id,
            "message_id": item.message_id,
            "publishTime": published,
            "publish_time": published,
        }
        if item.data:
            wrapped["data"] = base64.b64encode(item.data).decode()
        if item.attributes:
            wrapped["attributes"] = dict(item.attributes)
        body: dict[str, Any] = {"message": wrapped, "subscription": self._name}
        if self._backlog.policy.attempt_limit is not None:
            body["deliveryAttempt"] = delivery.failures + 1
        return json.dumps(body).encode()
