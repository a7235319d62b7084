"""What the tests of operators' orders share: the account, the tables, and messages that are delivered again."""

from __future__ import annotations

import random
from typing import Any

from google.cloud import pubsub_v1  # type: ignore[attr-defined]

from local.stack import PROJECT
from tests.integration.pipeline.harness import Pipeline

CONTENT = """
    SELECT t.transaction_id, t.amount, t.currency, t.payment_method, t.status, t.version, t.last_event_at
    FROM commerce.transactions t ORDER BY 1
"""
TABLES = ("users", "user_version", "products", "product_version", "inventory_level", "fx_rates")
ACCOUNT = "SELECT sum(received)::int, sum(inserted)::int, sum(quarantined)::int, sum(held)::int FROM pipeline.chunk"


def lines(*rows: bytes) -> bytes:
    return b"".join(text + b"\n" for text in rows)


def equation(running: Pipeline) -> None:
    """It holds for what is loaded or held; nothing else is there."""
    wrong = running.one(
        """SELECT count(*) FROM pipeline.chunk c WHERE state <> 'registered' AND (
           received <> inserted + updated + unchanged + superseded + quarantined + held OR quarantined
           <> (SELECT count(*) FROM pipeline.quarantined_row q WHERE q.chunk_key = c.chunk_key))"""
    )
    assert wrong == 0


def snapshot(running: Pipeline) -> list[Any]:
    """The business tables, without lineage and bookkeeping."""
    leave = "ARRAY['change_seq', 'source_chunk', 'source_line', 'version', 'flags']"
    others = [running.sql(f"SELECT (to_jsonb(t) - {leave})::text FROM commerce.{name} t ORDER BY 1") for name in TABLES]
    return [running.sql(CONTENT), *others, running.sql("SELECT user_key, email FROM identity.contact ORDER BY 1")]


def again(running: Pipeline, topic: str, messages: list[bytes], seed: int = 1) -> None:
    """Deliver messages twice more, shuffled."""
    publisher = pubsub_v1.PublisherClient()
    twice = [*messages, *messages]
    random.Random(seed).shuffle(twice)  # noqa: S311 (an order, not a secret)
    for data in twice:
        publisher.publish(f"projects/{PROJECT}/topics/{topic}", data).result(timeout=30)
    running.quiet()


class Listening:
    """Keeps what goes over some topics, to deliver it again."""

    def __init__(self, running: Pipeline, *topics: str) -> None:
        self._running = running
        self._client = pubsub_v1.SubscriberClient()
        self._names = {t: f"projects/{PROJECT}/subscriptions/listening-{t}" for t in topics}

    def __enter__(self) -> Listening:
        for topic, name in self._names.items():
            self._client.create_subscription(name=name, topic=f"projects/{PROJECT}/topics/{topic}")
        return self

    def __exit__(self, *_: object) -> None:
        for name in self._names.values():
            self._client.delete_subscription(subscription=name)
        self._client.close()

    def heard(self, topic: str) -> list[bytes]:
        """What was published since; the service says when that is all."""
        name, found = self._names[topic], list[bytes]()
        with self._running.control() as control:
            while control.stats()[name].undelivered:
                got = self._client.pull(subscription=name, max_messages=100, timeout=30).received_messages
                self._client.acknowledge(subscription=name, ack_ids=[each.ack_id for each in got])
                found += [each.message.data for each in got]
        return found
