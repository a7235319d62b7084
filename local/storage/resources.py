"""Buckets and objects as the catalogue holds them, and as the JSON API shows them."""

from __future__ import annotations

import base64
import json
import sqlite3
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from local.storage.fields import Fields
from local.storage.files import Content

Resource = dict[str, Any]


def etag(*parts: object) -> str:
    """A tag that changes with every part."""
    return base64.b64encode("/".join(map(str, parts)).encode()).decode()


@dataclass(frozen=True, slots=True)
class StoredObject:
    """One live object."""

    bucket: str
    name: str
    generation: int
    metageneration: int
    content: Content
    created: str
    updated: str
    fields: Fields

    @classmethod
    def read(cls, row: sqlite3.Row) -> StoredObject:
        """From a row of the catalogue."""
        content = Content(row["file"], row["size"], row["crc32c"], row["md5"], row["components"])
        return cls(
            row["bucket"],
            row["name"].decode(),
            row["generation"],
            row["metageneration"],
            content,
            row["created"],
            row["updated"],
            json.loads(row["fields"]),
        )

    @property
    def etag(self) -> str:
        """Changes with the bytes and with the metadata."""
        return etag(self.generation, self.metageneration)

    def resource(self, base: str) -> Resource:
        """The object as the JSON API shows it."""
        name = quote(self.name, safe="~")
        path = f"storage/v1/b/{self.bucket}/o/{name}"
        resource: Resource = {
            "kind": "storage#object",
            "id": f"{self.bucket}/{self.name}/{self.generation}",
            "selfLink": f"{base}/{path}",
            "mediaLink": f"{base}/download/{path}?generation={self.generation}&alt=media",
            "name": self.name,
            "bucket": self.bucket,
            "generation": str(self.generation),
            "metageneration": str(self.metageneration),
            **self.fields,
            "size": str(self.content.size),
            "crc32c": self.content.crc32c,
            "etag": self.etag,
            "timeCreated": self.created,
            "updated": self.updated,
            "timeStorageClassUpdated": self.created,
            "timeFinalized": self.created,
        }
        if self.content.md5 is not None:
            resource["md5Hash"] = self.content.md5
        if self.content.components is not None:
            resource["componentCount"] = self.content.components
        return resource


def bucket_resource(row: sqlite3.Row, base: str) -> Resource:
    """A bucket as the JSON API shows it."""
    name = row["name"]
    return {
        "kind": "storage#bucket",
        "id": name,
        "name": name,
        "selfLink": f"{base}/storage/v1/b/{name}",
        "projectNumber": "0",
        "metageneration": str(row["metageneration"]),
        "location": "US",
        "locationType": "multi-region",
        "storageClass": "STANDARD",
        "iamConfiguration": {"uniformBucketLevelAccess": {"enabled": True}},
        **json.loads(row["fields"]),
        "etag": etag(name, row["metageneration"]),
        "timeCreated": row["created"],
        "updated": row["updated"],
    }


def notification_resource(row: sqlite3.Row, base: str) -> Resource:
    """A notification config as the JSON API shows it."""
    return {
        "kind": "storage#notification",
        "id": str(row["id"]),
        "selfLink": f"{base}/storage/v1/b/{row['bucket']}/notificationConfigs/{row['id']}",
        "etag": etag(row["id"]),
        **json.loads(row["fields"]),
    }
