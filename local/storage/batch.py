"""Many small requests in one: each part goes through the same dispatcher as a request of its own."""

from __future__ import annotations

import email
from collections.abc import Awaitable, Callable
from email.message import Message
from http import HTTPStatus
from typing import Any
from urllib.parse import unquote, urlsplit

from starlette.requests import Request
from starlette.responses import Response

from local.storage.errors import invalid, not_supported
from local.storage.service import Service, body_bytes

MOST_PARTS = 100
BOUNDARY = "batch_of_sluice_storage"

Dispatch = Callable[[Service, Request], Awaitable[Response]]


async def run(service: Service, request: Request, dispatch: Dispatch) -> Response:
    """Answer every part in order; one that fails does not stop the others."""
    head = f"Content-Type: {request.headers.get('content-type', '')}\r\n\r\n".encode()
    message = email.message_from_bytes(head + await body_bytes(request))
    if not message.is_multipart():
        raise invalid("A batch needs a multipart/mixed body.")
    parts = message.get_payload()
    if len(parts) > MOST_PARTS:
        raise invalid(f"A batch holds at most {MOST_PARTS} requests.")
    answers = [await _answer(service, request, part, dispatch) for part in parts if isinstance(part, Message)]
    body = b"".join(answers) + f"--{BOUNDARY}--\r\n".encode()
    return Response(body, media_type=f'multipart/mixed; boundary="{BOUNDARY}"')


async def _answer(service: Service, outer: Request, part: Message, dispatch: Dispatch) -> bytes:
    payload = part.get_payload(decode=True)
    text = payload if isinstance(payload, bytes) else str(part.get_payload()).encode()
    response = await dispatch(service, _inner(outer, text.replace(b"\r\n", b"\n")))
    phrase = HTTPStatus(response.status_code).phrase
    headers = "".join(f"{k.decode()}: {v.decode()}\r\n" for k, v in response.raw_headers)
    number = (part.get("content-id") or "").strip("<>")
    answered = f"Content-ID: <response-{number}>\r\n" if number else ""
    lead = f"--{BOUNDARY}\r\nContent-Type: application/http\r\n{answered}\r\n"
    return f"{lead}HTTP/1.1 {response.status_code} {phrase}\r\n{headers}\r\n".encode() + bytes(response.body) + b"\r\n"


def _inner(outer: Request, text: bytes) -> Request:
    """The request that a part describes."""
    head, _, body = text.lstrip().partition(b"\n\n")
    line, _, rest = head.partition(b"\n")
    words = line.decode().split()
    if len(words) < 2:
        raise invalid("A part of the batch does not begin with a request line.")
    url = urlsplit(words[1])
    if url.path.startswith(("/upload/", "/download/", "/batch")) or "alt=media" in url.query:
        raise not_supported("uploads and downloads in a batch")
    headers = email.message_from_bytes(rest)
    scope = {
        **outer.scope,
        "method": words[0].upper(),
        "path": unquote(url.path),
        "raw_path": url.path.encode(),
        "query_string": url.query.encode(),
        "headers": [(k.lower().encode(), v.encode()) for k, v in headers.items()],
    }

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    return Request(scope, receive)
