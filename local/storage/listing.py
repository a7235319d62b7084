"""Listing objects in the order of their UTF-8 names, page by page, folders rolled up by a delimiter."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from local.storage.errors import invalid, not_supported
from local.storage.preconditions import integer
from local.storage.resources import Resource, StoredObject
from local.storage.service import Service

MOST = 1000


def after_prefix(prefix: bytes) -> bytes:
    """The first name behind all names with a prefix; UTF-8 has no byte 255, so adding one always works."""
    return prefix[:-1] + bytes((prefix[-1] + 1,))


def _entries(
    service: Service, bucket: str, start: bytes, end: bytes | None, prefix: str, delimiter: str
) -> Iterator[tuple[bytes, StoredObject | str]]:
    """Objects and rolled-up prefixes from `start` on, each with the place where the listing goes on after it.

    A prefix is skipped by seeking behind it, so a folder costs one step however many objects it has.
    """
    sql = "SELECT * FROM object WHERE bucket = ? AND name >= ? AND (? IS NULL OR name < ?) ORDER BY name LIMIT 200"
    place = start
    while rows := service.catalog.rows(sql, (bucket, place, end, end)):
        for row in rows:
            if row["name"] < place:
                continue
            name = row["name"].decode()
            cut = name.find(delimiter, len(prefix)) if delimiter else -1
            if cut >= 0:
                folder = name[: cut + len(delimiter)]
                place = after_prefix(folder.encode())
                yield place, folder
            else:
                place = row["name"] + b"\0"
                yield place, StoredObject.read(row)


async def list_objects(service: Service, request: Request, bucket: str) -> Response:
    """One page of a bucket.

    versions=true changes nothing: versioning cannot be switched on, so the live generations are all there are.
    """
    query = request.query_params
    service.objects.default_class(bucket)
    if query.get("includeTrailingDelimiter", "").lower() == "true":
        raise not_supported("the parameter includeTrailingDelimiter")
    prefix, delimiter = query.get("prefix", ""), query.get("delimiter", "")
    limit = min(integer(query, "maxResults") or MOST, MOST)
    start = max(prefix.encode(), query.get("startOffset", "").encode(), _token(query.get("pageToken")))
    ends = [query["endOffset"].encode()] if query.get("endOffset") else []
    if prefix:
        ends.append(after_prefix(prefix.encode()))
    items: list[Resource] = []
    folders: list[str] = []
    page: dict[str, object] = {"kind": "storage#objects"}
    place = start
    for next_place, entry in _entries(service, bucket, start, min(ends, default=None), prefix, delimiter):
        if len(items) + len(folders) == limit:
            page["nextPageToken"] = base64.urlsafe_b64encode(place).decode()
            break
        place = next_place
        if isinstance(entry, str):
            folders.append(entry)
        else:
            items.append(entry.resource(service.base))
    page |= {key: value for key, value in (("items", items), ("prefixes", folders)) if value}
    return JSONResponse(page)


def _token(token: str | None) -> bytes:
    try:
        return base64.urlsafe_b64decode(token or "")
    except (binascii.Error, ValueError):
        raise invalid("Invalid pageToken.") from None
