"""The bytes of an object: whole, a range of it, or unzipped on the way."""

from __future__ import annotations

import re
import zlib
from collections.abc import AsyncIterator
from datetime import datetime
from email.utils import format_datetime
from typing import BinaryIO

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from local.storage.errors import ApiError, invalid, not_supported
from local.storage.files import READ_SIZE
from local.storage.resources import StoredObject
from local.storage.service import Service

RANGE = re.compile(r"bytes=(\d*)-(\d*)")
GZIP_MAGIC = b"\x1f\x8b"
IN_MEMORY = 1024 * 1024


def download(service: Service, request: Request, found: StoredObject) -> Response:
    """Answer with the bytes; the open file keeps them readable even if the object is replaced meanwhile."""
    headers = media_headers(found)
    stream = service.files.path(found.content.file).open("rb", buffering=0)
    if _to_be_unzipped(request, found):
        if stream.read(2) != GZIP_MAGIC:
            stream.close()
            raise invalid("The object's contentEncoding is gzip, its bytes are not; ask with Accept-Encoding: gzip.")
        stream.seek(0)
        headers |= {"Warning": "214 UploadServer gunzipped", "Vary": "Accept-Encoding"}
        return StreamingResponse(_unzipped(stream), 200, headers)
    if found.fields.get("contentEncoding"):
        headers["Content-Encoding"] = found.fields["contentEncoding"]
    size = found.content.size
    try:
        first, end = requested_range(request.headers.get("range"), size)
    except ApiError:
        stream.close()
        raise
    status = 200
    if "range" in request.headers:
        status = 206
        headers["Content-Range"] = f"bytes {first}-{end - 1}/{size}"
    stream.seek(first)
    if end - first <= IN_MEMORY:
        with stream:
            return Response(stream.read(end - first), status, headers)
    headers["Content-Length"] = str(end - first)
    return StreamingResponse(_slice(stream, end - first), status, headers)


def media_headers(found: StoredObject) -> dict[str, str]:
    """The headers that describe the stored object, whatever part of it is sent."""
    content = found.content
    hashes = f"crc32c={content.crc32c}" + (f",md5={content.md5}" if content.md5 else "")
    headers = {
        "Content-Type": found.fields.get("contentType", "application/octet-stream"),
        "ETag": f'"{found.etag}"',
        "Last-Modified": format_datetime(datetime.fromisoformat(found.updated), usegmt=True),
        "Accept-Ranges": "bytes",
        "X-Goog-Hash": hashes,
        "X-Goog-Generation": str(found.generation),
        "X-Goog-Metageneration": str(found.metageneration),
        "X-Goog-Storage-Class": found.fields["storageClass"],
        "X-Goog-Stored-Content-Encoding": found.fields.get("contentEncoding", "identity"),
        "X-Goog-Stored-Content-Length": str(content.size),
    }
    for header, field in (
        ("Cache-Control", "cacheControl"),
        ("Content-Disposition", "contentDisposition"),
        ("Content-Language", "contentLanguage"),
    ):
        if found.fields.get(field):
            headers[header] = found.fields[field]
    return headers


def requested_range(header: str | None, size: int) -> tuple[int, int]:
    """First byte and end of what is asked; the whole without a header, 416 outside of the object."""
    if header is None:
        return 0, size
    if "," in header:
        raise not_supported("several ranges in one request")
    match = RANGE.fullmatch(header.replace(" ", ""))
    if match is None or match.groups() == ("", ""):
        raise invalid(f"Invalid range: {header!r}")
    first_text, last_text = match.groups()
    first = int(first_text) if first_text else max(0, size - int(last_text))
    end = min(size, int(last_text) + 1) if first_text and last_text else size
    if first >= end:
        message = "The requested range cannot be satisfied."
        raise ApiError(416, "requestedRangeNotSatisfiable", message, {"Content-Range": f"bytes */{size}"})
    return first, end


def _to_be_unzipped(request: Request, found: StoredObject) -> bool:
    stored_gzip = found.fields.get("contentEncoding") == "gzip"
    frozen = "no-transform" in found.fields.get("cacheControl", "")
    return stored_gzip and not frozen and "gzip" not in request.headers.get("accept-encoding", "")


async def _slice(stream: BinaryIO, remaining: int) -> AsyncIterator[bytes]:
    with stream:
        while remaining > 0 and (data := stream.read(min(READ_SIZE, remaining))):
            remaining -= len(data)
            yield data


async def _unzipped(stream: BinaryIO) -> AsyncIterator[bytes]:
    """Inflate piece by piece, so that a small file that unzips to a huge one stays a stream."""
    unzip = zlib.decompressobj(zlib.MAX_WBITS | 16)
    with stream:
        pending = b""
        while pending := pending or stream.read(READ_SIZE):
            if unzip.eof:
                unzip = zlib.decompressobj(zlib.MAX_WBITS | 16)
            yield unzip.decompress(pending, READ_SIZE)
            pending = unzip.unconsumed_tail or unzip.unused_data
        yield unzip.flush()
