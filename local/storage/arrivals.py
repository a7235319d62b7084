"""From bytes that have arrived to an object: what it is called, whether the bytes are right, the commit."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from local.storage.errors import invalid
from local.storage.fields import Fields, object_fields
from local.storage.files import Content
from local.storage.objects import Also
from local.storage.preconditions import Preconditions
from local.storage.resources import StoredObject
from local.storage.service import Service

Hashes = dict[str, str]


def commit(
    service: Service,
    bucket: str,
    name: str,
    content: Content,
    fields: Fields,
    when: Preconditions,
    expected: Hashes,
    also: Also | None = None,
) -> StoredObject:
    """Make complete bytes an object, unless they are not the bytes that the client meant to send."""
    try:
        compare_hashes(content, expected)
    except BaseException:
        service.files.remove(content.file)
        raise
    stored = service.objects.put(bucket, name, content, fields, when, also)
    service.changed()
    return stored


def describe(query: Mapping[str, str], resource: dict[str, Any], media_type: str | None) -> tuple[str, Fields]:
    """Name and properties of the object to be; the query wins over the resource for the name."""
    name = query.get("name") or resource.get("name")
    if not isinstance(name, str):
        raise invalid("Required parameter: name")
    fields = object_fields(resource)
    fields.setdefault("contentType", media_type or "application/octet-stream")
    if query.get("contentEncoding"):
        fields["contentEncoding"] = query["contentEncoding"]
    return name, fields


def expected_hashes(resource: Mapping[str, Any], headers: Mapping[str, str]) -> Hashes:
    """The hashes that the client states, in the resource or in its headers."""
    expected = {}
    for part in headers.get("x-goog-hash", "").split(","):
        key, _, value = part.strip().partition("=")
        if key in ("crc32c", "md5"):
            expected[key] = value
    if headers.get("content-md5"):
        expected["md5"] = headers["content-md5"]
    for field, key in (("crc32c", "crc32c"), ("md5Hash", "md5")):
        if resource.get(field):
            expected[key] = str(resource[field])
    return expected


def compare_hashes(content: Content, expected: Hashes) -> None:
    """400 when the bytes that arrived are not the bytes that were meant."""
    for key, actual in (("crc32c", content.crc32c), ("md5", content.md5)):
        if key in expected and expected[key] != actual:
            label = key.upper() if key == "md5" else "CRC32C"
            raise invalid(f'Provided {label} hash "{expected[key]}" doesn\'t match calculated {label} hash "{actual}".')
