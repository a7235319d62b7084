"""Reads that Cloud Storage refuses for a moment."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from shared.adapters.storage import CloudStorage

BODY = b"0123456789"


class _Busy(BaseHTTPRequestHandler):
    """Refuses each object once, then gives it; a connection stays open between requests."""

    protocol_version = "HTTP/1.1"
    asked: set[str]
    connections: int

    def setup(self) -> None:
        super().setup()
        type(self).connections += 1

    def do_GET(self) -> None:
        status, body = (200, BODY) if self.path in self.asked else (503, b"busy")
        self.asked.add(self.path)
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def busy(environment: pytest.MonkeyPatch) -> Iterator[type[_Busy]]:
    _Busy.asked, _Busy.connections = set(), 0
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Busy)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    environment.setenv("STORAGE_EMULATOR_HOST", f"http://127.0.0.1:{server.server_port}")
    yield _Busy
    server.shutdown()
    server.server_close()
    thread.join()


def test_a_read_that_is_refused_at_first_is_tried_again_by_the_same_connection(busy: type[_Busy]) -> None:
    """A refused answer that is left unread keeps its connection open, and each try opens another.

    Nothing but the objects is asked for: no function may read what the client would like to know of their bucket.
    """
    store = CloudStorage("busy")
    store._retry = store._retry.with_delay(0.01, 0.01, 1)
    assert [store.read("lake", name) for name in "abc"] == [BODY] * 3
    assert {path.rpartition("/")[2] for path in busy.asked} == {f"{name}?alt=media" for name in "abc"}
    assert busy.connections == 1
