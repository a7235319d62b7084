"""Publishing by the real client, one request at a time: returned means durable, and nothing waits in a thread."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

from google.api_core import exceptions as gax
from google.api_core.retry import Retry, if_exception_type
from google.cloud import pubsub_v1  # type: ignore[attr-defined]  # a namespace package: mypy sees one part
from google.pubsub_v1 import PublisherClient
from google.pubsub_v1.types import PubsubMessage
from msgspec import Struct

from shared.adapters.ports import CALL_SECONDS, PATIENCE_SECONDS
from shared.errors import ConfigError, DependencyUnavailable, Throttled
from shared.messages import encode

MAX_BATCH_BYTES = 8_000_000  # a publish request may hold 10 MB: https://cloud.google.com/pubsub/quotas
MAX_BATCH_MESSAGES = 1_000
UNAVAILABLE = (gax.ServerError, gax.Aborted, gax.Cancelled)


@cache
def client() -> pubsub_v1.PublisherClient:
    """One client a process; made at first use, after the worker has forked."""
    return pubsub_v1.PublisherClient()


class CloudPublisher:
    """Publisher over google-cloud-pubsub.

    The generated method under the batching client is called directly: a batch in a background thread would make
    "published" mean "queued".
    """

    call_seconds = CALL_SECONDS

    def __init__(self, project: str, patience: float = PATIENCE_SECONDS) -> None:
        self._project = project
        self._client = client()
        again = if_exception_type(*UNAVAILABLE, gax.ResourceExhausted)
        self._retry = Retry(predicate=again, initial=0.1, maximum=10.0, multiplier=2.0, timeout=patience)

    def publish(self, topic: str, messages: Sequence[Struct]) -> None:
        batch: list[PubsubMessage] = []
        size = 0
        for message in messages:
            data = encode(message)
            if batch and (size + len(data) > MAX_BATCH_BYTES or len(batch) == MAX_BATCH_MESSAGES):
                self.send(topic, batch)
                batch, size = [], 0
            batch.append(PubsubMessage(data=data))
            size += len(data)
        if batch:
            self.send(topic, batch)

    def send(self, topic: str, batch: list[PubsubMessage]) -> None:
        """Publish messages as they are, in one request; for those that have attributes of their own."""
        path = f"projects/{self._project}/topics/{topic}"
        try:
            PublisherClient.publish(
                self._client, topic=path, messages=batch, retry=self._retry, timeout=self.call_seconds
            )
        except gax.NotFound as exc:
            raise ConfigError(f"topic {topic} is not there; create what functions.yaml lists") from exc
        except gax.ResourceExhausted as exc:
            raise Throttled(f"Pub/Sub throttles topic {topic}") from exc
        except (*UNAVAILABLE, gax.RetryError) as exc:
            raise DependencyUnavailable(f"Pub/Sub does not take messages for topic {topic}") from exc
