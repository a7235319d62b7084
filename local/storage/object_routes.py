"""Objects: read, change, delete, copy, rewrite and compose."""

from __future__ import annotations

import asyncio
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from local.storage.downloads import download
from local.storage.errors import condition_not_met, invalid, not_modified
from local.storage.fields import object_fields
from local.storage.files import READ_SIZE, Content
from local.storage.preconditions import Preconditions, integer
from local.storage.resources import StoredObject
from local.storage.service import Service, json_body

MOST_SOURCES = 32


def _read(service: Service, request: Request, bucket: str, name: str) -> StoredObject:
    """The object that a read asks for, entity tags considered."""
    query = request.query_params
    when = Preconditions.parse(query)
    found = service.objects.get(bucket, name, when, integer(query, "generation"), reading=True)
    tags = {tag.strip().strip('"') for tag in request.headers.get("if-match", "").split(",")} - {""}
    if tags and not tags & {found.etag, "*"}:
        raise condition_not_met()
    tags = {tag.strip().strip('"') for tag in request.headers.get("if-none-match", "").split(",")} - {""}
    if tags & {found.etag, "*"}:
        raise not_modified()
    return found


def _changed(service: Service, request: Request, bucket: str, name: str) -> StoredObject:
    """The object that a change is about."""
    query = request.query_params
    return service.objects.get(bucket, name, Preconditions.parse(query), integer(query, "generation"))


async def get(service: Service, request: Request, bucket: str, name: str) -> Response:
    """The metadata, or with alt=media the bytes."""
    found = _read(service, request, bucket, name)
    if request.query_params.get("alt") == "media":
        return download(service, request, found)
    return JSONResponse(found.resource(service.base), headers={"ETag": f'"{found.etag}"'})


async def media(service: Service, request: Request, bucket: str, name: str) -> Response:
    """The bytes, under the address that mediaLink names."""
    return download(service, request, _read(service, request, bucket, name))


async def patch(service: Service, request: Request, bucket: str, name: str) -> Response:
    """Change some properties, or with PUT all of them."""
    changes = object_fields(await json_body(request))
    old = _changed(service, request, bucket, name)
    new = service.objects.patch(old, changes, replace=request.method == "PUT")
    service.changed()
    return JSONResponse(new.resource(service.base))


async def delete(service: Service, request: Request, bucket: str, name: str) -> Response:
    """Delete the live generation."""
    service.objects.delete(_changed(service, request, bucket, name))
    service.changed()
    return Response(status_code=204)


async def copy(service: Service, request: Request, bucket: str, name: str, to_bucket: str, to_name: str) -> Response:
    """Copy in one step."""
    return JSONResponse((await _copy(service, request, bucket, name, to_bucket, to_name)).resource(service.base))


async def rewrite(service: Service, request: Request, bucket: str, name: str, to_bucket: str, to_name: str) -> Response:
    """Rewrite; always done in the first call, since no byte is copied."""
    new = await _copy(service, request, bucket, name, to_bucket, to_name)
    size = str(new.content.size)
    progress = {"totalBytesRewritten": size, "objectSize": size, "done": True}
    return JSONResponse({"kind": "storage#rewriteResponse", **progress, "resource": new.resource(service.base)})


async def _copy(
    service: Service, request: Request, bucket: str, name: str, to_bucket: str, to_name: str
) -> StoredObject:
    query = request.query_params
    body = object_fields(await json_body(request))
    source = service.objects.get(
        bucket, name, Preconditions.parse(query, "ifSource"), integer(query, "sourceGeneration")
    )
    inherited = {key: value for key, value in source.fields.items() if key != "storageClass"}
    fields = body if set(body) - {"storageClass"} else {**inherited, **body}
    content = service.files.link(source.content)
    new = service.objects.put(to_bucket, to_name, content, fields, Preconditions.parse(query))
    service.changed()
    return new


async def compose(service: Service, request: Request, bucket: str, name: str) -> Response:
    """Join up to 32 objects of a bucket into one; it has a crc32c and no md5, as in the real service."""
    body = await json_body(request)
    when = Preconditions.parse(request.query_params)
    service.objects.check(bucket, name, when)
    sources = [_source(service, bucket, wish) for wish in _wishes(body)]
    fields = object_fields(body.get("destination") or {})
    fields.setdefault("contentType", sources[0].fields.get("contentType"))
    content = await _joined(service, [source.content for source in sources])
    new = service.objects.put(bucket, name, content, fields, when)
    service.changed()
    return JSONResponse(new.resource(service.base))


def _wishes(body: dict[str, Any]) -> list[dict[str, Any]]:
    wishes = body.get("sourceObjects")
    if not isinstance(wishes, list) or not 1 <= len(wishes) <= MOST_SOURCES:
        raise invalid(f"compose needs 1 to {MOST_SOURCES} sourceObjects.")
    if not all(isinstance(wish, dict) and isinstance(wish.get("name"), str) for wish in wishes):
        raise invalid("Every one of the sourceObjects needs a name.")
    return wishes


def _source(service: Service, bucket: str, wish: dict[str, Any]) -> StoredObject:
    conditions = {**(wish.get("objectPreconditions") or {}), "generation": wish.get("generation")}
    numbers = {key: str(value) for key, value in conditions.items() if value is not None}
    return service.objects.get(bucket, wish["name"], Preconditions.parse(numbers), integer(numbers, "generation"))


async def _joined(service: Service, parts: list[Content]) -> Content:
    """Copy the parts into one file outside of the event loop; open first, so that a delete cannot interfere."""
    streams = [service.files.path(part.file).open("rb", buffering=0) for part in parts]
    writer = service.files.writer(with_md5=False)

    def join() -> None:
        for stream in streams:
            with stream:
                while data := stream.read(READ_SIZE):
                    writer.write(data)

    try:
        await asyncio.to_thread(join)
        return await writer.finish(sum(part.components or 1 for part in parts))
    except BaseException:
        writer.discard()
        raise
