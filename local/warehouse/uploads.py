"""Load jobs whose bytes come with the request: multipart and resumable uploads, written to disk as they arrive."""

from __future__ import annotations

import asyncio
import json
import re
import uuid
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from anyio import to_thread
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from local.warehouse.errors import ApiError, invalid
from local.warehouse.jobs import new_job
from local.warehouse.service import Warehouse

PATH = "/upload/bigquery/v2/projects/{project}/jobs"
WAIT_SECONDS = 2.0
RANGE = re.compile(r"^bytes (?:(\d+)-(\d+)|\*)/(\d+|\*)$")
BOUNDARY = re.compile(r'boundary="?([^";]+)"?')
HEADER_LIMIT = 1 << 20


@dataclass
class Session:
    """A resumable upload under way."""

    body: dict[str, Any]
    path: Path


class Uploads:
    """Receives uploads and starts their jobs."""

    def __init__(self, warehouse: Warehouse) -> None:
        self._warehouse = warehouse
        self._sessions: dict[str, Session] = {}

    async def post(self, request: Request) -> Response:
        """Begin an upload of either kind."""
        kind = request.query_params.get("uploadType")
        if kind == "multipart":
            return await self._multipart(request)
        if kind != "resumable":
            raise invalid(f"uploadType {kind} is neither multipart nor resumable")
        body = json.loads(await request.body() or b"{}")
        name = uuid.uuid4().hex
        self._sessions[name] = Session(body, self._warehouse.loads.new_upload())
        location = request.url.include_query_params(upload_id=name)
        return Response(headers={"Location": str(location), "X-GUploader-UploadID": name})

    async def put(self, request: Request) -> Response:
        """Take the next bytes of a resumable upload; the last ones start the job."""
        name = request.query_params.get("upload_id", "")
        session = self._sessions.get(name)
        if session is None:
            raise ApiError(404, "notFound", "Not found: this upload is over or was never begun")
        start, total = _range(request.headers.get("content-range"))
        held = session.path.stat().st_size if session.path.exists() else 0
        if start is not None and start != held:
            raise invalid(f"The upload continues at byte {held}, not at {start}")
        await _append(session.path, request.stream())
        held = session.path.stat().st_size
        if total is None or held < total:
            headers = {"Range": f"bytes=0-{held - 1}"} if held else {}
            return Response(status_code=308, headers=headers)
        del self._sessions[name]
        return await self._start(request.path_params["project"], session.body, session.path)

    async def _multipart(self, request: Request) -> Response:
        found = BOUNDARY.search(request.headers.get("content-type", ""))
        if found is None:
            raise invalid("A multipart upload names its boundary in Content-Type")
        path = self._warehouse.loads.new_upload()
        await _append(path, request.stream())
        body = await to_thread.run_sync(_unwrap, path, found[1].encode())
        return await self._start(request.path_params["project"], body, path)

    async def _start(self, project: str, body: dict[str, Any], path: Path) -> Response:
        job = new_job(project, dict(body.get("jobReference") or {}), dict(body.get("configuration") or {}))
        await to_thread.run_sync(self._warehouse.start, job, path)
        await asyncio.wait([asyncio.wrap_future(job.finished)], timeout=WAIT_SECONDS)
        return JSONResponse(job.resource())


def _range(header: str | None) -> tuple[int | None, int | None]:
    """First byte and total of a Content-Range; without the header, everything comes at once."""
    if header is None:
        return 0, 0
    found = RANGE.match(header)
    if found is None:
        raise invalid(f"Invalid Content-Range {header}")
    return (int(found[1]) if found[1] else None), (None if found[3] == "*" else int(found[3]))


async def _append(path: Path, blocks: AsyncIterator[bytes]) -> None:
    with path.open("ab") as file:
        async for block in blocks:
            file.write(block)


def _unwrap(path: Path, boundary: bytes) -> dict[str, Any]:
    """Split a multipart/related body in place: gives the metadata and leaves the file's own bytes."""
    with path.open("rb") as file:
        head = file.read(HEADER_LIMIT)
        first = head.find(b"\r\n\r\n")
        middle = head.find(b"\r\n--" + boundary, first)
        content = head.find(b"\r\n\r\n", middle)
        if min(first, middle, content) < 0:
            raise invalid("The multipart body does not hold a JSON part and a data part")
        body = json.loads(head[first + 4 : middle])
        _keep(path, content + 4, path.stat().st_size - len(b"\r\n--" + boundary + b"--"))
    return dict(body)


def _keep(path: Path, start: int, end: int) -> None:
    """Cut a file down to some of its bytes."""
    whole = path.with_suffix(".whole")
    path.rename(whole)
    with whole.open("rb") as source, path.open("wb") as out:
        source.seek(start)
        while start < end and (block := source.read(min(1 << 20, end - start))):
            out.write(block)
            start += len(block)
    whole.unlink()


def routes(warehouse: Warehouse, refusal: Callable[[Exception], Response]) -> list[Route]:
    """The upload endpoints."""
    uploads = Uploads(warehouse)

    async def post(request: Request) -> Response:
        try:
            return await uploads.post(request)
        except Exception as error:
            return refusal(error)

    async def put(request: Request) -> Response:
        try:
            return await uploads.put(request)
        except Exception as error:
            return refusal(error)

    return [Route(PATH, post, methods=["POST"]), Route(PATH, put, methods=["PUT"])]
