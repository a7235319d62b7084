"""A real HTTP server that stands for a push endpoint."""

import json
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Push:
    """One request that came in."""

    at: float
    path: str
    headers: dict[str, str]
    body: dict[str, Any]


@dataclass
class Endpoint:
    """Answers with what `answer` says, which is told how many requests came before."""

    bound: socket.socket | None = None
    answer: Callable[[int], int] = lambda _earlier: 200
    hold_seconds: float = 0.0
    idle_seconds: float = 60.0
    pushes: list[Push] = field(default_factory=list)
    at_once: int = 0
    most_at_once: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self._server = _Server(self.bound or bound_socket(), _handler(self))
        self.port: int = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/validate/"

    @property
    def push_config(self) -> dict[str, str]:
        return {"push_endpoint": self.url}

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def take(self, push: Push) -> int:
        with self._lock:
            earlier = len(self.pushes)
            self.pushes.append(push)
            self.at_once += 1
            self.most_at_once = max(self.most_at_once, self.at_once)
        time.sleep(self.hold_seconds)
        with self._lock:
            self.at_once -= 1
        return self.answer(earlier)


def bound_socket() -> socket.socket:
    """A socket with a free port, at which nobody listens yet."""
    made = socket.socket()
    made.bind(("127.0.0.1", 0))
    return made


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64
    block_on_close = False

    def __init__(self, bound: socket.socket, handler: type[BaseHTTPRequestHandler]) -> None:
        super().__init__(bound.getsockname(), handler, bind_and_activate=False)
        self.socket.close()
        self.socket = bound
        self.server_activate()


def _handler(endpoint: Endpoint) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        timeout = endpoint.idle_seconds

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            status = endpoint.take(Push(time.monotonic(), self.path, dict(self.headers), body))
            if status == 0:
                self.wfile.write(b"nonsense\r\n\r\n")
                self.close_connection = True
                return
            self.send_response(status)
            if status != 204:
                self.send_header("Content-Length", "2")
            self.end_headers()
            if status != 204:
                self.wfile.write(b"ok")

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name it is called with
            """Stay silent."""

    return Handler
