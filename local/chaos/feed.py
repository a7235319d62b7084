"""Feeding a running system: once each, whatever happens to the servers, so that the truth stays known."""

from __future__ import annotations

from google.cloud import pubsub_v1, storage  # type: ignore[attr-defined]  # mypy sees one part

from local.chaos.load import Item
from local.stack import BUCKETS, PRODUCT_DATA, PROJECT


class Feeder:
    """The shop's side. It goes to the servers directly and only while they are up: a publish that is tried again would
    be a second message, and no duplicate of ours."""

    def __init__(self) -> None:
        self._storage = storage.Client(project=PROJECT)
        self._publisher = pubsub_v1.PublisherClient()
        self._topic = self._publisher.topic_path(PROJECT, "transactions")

    def feed(self, item: Item) -> None:
        """Let one item come in; durable when it returns."""
        if item.kind == "message":
            self._publisher.publish(self._topic, item.data).result(timeout=30)
        elif item.kind == "catalogue":
            self._storage.bucket(BUCKETS["LAKE_BUCKET"]).blob(PRODUCT_DATA).upload_from_string(item.data)
        else:
            blob = self._storage.bucket(BUCKETS["LANDING_BUCKET"]).blob(item.name)
            blob.upload_from_string(item.data, if_generation_match=0)
