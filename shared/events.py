"""What wakes a function: a Pub/Sub push envelope, a Scheduler call, or an operator's request.

The functions are plain HTTP and read the envelope themselves, because only so are the subscription and the delivery
attempt known (https://cloud.google.com/pubsub/docs/push#receive_push).
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from flask import Request

from shared.errors import MalformedRecord


@dataclass(frozen=True)
class PushMessage:
    """One Pub/Sub message as it was pushed to us."""

    data: bytes
    attributes: Mapping[str, str]
    message_id: str
    published_at: datetime
    subscription: str
    attempt: int

    @property
    def topic(self) -> str:
        """The topic, by our naming of subscriptions: `<function>-<topic>`."""
        return self.subscription.rsplit("/", 1)[-1].partition("-")[2]


@dataclass(frozen=True)
class ScheduledCall:
    """A call of Cloud Scheduler, which delivers at least once: job and time identify the run."""

    job: str
    scheduled_at: datetime


def push_message(request: Request) -> PushMessage:
    """Read a wrapped push envelope. Raises MalformedRecord: such a request can never succeed."""
    envelope = request.get_json(silent=True)
    message = envelope.get("message") if isinstance(envelope, dict) else None
    if not isinstance(message, dict) or not isinstance(envelope, dict):
        raise MalformedRecord("malformed_envelope", "the request is not a Pub/Sub push envelope with a message")
    try:
        return PushMessage(
            data=base64.b64decode(message.get("data", ""), validate=True),
            attributes=message.get("attributes") or {},
            message_id=str(message["messageId"]),
            published_at=parse_time(message["publishTime"]),
            subscription=str(envelope.get("subscription", "")),
            attempt=int(envelope.get("deliveryAttempt", 1)),
        )
    except (KeyError, ValueError, TypeError, OverflowError) as exc:
        raise MalformedRecord("malformed_envelope", f"the push envelope is unreadable: {type(exc).__name__}") from exc


def is_scheduled(request: Request) -> bool:
    """Whether Cloud Scheduler calls, for a function that messages wake as well."""
    return "X-CloudScheduler-JobName" in request.headers


def scheduled_call(request: Request, default_job: str, now: datetime) -> ScheduledCall:
    """Read the Scheduler's headers; a call without them is an operator's, made now."""
    job = request.headers.get("X-CloudScheduler-JobName", default_job)
    raw = request.headers.get("X-CloudScheduler-ScheduleTime")
    return ScheduledCall(job=job, scheduled_at=parse_time(raw) if raw else now)


def parse_time(text: str) -> datetime:
    """An RFC 3339 time in UTC. Google sends up to nine digits of a second; what is finer than a microsecond is cut."""
    stamp = datetime.fromisoformat(text)
    return stamp.replace(tzinfo=UTC) if stamp.tzinfo is None else stamp.astimezone(UTC)
