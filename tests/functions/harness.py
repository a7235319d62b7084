"""What the tests of the functions share: pushes, rows, settings, and the local cloud that the real ones run on."""

from __future__ import annotations

import base64
import json
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

import msgspec
from google.cloud import storage
from google.cloud.pubsub_v1 import SubscriberClient  # type: ignore[import-untyped]
from msgspec import Struct
from werkzeug.test import TestResponse

from local.stack import BUCKETS, PROJECT
from shared import messages
from shared.adapters.ports import ObjectInfo
from shared.adapters.postgres import Session
from shared.events import PushMessage
from shared.settings import Settings, load_settings

LANDING, LAKE, QUARANTINE = (BUCKETS[name] for name in ("LANDING_BUCKET", "LAKE_BUCKET", "QUARANTINE_BUCKET"))
PUBLISHED = datetime(2026, 3, 2, 12, tzinfo=UTC)
DAY = date(2026, 3, 1)
Row = dict[str, Any]


def settings(**more: str) -> Settings:
    """Settings for a run with fakes."""
    return load_settings({"GOOGLE_CLOUD_PROJECT": PROJECT, "CHUNK_ROWS": "10", **BUCKETS, **more})


def unique(prefix: str = "t") -> str:
    """An id that no other test uses."""
    return f"{prefix}-{uuid.uuid4().hex}"


def sale(**changes: object) -> Row:
    """A good transaction."""
    return {
        "transaction_id": unique(), "user_id": unique("u"), "product_id": unique("p"), "amount": "19.99",
        "currency": "GBP", "timestamp": "2026-03-01T10:00:00Z", "payment_method": "card", "status": "completed",
        **changes,
    }  # fmt: skip


def lines(rows: list[Row]) -> bytes:
    """Rows as NDJSON."""
    return b"".join(json.dumps(row).encode() + b"\n" for row in rows)


def push(data: Struct | bytes, subscription: str, attributes: Mapping[str, str] | None = None) -> PushMessage:
    """A message as it is pushed to the function of a subscription `<function>-<topic>`."""
    raw = data if isinstance(data, bytes) else messages.encode(data)
    name = f"projects/{PROJECT}/subscriptions/{subscription}"
    return PushMessage(raw, attributes or {}, unique("m"), PUBLISHED, name, 1)


def landed(info: ObjectInfo, event: str = "OBJECT_FINALIZE") -> PushMessage:
    """The notification of a landing object."""
    facts = {
        "eventType": event, "bucketId": info.bucket, "objectId": info.name, "objectGeneration": str(info.generation)
    }  # fmt: skip
    return push(b"{}", "receive_upload-uploads", facts)


def envelope(message: PushMessage) -> dict[str, Any]:
    """The body of a push request."""
    return {
        "message": {
            "data": base64.b64encode(message.data).decode(),
            "attributes": dict(message.attributes),
            "messageId": message.message_id,
            "publishTime": message.published_at.isoformat(),
        },
        "subscription": message.subscription,
        "deliveryAttempt": message.attempt,
    }


@dataclass
class Cloud:
    """The local cloud without its own functions: what a test calls is all that happens."""

    session: Session
    subscriber: SubscriberClient
    post: Callable[[str, dict[str, Any]], TestResponse]
    get: Callable[..., TestResponse]

    def deliver(self, function: str, message: PushMessage) -> tuple[int, str]:
        """Push a message to a function; the status and the outcome that it answers."""
        answer = self.post(function, envelope(message))
        body = answer.get_json() or {}
        return answer.status_code, str(body.get("outcome", ""))

    def put(self, name: str, data: bytes, bucket: str = LANDING) -> ObjectInfo:
        """Put an object, as a producer does."""
        blob = storage.Client(project=PROJECT).bucket(bucket).blob(name)
        blob.upload_from_string(data)
        return ObjectInfo(bucket, name, int(blob.generation), len(data), "", PUBLISHED, {})

    def take(self, topic: str, kind: type[Struct], belongs: Callable[[Any], bool], count: int = 1) -> list[Any]:
        """The messages of a topic that belong to the test."""
        subscription = f"projects/{PROJECT}/subscriptions/tests-{topic}"
        found: list[Any] = []
        until = time.monotonic() + 60
        while len(found) < count and time.monotonic() < until:
            answer = self.subscriber.pull(subscription=subscription, max_messages=100, timeout=20)
            acks = [each.ack_id for each in answer.received_messages]
            self.subscriber.acknowledge(subscription=subscription, ack_ids=acks)
            decoded = [msgspec.json.decode(each.message.data, type=kind) for each in answer.received_messages]
            found += [message for message in decoded if belongs(message)]
        return found

    def sql(self, text: str, *params: object) -> list[tuple[Any, ...]]:
        return self.session.rows(text, *params)


def later(seconds: float) -> datetime:
    """A time behind PUBLISHED."""
    return PUBLISHED + timedelta(seconds=seconds)
