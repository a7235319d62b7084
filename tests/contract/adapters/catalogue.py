"""A small HTTP server that answers as a test tells it to, well or badly."""

from __future__ import annotations

import contextlib
import json
import socket
import struct
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

Fault = Callable[[BaseHTTPRequestHandler], None]


@dataclass
class Catalogue:
    """Serves `items`, page by page; each fault of `faults` takes the place of one answer."""

    items: list[str] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    always: Fault | None = None
    total: int | None = None
    requests: list[dict[str, str]] = field(default_factory=list)
    url: str = ""

    def __enter__(self) -> Catalogue:
        catalogue = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:  # named by http.server
                query = parse_qs(urlsplit(self.path).query)
                catalogue.requests.append({name: values[0] for name, values in query.items()})
                fault = catalogue.faults.pop(0) if catalogue.faults else catalogue.always
                (fault or catalogue.answer)(self)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # named by http.server
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        asked = self.requests[-1]
        page, size = int(asked["page"]), int(asked["page_size"])
        total = len(self.items) if self.total is None else self.total
        part = ",\n".join(self.items[(page - 1) * size : page * size])
        pages = -(-len(self.items) // size)
        send(handler, 200, f'{{"items": [{part}], "page": {page}, "pages": {pages}, "total": {total}}}')


def send(handler: BaseHTTPRequestHandler, status: int, body: str, **headers: str) -> None:
    """One whole answer."""
    data = body.encode()
    handler.send_response(status)
    for name, value in {"Content-Length": str(len(data)), **headers}.items():
        handler.send_header(name.replace("_", "-"), value)
    handler.end_headers()
    handler.wfile.write(data)


def status(code: int, **headers: str) -> Fault:
    """An error answer."""
    return lambda handler: send(handler, code, json.dumps({"error": code}), **headers)


def text(body: str) -> Fault:
    """A good status with this body."""
    return lambda handler: send(handler, 200, body)


def cut_off(handler: BaseHTTPRequestHandler) -> None:
    """A body that ends before the length that was announced."""
    handler.send_response(200)
    handler.send_header("Content-Length", "1000")
    handler.end_headers()
    handler.wfile.write(b'{"items": [')
    handler.close_connection = True


def reset(handler: BaseHTTPRequestHandler) -> None:
    """The connection is reset instead of an answer."""
    handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    handler.close_connection = True
    handler.wfile = handler.connection.makefile("wb")
    handler.rfile.close()
    handler.connection.close()


def hang(seconds: float) -> Fault:
    """No answer at all, for so long."""

    def keep_waiting(handler: BaseHTTPRequestHandler) -> None:
        time.sleep(seconds)
        handler.close_connection = True

    return keep_waiting


def drip(seconds: float, times: int) -> Fault:
    """A body that comes byte by byte, with a pause before each."""

    def send_slowly(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", str(times))
        handler.end_headers()
        with contextlib.suppress(OSError):  # the client leaves in the middle
            for _ in range(times):
                handler.wfile.write(b" ")
                time.sleep(seconds)

    return send_slowly
