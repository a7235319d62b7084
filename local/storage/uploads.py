"""Uploads in one request: the bytes alone (media) or after their JSON resource (multipart)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from local.storage import resumable
from local.storage.arrivals import commit, describe, expected_hashes
from local.storage.errors import invalid
from local.storage.multipart import MultipartReader, boundary_of
from local.storage.preconditions import Preconditions
from local.storage.service import Service, json_body


async def upload(service: Service, request: Request, bucket: str) -> Response:
    """One of the three ways to upload; the default is media."""
    kind = request.query_params.get("uploadType", "media")
    if kind == "resumable":
        return await resumable.start(service, request, bucket)
    if kind == "multipart":
        reader = MultipartReader(request.stream(), boundary_of(request.headers.get("content-type", "")))
        resource, media_type = await reader.head()
        return await _store(service, request, bucket, resource, media_type, reader.data())
    if kind == "media":
        media_type = request.headers.get("content-type")
        return await _store(service, request, bucket, {}, media_type, request.stream())
    raise invalid(f"Invalid uploadType: {kind}")


async def insert_empty(service: Service, request: Request, bucket: str) -> Response:
    """An insert without an upload endpoint has metadata only: an object without bytes."""
    return await _store(service, request, bucket, await json_body(request), None, _nothing())


async def _nothing() -> AsyncIterator[bytes]:
    yield b""


async def _store(
    service: Service,
    request: Request,
    bucket: str,
    resource: dict[str, Any],
    media_type: str | None,
    stream: AsyncIterator[bytes],
) -> Response:
    """Stream into a file, compare the hashes, commit."""
    name, fields = describe(request.query_params, resource, media_type)
    when = Preconditions.parse(request.query_params)
    expected = expected_hashes(resource, request.headers)
    service.objects.default_class(bucket)
    writer = service.files.writer()
    try:
        async for data in stream:
            writer.write(data)
        content = await writer.finish()
    except BaseException:
        writer.discard()
        raise
    return JSONResponse(commit(service, bucket, name, content, fields, when, expected).resource(service.base))
