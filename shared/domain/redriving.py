"""What is known of a dead letter, and how it is sent again: its identity is kept, its attempts are counted. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

REDRIVES = "sluice_redrives"
"""Attribute: how often the message was sent again."""
MESSAGE_ID = "sluice_message_id"
"""Attribute of a message of the stream: the id that names its chunk, whatever id it is delivered under."""
PUBLISHED_AT = "sluice_published_at"
"""Attribute of a message of the stream: when its producer published it."""
_BY_PLATFORM = "CloudPubSub"
_SOURCE_TIME = "CloudPubSubDeadLetterSourceTopicPublishTime"
_ATTEMPTS = "CloudPubSubDeadLetterSourceDeliveryCount"
_KINDS = {
    "uploads": ("name", "objectId"), "chunks": ("chunk_id", ""), "validated": ("chunk_id", ""),
    "enriched": ("feed_id", ""), "warehouse_loaded": ("feed_id", ""), "alerts": ("key", ""),
}  # fmt: skip
_SUFFIX = "-dead"


@dataclass(frozen=True)
class DeadLetter:
    """One message that failed too often; its payload is not shown to anybody."""

    subscription: str
    message_id: str
    died_at: datetime
    data: bytes
    attributes: Mapping[str, str]
    ack_id: str

    @property
    def function(self) -> str:
        """The function that could not handle it, by our naming `<function>-<topic>-dead`."""
        return self._names[0]

    @property
    def topic(self) -> str:
        """The topic that it was on and is sent to again."""
        return self._names[1]

    @property
    def _names(self) -> tuple[str, str]:
        function, _, topic = self.subscription.rpartition("/")[2].removesuffix(_SUFFIX).partition("-")
        return function, topic

    @property
    def redrives(self) -> int:
        """How often it was sent again before."""
        return _number(self.attributes.get(REDRIVES))

    @property
    def attempts(self) -> int:
        """Deliveries that failed before it came here."""
        return _number(self.attributes.get(_ATTEMPTS))

    def about(self) -> str:
        """What the message is about: a chunk, file or feed; of a message of the stream only its id is known."""
        field, attribute = _KINDS.get(self.topic, ("", ""))
        if attribute in self.attributes:
            return self.attributes[attribute]
        try:
            fields: Any = json.loads(self.data) if field else {}
        except (ValueError, RecursionError):
            return "unreadable"
        value = fields.get(field) if isinstance(fields, dict) else None
        return str(value) if value is not None else self.attributes.get(MESSAGE_ID, self.message_id)

    def next_attributes(self) -> dict[str, str]:
        """The attributes that it is sent again with; what the platform added is left out."""
        kept = {name: value for name, value in self.attributes.items() if not name.startswith(_BY_PLATFORM)}
        if self.topic == "transactions":
            kept.setdefault(MESSAGE_ID, self.message_id)
            kept.setdefault(PUBLISHED_AT, self.attributes.get(_SOURCE_TIME, self.died_at.isoformat()))
        return {**kept, REDRIVES: str(self.redrives + 1)}

    def as_fields(self, now: datetime) -> dict[str, Any]:
        """What a list shows."""
        return {
            "message_id": self.message_id, "function": self.function, "topic": self.topic, "about": self.about(),
            "age_seconds": round((now - self.died_at).total_seconds()), "bytes": len(self.data),
            "attempts": self.attempts, "redrives": self.redrives,
        }  # fmt: skip


def first_published(attributes: Mapping[str, str], otherwise: datetime) -> datetime:
    """When the producer published a message of the stream that was sent again."""
    try:
        stamp = datetime.fromisoformat(attributes[PUBLISHED_AT])
    except (KeyError, ValueError):
        return otherwise
    return stamp if stamp.tzinfo else stamp.replace(tzinfo=UTC)


def is_dead_letter_subscription(name: str) -> bool:
    """Whether the subscription holds dead letters, by its name."""
    return name.endswith(_SUFFIX)


def _number(text: str | None) -> int:
    return int(text) if text and text.isdecimal() else 0
