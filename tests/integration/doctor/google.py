"""A local HTTP server that answers as Google's REST APIs are documented to; it is no Google and knows no more.

The shapes are those of the reference pages of each API (Service Usage v1, Resource Manager v3, IAM v1, Pub/Sub v1,
Cloud KMS v1, Cloud Functions v2, Cloud Scheduler v1, Secret Manager v1, Monitoring v3). What a real project answers
beyond them has not been seen here.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from google.oauth2.credentials import Credentials

from cli.google_api import HOSTS, GoogleApi

Answer = dict[str, Any]
ACCOUNT = "operator@example.org"


class Google:
    """What is answered to `METHOD path`; a list of answers is given one after the other, the last one for ever."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.answers: dict[str, Answer | list[Answer]] = {"GET tokeninfo": {"email": ACCOUNT}}
        self.asked: list[str] = []

    def api(self) -> GoogleApi:
        """The APIs, all of them at this server, with a token that nobody checks."""
        credentials = Credentials(token="token")  # type: ignore[no-untyped-call]
        return GoogleApi(credentials, dict.fromkeys(HOSTS, self.url))

    def answer(self, call: str, query: dict[str, list[str]]) -> tuple[int, Answer]:
        """The answer to one call; pages are told apart by their token."""
        self.asked.append(call)
        if page := query.get("pageToken"):
            call = f"{call}?{page[0]}"
        found = self.answers.get(call)
        if isinstance(found, list):
            found = found.pop(0) if len(found) > 1 else found[0]
        if found is None:
            return 404, {"error": {"code": 404, "message": f"{call} was not found", "status": "NOT_FOUND"}}
        error = found.get("error")
        return (int(error["code"]), found) if isinstance(error, dict) else (200, found)


@contextmanager
def google() -> Iterator[Google]:
    """A server for the length of a `with`."""

    class Handler(BaseHTTPRequestHandler):
        def _reply(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            parts = urlsplit(self.path)
            assert self.headers["Authorization"] == "Bearer token"
            status, body = server.answer(f"{self.command} {parts.path.lstrip('/')}", parse_qs(parts.query))
            data = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        do_GET = do_POST = _reply  # noqa: N815

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    listening = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server = Google(f"http://127.0.0.1:{listening.server_port}")
    thread = threading.Thread(target=listening.serve_forever, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        listening.shutdown()
        listening.server_close()
        thread.join()
