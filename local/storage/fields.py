"""The properties that a client may set, on objects and on buckets: what is taken, what is refused, how it merges."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from local.storage.errors import invalid, not_supported

Fields = dict[str, Any]

STORAGE_CLASSES = {"STANDARD", "NEARLINE", "COLDLINE", "ARCHIVE", "REGIONAL", "MULTI_REGIONAL"}
OBJECT_TEXTS = ("contentType", "contentEncoding", "contentDisposition", "contentLanguage", "cacheControl")
OBJECT_FIELDS = (*OBJECT_TEXTS, "storageClass", "customTime", "metadata")
OBJECT_REFUSED = ("acl", "temporaryHold", "eventBasedHold", "retention", "kmsKeyName", "customerEncryption", "contexts")
BUCKET_FIELDS = ("location", "storageClass", "labels", "iamConfiguration")
BUCKET_REFUSED = (
    *("lifecycle", "retentionPolicy", "defaultEventBasedHold", "encryption", "website", "cors", "logging", "billing"),
    *("acl", "defaultObjectAcl", "objectRetention", "ipFilter", "customPlacementConfig", "rpo"),
)
SWITCHES = ("versioning", "autoclass", "hierarchicalNamespace")


def timestamp(moment: datetime | None = None) -> str:
    """A time as the service writes it: UTC, milliseconds, Z."""
    moment = datetime.now(UTC) if moment is None else moment.astimezone(UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _time(value: object) -> str:
    try:
        moment = datetime.fromisoformat(str(value))
    except ValueError:
        raise invalid("Invalid value for customTime: an RFC 3339 time is needed.") from None
    if moment.tzinfo is None:
        raise invalid("Invalid value for customTime: the time zone is missing.")
    return timestamp(moment)


def _object_value(key: str, value: object) -> object:
    if key == "customTime":
        return _time(value)
    if key == "metadata":
        if not isinstance(value, dict) or not all(v is None or isinstance(v, str) for v in value.values()):
            raise invalid("Invalid value for metadata: an object of strings is needed.")
        return value
    if not isinstance(value, str):
        raise invalid(f"Invalid value for {key}: a string is needed.")
    if key == "storageClass" and value not in STORAGE_CLASSES:
        raise invalid(f"Invalid storage class: {value}")
    return value


def object_fields(body: Mapping[str, Any]) -> Fields:
    """The settable properties of an object that a body names; null is kept, it means delete."""
    for key in OBJECT_REFUSED:
        if body.get(key):
            raise not_supported(f"the object property {key}")
    return {k: None if body[k] is None else _object_value(k, body[k]) for k in OBJECT_FIELDS if k in body}


def bucket_fields(body: Mapping[str, Any]) -> Fields:
    """The settable properties of a bucket that a body names."""
    for key in BUCKET_REFUSED:
        if body.get(key):
            raise not_supported(f"the bucket property {key}")
    for key in SWITCHES:
        if (body.get(key) or {}).get("enabled"):
            raise not_supported(f"{key} on a bucket; only the live generation of an object is kept")
    if int((body.get("softDeletePolicy") or {}).get("retentionDurationSeconds", 0)):
        raise not_supported("soft delete; a deleted object is gone")
    if body.get("storageClass") not in (None, *STORAGE_CLASSES):
        raise invalid(f"Invalid storage class: {body['storageClass']}")
    return {k: body[k] for k in BUCKET_FIELDS if k in body}


def without_nulls(fields: Fields) -> Fields:
    """What remains when null means absent, also one level down (metadata, labels)."""
    kept = {k: v for k, v in fields.items() if v is not None}
    return {k: {a: b for a, b in v.items() if b is not None} if isinstance(v, dict) else v for k, v in kept.items()}


def merged(old: Fields, changes: Fields) -> Fields:
    """Apply a patch: null deletes a property or one key of metadata or labels, the rest is kept."""
    result = dict(old)
    for key, value in changes.items():
        if isinstance(value, dict) and isinstance(old.get(key), dict):
            result[key] = {**old[key], **value}
        else:
            result[key] = value
    return {k: v for k, v in without_nulls(result).items() if v != {}}
