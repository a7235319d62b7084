"""Uploads in many requests, which go on where they stopped: after a lost connection, and after a kill of the server.

The bytes gather in a file named after the upload; the catalogue says how many of them count. Only whole units of
256 KiB count before the end, as in the real service, so a chunk that broke off is sent again from there.
"""

from __future__ import annotations

import asyncio
import json
import re
import sqlite3
import uuid
from dataclasses import asdict, dataclass

from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response

from local.storage.arrivals import commit, describe, expected_hashes
from local.storage.errors import ApiError, invalid, not_found
from local.storage.fields import timestamp
from local.storage.files import Writer
from local.storage.preconditions import Preconditions, integer
from local.storage.resources import StoredObject
from local.storage.service import Service, json_body

UNIT = 256 * 1024
CONTENT_RANGE = re.compile(r"bytes (?:\*|(\d+)-(\d+|\*))/(\d+|\*)")


@dataclass(frozen=True, slots=True)
class Chunk:
    """What a Content-Range says: where the bytes begin, where they end if known, how long the object is if known."""

    first: int | None
    end: int | None
    total: int | None


async def start(service: Service, request: Request, bucket: str) -> Response:
    """Open an upload; what the object will be is settled here, its bytes follow."""
    query = request.query_params
    if query.get("upload_id"):
        return await proceed(service, request, bucket)
    resource = await json_body(request)
    name, fields = describe(query, resource, request.headers.get("x-upload-content-type"))
    when = Preconditions.parse(query)
    service.objects.check(bucket, name, when)
    wish = {
        "fields": fields,
        "when": asdict(when),
        "expected": expected_hashes(resource, request.headers),
        "total": integer(request.headers, "x-upload-content-length"),
    }
    upload = uuid.uuid4().hex
    service.catalog.execute(
        "INSERT INTO upload VALUES (?, ?, ?, ?, 0, NULL, ?)", (upload, bucket, name, json.dumps(wish), timestamp())
    )
    location = f"{service.base}/upload/storage/v1/b/{bucket}/o?uploadType=resumable&upload_id={upload}"
    return Response(status_code=200, headers={"Location": location, "X-GUploader-UploadID": upload})


async def cancel(service: Service, request: Request, _bucket: str) -> Response:
    """Give up an upload; 499 is what the real service answers."""
    upload = request.query_params.get("upload_id", "")
    async with service.upload_locks[upload]:
        _find(service, upload)
        service.catalog.execute("DELETE FROM upload WHERE id = ?", (upload,))
        service.upload_hashes.pop(upload, None)
        service.files.incoming(upload).unlink(missing_ok=True)
    service.upload_locks.pop(upload, None)
    return Response(status_code=499)


async def proceed(service: Service, request: Request, _bucket: str) -> Response:
    """Take a chunk, or say how far the upload is; one request at a time for one upload."""
    upload = request.query_params.get("upload_id", "")
    async with service.upload_locks[upload]:
        row = _find(service, upload)
        if row["result"] is not None:
            return JSONResponse(json.loads(row["result"]))
        wish = json.loads(row["request"])
        chunk = _content_range(request, wish["total"])
        final = chunk.total is not None and row["received"] == chunk.total
        if chunk.first is not None:
            final = await _receive(service, request, row, chunk)
            row = _find(service, upload)
        if not final:
            return _incomplete(row["received"])
        return await _complete(service, request, row)


def _find(service: Service, upload: str) -> sqlite3.Row:
    row = service.catalog.row("SELECT * FROM upload WHERE id = ?", (upload,))
    if row is None:
        raise not_found("No such upload session: it was cancelled, it is older than a week, or it never was.")
    return row


def _incomplete(received: int) -> Response:
    return Response(status_code=308, headers={"Range": f"bytes=0-{received - 1}"} if received else None)


def _content_range(request: Request, announced: int | None) -> Chunk:
    header = request.headers.get("content-range")
    length = integer(request.headers, "content-length")
    if header is None:
        return Chunk(0, length, length)
    match = CONTENT_RANGE.fullmatch(header)
    if match is None:
        raise invalid(f"Invalid Content-Range: {header!r}")
    first, last, total = match.groups()
    end = int(last) + 1 if last not in (None, "*") else None
    return Chunk(None if first is None else int(first), end, announced if total == "*" else int(total))


async def _receive(service: Service, request: Request, row: sqlite3.Row, chunk: Chunk) -> bool:
    """Append the part of a chunk that is not there yet, record how many bytes count; true when the object is whole."""
    received, first = row["received"], chunk.first or 0
    if first > received:
        gap = f"the upload offset is {first} byte(s), which exceeds already uploaded size of {received} byte(s)"
        raise ApiError(503, "backendError", f"Invalid request. According to the Content-Range header, {gap}.")
    known = service.upload_hashes.pop(row["id"], None)
    writer = await asyncio.to_thread(service.files.resume, row["id"], received, known)
    ended = final = False
    try:
        await _append(request, writer, first, chunk)
        ended = True
    except ClientDisconnect:
        raise invalid("The connection closed within a chunk.") from None
    finally:
        size = writer.hasher.size
        final = ended and (chunk.total == size or (chunk.total is None and chunk.end is None))
        counted = size if final else max(received, size - size % UNIT)
        writer.close()
        service.catalog.execute("UPDATE upload SET received = ? WHERE id = ?", (counted, row["id"]))
        if counted == size:
            service.upload_hashes[row["id"]] = writer.hasher
    if chunk.end is not None and size < chunk.end:
        raise invalid(f"The chunk ends at byte {size}, its Content-Range says {chunk.end}.")
    if counted != size:
        raise invalid("A chunk that is not the last one must be a multiple of 262144 bytes.")
    return final


async def _append(request: Request, writer: Writer, place: int, chunk: Chunk) -> None:
    """Write what lies behind the bytes that are there already, and nothing that the Content-Range does not name."""
    limit = min((end for end in (chunk.end, chunk.total) if end is not None), default=None)
    async for data in request.stream():
        if limit is not None and place + len(data) > limit:
            raise invalid(f"The chunk goes on behind byte {limit}, where its Content-Range ends.")
        known = max(0, writer.hasher.size - place)
        if known < len(data):
            writer.write(data[known:])
        place += len(data)


async def _complete(service: Service, request: Request, row: sqlite3.Row) -> Response:
    """Make the gathered bytes the object, and in the same commit remember the answer for a client that misses it.

    The gathered file keeps its name until that commit: a kill in between leaves an upload that can still be completed.
    """
    upload, wish = row["id"], json.loads(row["request"])
    known = service.upload_hashes.pop(upload, None)
    writer = await asyncio.to_thread(service.files.resume, upload, row["received"], known)
    content = await writer.finish(keep=True)
    expected = {**wish["expected"], **expected_hashes({}, request.headers)}
    when = Preconditions(**wish["when"])

    def remember(stored: StoredObject) -> None:
        answer = json.dumps(stored.resource(service.base))
        service.catalog.execute("UPDATE upload SET result = ? WHERE id = ?", (answer, upload))

    try:
        stored = commit(service, row["bucket"], row["name"], content, wish["fields"], when, expected, remember)
    except ApiError:
        service.catalog.execute("DELETE FROM upload WHERE id = ?", (upload,))
        service.files.incoming(upload).unlink()
        raise
    service.files.incoming(upload).unlink()
    return JSONResponse(stored.resource(service.base))
