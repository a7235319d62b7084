"""Which notification configs an event concerns, and the message that each of them gets.

The messages go into the outbox table within the transaction of the change itself: an object that exists has its
event stored, whatever happens next.
"""

from __future__ import annotations

import json
from typing import Any

from local.storage.catalog import Catalog
from local.storage.fields import timestamp
from local.storage.resources import StoredObject

FINALIZE = "OBJECT_FINALIZE"
DELETE = "OBJECT_DELETE"
METADATA_UPDATE = "OBJECT_METADATA_UPDATE"
ARCHIVE = "OBJECT_ARCHIVE"
TYPES = (FINALIZE, DELETE, METADATA_UPDATE, ARCHIVE)
TOPIC_PREFIX = "//pubsub.googleapis.com/"


def record(catalog: Catalog, subject: StoredObject, event: str, extra: dict[str, str], base: str) -> None:
    """Queue one message for each config of the bucket that wants this event."""
    for row in catalog.rows("SELECT id, fields FROM notification WHERE bucket = ?", (subject.bucket,)):
        config = json.loads(row["fields"])
        if _wanted(config, subject.name, event):
            payload = json.dumps(subject.resource(base)) if config["payload_format"] == "JSON_API_V1" else ""
            attributes = json.dumps({**_attributes(config, row["id"], subject, event), **extra})
            topic = config["topic"].removeprefix(TOPIC_PREFIX)
            catalog.execute(
                "INSERT INTO outbox (topic, attributes, payload) VALUES (?, ?, ?)", (topic, attributes, payload)
            )


def _wanted(config: dict[str, Any], name: str, event: str) -> bool:
    return event in config.get("event_types", TYPES) and name.startswith(config.get("object_name_prefix", ""))


def _attributes(config: dict[str, Any], number: int, subject: StoredObject, event: str) -> dict[str, str]:
    return {
        **config.get("custom_attributes", {}),
        "notificationConfig": f"projects/_/buckets/{subject.bucket}/notificationConfigs/{number}",
        "eventType": event,
        "payloadFormat": config["payload_format"],
        "bucketId": subject.bucket,
        "objectId": subject.name,
        "objectGeneration": str(subject.generation),
        "eventTime": timestamp(),
    }
