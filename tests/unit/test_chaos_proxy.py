"""The fault proxy: what the client of a server behind it meets."""

from __future__ import annotations

import gc
import http.client
import socket
import threading
import time
import warnings
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from local.chaos import proxy
from local.chaos.proxies import Proxies
from local.chaos.proxy import Fault

BODY = b"0123456789" * 1000


class Server(BaseHTTPRequestHandler):
    """Answers with a body of known length and counts who came."""

    protocol_version = "HTTP/1.1"
    seen: list[bytes]

    def do_POST(self) -> None:
        self.seen.append(self.rfile.read(int(self.headers["Content-Length"])))
        self.send_response(200)
        self.send_header("Content-Length", str(len(BODY)))
        self.end_headers()
        self.wfile.write(BODY)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


class Behind:
    """A client of the server behind a proxy on which every request meets the next fault."""

    def __init__(self, proxies: Proxies, port: int) -> None:
        self.proxies = proxies
        address = proxies.between("storage", f"http://127.0.0.1:{port}")
        self.port = int(address.rpartition(":")[2])

    def order(self, fault: Fault) -> None:
        self.proxies.order("storage", fault)

    def post(self, timeout: float = 10.0) -> tuple[int, bytes]:
        client = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        try:
            client.request("POST", "/", body=b"x" * 100_000)
            answer = client.getresponse()
            return answer.status, answer.read()
        finally:
            client.close()


@pytest.fixture
def behind(monkeypatch: pytest.MonkeyPatch) -> Iterator[Behind]:
    monkeypatch.setattr(proxy, "SHARE", 1.1)
    monkeypatch.setattr(proxy, "HANG_SECONDS", 0.2)
    monkeypatch.setattr(proxy, "SILENCE_SECONDS", 0.3)
    Server.seen = []
    server = ThreadingHTTPServer(("127.0.0.1", 0), Server)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    with Proxies("s") as proxies:
        yield Behind(proxies, server.server_port)
    server.shutdown()
    thread.join()
    server.server_close()


def test_without_an_order_everything_passes(behind: Behind) -> None:
    assert behind.post() == (200, BODY)
    assert Server.seen == [b"x" * 100_000]
    assert not behind.proxies.injected


@pytest.mark.parametrize(
    ("fault", "reached"), [("refuse", 0), ("reset", 1), ("silence", 0)], ids=["refuse", "reset", "silence"]
)
def test_a_broken_connection_is_counted_once_and_the_next_request_passes(
    behind: Behind, fault: Fault, reached: int
) -> None:
    behind.order(fault)
    with pytest.raises((ConnectionError, http.client.HTTPException)):
        behind.post()
    assert len(Server.seen) == reached
    assert behind.post() == (200, BODY)
    assert behind.proxies.injected == {("storage", fault): 1}


def test_silence_ends_when_the_client_gives_up(behind: Behind, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(proxy, "SILENCE_SECONDS", 30.0)
    behind.order("silence")
    with pytest.raises(TimeoutError):
        behind.post(timeout=0.2)
    assert behind.post() == (200, BODY)


def test_a_hang_is_over_by_itself(behind: Behind) -> None:
    behind.order("hang")
    started = time.monotonic()
    assert behind.post() == (200, BODY)
    assert time.monotonic() - started >= 0.2


def test_an_error_is_answered_without_the_server(behind: Behind) -> None:
    behind.order("error")
    status, body = behind.post()
    assert status in (429, 500, 502, 503)
    assert body == b""
    assert Server.seen == []


def test_a_truncated_answer_ends_before_its_length(behind: Behind) -> None:
    behind.order("truncate")
    with pytest.raises(http.client.IncompleteRead) as caught:
        behind.post()
    assert 0 < len(caught.value.partial) < len(BODY)


def test_a_server_that_is_down_refuses_and_is_found_again(behind: Behind) -> None:
    address = behind.proxies.between("pubsub", "127.0.0.1:1", http=False)
    with pytest.raises(ConnectionError), socket.create_connection(("127.0.0.1", int(address[10:])), 5) as client:
        client.recv(1)
    assert behind.post() == (200, BODY)


def test_what_is_no_http_gets_no_http_faults(behind: Behind) -> None:
    behind.proxies.between("pubsub", "127.0.0.1:1", http=False)
    behind.proxies.order("pubsub", "error", "truncate", "reset")
    assert behind.proxies.waiting() == 1
    assert behind.proxies.clear() == 1


def test_the_end_of_a_run_leaves_no_connection_open_whatever_its_clients_are_doing() -> None:
    """A socket left open is an error in these tests (ResourceWarning), at the latest when it is collected."""
    with socket.create_server(("127.0.0.1", 0), backlog=256) as deaf:
        for leaving in range(60):
            with Proxies("s") as proxies:
                address = proxies.between("storage", f"127.0.0.1:{deaf.getsockname()[1]}")
                clients = [socket.create_connection(("127.0.0.1", int(address[10:])), 5) for _ in range(3)]
                clients[0].sendall(b"x" * 500_000)  # nobody reads it: it waits in the proxy's buffers
                time.sleep(leaving / 20_000)
                for client in clients[1:]:
                    client.close()
            clients[0].close()
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            gc.collect()
    assert [str(warning.message) for warning in caught] == []
