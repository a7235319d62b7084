"""Publishes what the outbox table holds until Pub/Sub has taken it.

A thread of its own with the real publisher client: a slow or absent Pub/Sub never delays an upload, and a row is
deleted only after it was published, so a kill in between sends it twice and never loses it.
"""

from __future__ import annotations

import json
import logging
import sqlite3
import threading
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

from local.storage.catalog import connect

logger = logging.getLogger("local.storage.outbox")

BATCH = 100
SHORTEST_PAUSE = 0.1
LONGEST_PAUSE = 1.0
PUBLISH_TIMEOUT = 5.0

Message = dict[str, Any]
Publish = Callable[[str, list[Message]], object]


def publisher(host: str) -> Publish:
    """The real publisher client on a plain channel; imported here because it takes a second to load."""
    import grpc  # type: ignore[import-untyped]
    from google.pubsub_v1.services.publisher import PublisherClient
    from google.pubsub_v1.services.publisher.transports import PublisherGrpcTransport

    reconnect = [("grpc.initial_reconnect_backoff_ms", 100), ("grpc.max_reconnect_backoff_ms", 1000)]
    channel = grpc.insecure_channel(host, options=reconnect)
    client = PublisherClient(transport=PublisherGrpcTransport(channel=channel))

    def publish(topic: str, messages: list[Message]) -> object:
        request = {"topic": topic, "messages": messages}
        return client.publish(request, retry=None, timeout=PUBLISH_TIMEOUT)

    return publish


class Outbox:
    """Drains the outbox table in the background; `wake` after each commit that may have filled it."""

    def __init__(self, path: Path, connect_publisher: Callable[[], Publish]) -> None:
        self._path = path
        self._connect_publisher = connect_publisher
        self._wake = threading.Event()
        self._stopping = False
        self._pauses: dict[str, float] = {}
        self._resume_at: dict[str, float] = {}
        self._thread = threading.Thread(target=self._run, name="outbox", daemon=True)

    def start(self) -> None:
        """Begin with what an earlier run left undelivered."""
        self._thread.start()

    def wake(self) -> None:
        """Look into the table now."""
        self._wake.set()

    def stop(self) -> None:
        """Finish the call in flight; what remains is delivered by the next run."""
        self._stopping = True
        self._wake.set()
        self._thread.join(timeout=PUBLISH_TIMEOUT + 1)

    def _run(self) -> None:
        connection = connect(self._path)
        publish = self._connect_publisher()
        while not self._stopping:
            self._wake.clear()
            if not self._drain(connection, publish):
                self._wake.wait(SHORTEST_PAUSE if self._resume_at else None)
        connection.close()

    def _drain(self, connection: sqlite3.Connection, publish: Publish) -> bool:
        """Publish one batch; true if there may be more to do at once."""
        due = time.monotonic()
        resting = [topic for topic, moment in self._resume_at.items() if moment > due]
        holes = ",".join("?" * len(resting))
        sql = f"SELECT * FROM outbox WHERE topic NOT IN ({holes}) ORDER BY id LIMIT {BATCH}"  # noqa: S608 placeholders
        by_topic: dict[str, list[sqlite3.Row]] = defaultdict(list)
        for row in connection.execute(sql, resting):
            by_topic[row["topic"]].append(row)
        for topic, rows in by_topic.items():
            self._publish(connection, publish, topic, rows)
        return bool(by_topic)

    def _publish(self, connection: sqlite3.Connection, publish: Publish, topic: str, rows: list[sqlite3.Row]) -> None:
        messages = [{"data": r["payload"].encode(), "attributes": json.loads(r["attributes"])} for r in rows]
        try:
            publish(topic, messages)
        except Exception as error:  # whatever the reason, the rows stay and are tried again
            if topic not in self._pauses:
                logger.warning("publish to %s failed (%s); its messages wait", topic, type(error).__name__)
            pause = min(LONGEST_PAUSE, self._pauses.get(topic, SHORTEST_PAUSE / 2) * 2)
            self._pauses[topic], self._resume_at[topic] = pause, time.monotonic() + pause
            return
        if self._pauses.pop(topic, None) is not None:
            del self._resume_at[topic]
            logger.info("publish to %s works again", topic)
        connection.execute("BEGIN IMMEDIATE")
        connection.executemany("DELETE FROM outbox WHERE id = ?", [(row["id"],) for row in rows])
        connection.execute("COMMIT")
