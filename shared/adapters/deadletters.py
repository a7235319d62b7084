"""The dead-letter subscriptions: looking without taking, and sending again; what is sent again is acknowledged."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC
from functools import cache

from google.api_core import exceptions as gax
from google.cloud import pubsub_v1  # type: ignore[attr-defined]  # a namespace package: mypy sees one part
from google.pubsub_v1.types import PubsubMessage

from shared.adapters.pubsub import UNAVAILABLE, CloudPublisher
from shared.domain.redriving import DeadLetter, is_dead_letter_subscription
from shared.errors import DependencyUnavailable

BATCH = 100
HELD_SECONDS = 600
PULL_SECONDS = 3.0  # a pull waits for the first message; where none comes so long, none is there

Wanted = Callable[[DeadLetter], bool]


@cache
def subscriber() -> pubsub_v1.SubscriberClient:
    """One client a process; made at first use, after the worker has forked."""
    return pubsub_v1.SubscriberClient()


class DeadLetters:
    """Every `<function>-<topic>-dead` subscription of the project."""

    pull_seconds = PULL_SECONDS

    def __init__(self, project: str) -> None:
        self._project = f"projects/{project}"
        self._publisher = CloudPublisher(project)
        self._client = subscriber()

    def peek(self, wanted: Wanted = lambda _: True) -> list[DeadLetter]:
        """What lies there; everything is given back."""
        return [letter for letter in self._everywhere(self._look) if wanted(letter)]

    def redrive(self, wanted: Wanted) -> list[DeadLetter]:
        """Send what is wanted to its topic again; the letters that were sent."""
        return self._everywhere(lambda name: self._send_again(name, wanted))

    def _everywhere(self, look: Callable[[str], list[DeadLetter]]) -> list[DeadLetter]:
        """All subscriptions at once: an empty one costs a moment of waiting."""
        with _mapped(self._project):
            found = self._client.list_subscriptions(project=self._project)
            names = sorted(each.name for each in found if is_dead_letter_subscription(each.name))
        with ThreadPoolExecutor(max(len(names), 1)) as pool:
            return [letter for letters in pool.map(look, names) for letter in letters]

    def _look(self, name: str) -> list[DeadLetter]:
        seen: list[DeadLetter] = []
        try:
            for batch in self._batches(name):
                seen += batch
        finally:
            self._give_back(name, seen)
        return list({letter.message_id: letter for letter in seen}.values())

    def _send_again(self, name: str, wanted: Wanted) -> list[DeadLetter]:
        sent: dict[str, DeadLetter] = {}
        left: list[DeadLetter] = []
        try:
            for batch in self._batches(name):
                left += batch
                for letter in filter(wanted, batch):
                    if letter.message_id not in sent:
                        message = PubsubMessage(data=letter.data, attributes=letter.next_attributes())
                        self._publisher.send(letter.topic, [message])
                    with _mapped(name):
                        self._client.acknowledge(subscription=name, ack_ids=[letter.ack_id])
                    left.remove(letter)
                    sent[letter.message_id] = letter
        finally:
            self._give_back(name, left)
        return list(sent.values())

    def _batches(self, name: str) -> Iterator[list[DeadLetter]]:
        """All that is delivered, until nothing new comes; it is held until it is acknowledged or given back.

        A message may come again in a later batch, or twice in one: that delivery too must be answered.
        """
        known: set[str] = set()
        while True:
            with _mapped(name):
                received = self._pull(name)
                if ids := [each.ack_id for each in received]:
                    self._client.modify_ack_deadline(
                        subscription=name, ack_ids=ids, ack_deadline_seconds=HELD_SECONDS
                    )  # fmt: skip
            yield [_letter(name, each) for each in received]
            fresh = {each.message.message_id for each in received} - known
            if not fresh:
                return
            known |= fresh

    def _pull(self, name: str) -> list[pubsub_v1.types.ReceivedMessage]:
        """Some messages; none where none comes within a moment."""
        try:
            answer = self._client.pull(subscription=name, max_messages=BATCH, timeout=self.pull_seconds, retry=None)
        except gax.DeadlineExceeded:
            return []
        return list(answer.received_messages)

    def _give_back(self, name: str, letters: list[DeadLetter]) -> None:
        for start in range(0, len(letters), BATCH):
            ids = [letter.ack_id for letter in letters[start : start + BATCH]]
            with _mapped(name):
                self._client.modify_ack_deadline(subscription=name, ack_ids=ids, ack_deadline_seconds=0)


def _letter(name: str, received: pubsub_v1.types.ReceivedMessage) -> DeadLetter:
    message = received.message
    return DeadLetter(
        name, message.message_id, message.publish_time.astimezone(UTC), bytes(message.data), dict(message.attributes),
        received.ack_id,
    )  # fmt: skip


@contextmanager
def _mapped(what: str) -> Iterator[None]:
    try:
        yield
    except (*UNAVAILABLE, gax.ResourceExhausted, gax.RetryError) as exc:
        raise DependencyUnavailable(f"Pub/Sub does not answer for {what}") from exc
