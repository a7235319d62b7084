"""A TCP proxy between the functions and one server that does what a bad network or a sick server does, when told to.

Faults are ordered one by one, and each takes effect once, at a request that comes by: nothing is left to a rate, so a
run injects what its plan says. A request begins where the client speaks after the server has answered. HTTP servers
can be made to answer with an error and to cut off an answer; for the other protocols the bytes stay what they are.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
import time
from collections import Counter, deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from random import Random
from typing import Literal
from weakref import WeakSet

Fault = Literal["refuse", "reset", "hang", "silence", "error", "truncate"]
FAULTS: dict[Fault, str] = {
    "refuse": "the connection is reset before the request goes on",
    "reset": "the request arrives, the answer breaks off with a reset",
    "hang": "nothing moves for a second, then all goes on",
    "silence": "nothing moves until the client gives up, five seconds at most, then a reset",
    "error": "HTTP 500, 502, 503 or 429 instead of the server's answer",
    "truncate": "the answer ends in its middle, as if it were complete",
}
HTTP_ONLY = frozenset({"error", "truncate"})
STATUSES = ("500 Internal Server Error", "502 Bad Gateway", "503 Service Unavailable", "429 Too Many Requests")
HANG_SECONDS = 1.0
SILENCE_SECONDS = 5.0
BLOCK = 1 << 16
SHARE = 0.35
"""Of the requests that come by while a fault is ordered, how many meet it."""


@dataclass
class Proxy:
    """One listener in front of one server. Orders may come from another thread; the dice are the run's."""

    server: str
    upstream: tuple[str, int]
    http: bool
    dice: Random
    injected: Counter[tuple[str, str]]
    ordered: deque[Fault] = field(default_factory=deque)
    port: int = 0
    last: float = 0.0
    """When a fault happened last, by the wall clock."""
    _listener: asyncio.Server | None = None
    _serving: set[asyncio.Task[None]] = field(default_factory=set)
    _transports: WeakSet[asyncio.WriteTransport] = field(default_factory=WeakSet)

    async def start(self) -> None:
        """Listen on a free port."""
        self._listener = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.port = int(self._listener.sockets[0].getsockname()[1])

    def stop(self) -> None:
        """Take no more connections. A server closed at once would lose the sockets that it took a moment before."""
        for listening in self._listener.sockets if self._listener else ():
            asyncio.get_running_loop().remove_reader(listening.fileno())

    def end(self) -> None:
        """End what goes on in the connections that stand."""
        for task in self._serving:
            task.cancel()

    def close(self) -> None:
        """Leave nothing open; for what is still in the buffers nobody waits."""
        for transport in tuple(self._transports):
            transport.abort()
        if self._listener:
            self._listener.close()

    def order(self, faults: Iterable[Fault]) -> None:
        """Let these happen, in this order, to requests that come by."""
        self.ordered.extend(fault for fault in faults if self.http or fault not in HTTP_ONLY)

    def clear(self) -> int:
        """Forget what is ordered and has not happened; how many."""
        left = len(self.ordered)
        self.ordered.clear()
        return left

    def take(self) -> Fault | None:
        """The fault that this request meets, if any."""
        if self.ordered and self.dice.random() < SHARE:
            with contextlib.suppress(IndexError):
                return self.ordered.popleft()
        return None

    def done(self, fault: Fault) -> None:
        """Count what did happen."""
        self.injected[self.server, fault] += 1
        self.last = time.time()

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._transports.add(writer.transport)
        task = asyncio.get_running_loop().create_task(self._serve(reader, writer))
        self._serving.add(task)
        task.add_done_callback(self._serving.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            server = await asyncio.open_connection(*self.upstream)
        except OSError:
            abort(writer)  # the server is down: so are we
            return
        self._transports.add(server[1].transport)
        await Exchange(self, (reader, writer), server).run()


Ends = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Exchange:
    """One connection of a client with the server behind the proxy."""

    def __init__(self, proxy: Proxy, client: Ends, server: Ends) -> None:
        self._proxy = proxy
        self._from_client, self._to_client = client
        self._from_server, self._to_server = server
        self._answered = True
        self._breaking: Fault | None = None

    async def run(self) -> None:
        """Carry bytes both ways until one side ends."""
        ways = [asyncio.ensure_future(self._requests()), asyncio.ensure_future(self._answers())]
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for way in ways:
                way.cancel()
            for writer in (self._to_client, self._to_server):
                writer.close()
            await asyncio.gather(*ways, return_exceptions=True)

    async def _requests(self) -> None:
        with contextlib.suppress(ConnectionError):
            while data := await self._from_client.read(BLOCK):
                if self._answered:
                    self._answered = False
                    if not await self._begin(data):
                        return
                self._to_server.write(data)
                await self._to_server.drain()

    async def _begin(self, data: bytes) -> bool:
        """A request begins; False where it never reaches the server."""
        if self._breaking:  # the answer before had nothing to cut off
            self._proxy.ordered.appendleft(self._breaking)
            self._breaking = None
        fault = self._proxy.take()
        if fault is None:
            return True
        if fault in ("reset", "truncate"):
            self._breaking = fault
            return True
        if fault == "error":
            return await self._refuse_with_status(data)
        self._proxy.done(fault)
        if fault == "hang":
            await asyncio.sleep(HANG_SECONDS)
            return True
        if fault == "silence":
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._client_left(), SILENCE_SECONDS)
        self._abort()
        return False

    async def _client_left(self) -> None:
        while await self._from_client.read(BLOCK):
            pass

    async def _refuse_with_status(self, data: bytes) -> bool:
        head, end, body = data.partition(b"\r\n\r\n")
        if not end:  # a head in pieces: let it pass, and let the next one have it
            self._proxy.ordered.appendleft("error")
            return True
        length = next((int(v) for k, _, v in _headers(head) if k == b"content-length"), 0)
        left = length - len(body)
        while left > 0 and (more := await self._from_client.read(min(left, BLOCK))):
            left -= len(more)
        status = self._proxy.dice.choice(STATUSES)
        self._to_client.write(f"HTTP/1.1 {status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode())
        await self._to_client.drain()
        self._proxy.done("error")
        return False

    async def _answers(self) -> None:
        with contextlib.suppress(ConnectionError):
            while data := await self._from_server.read(BLOCK):
                self._answered = True
                if self._breaking and await self._break_off(data):
                    return
                self._to_client.write(data)
                await self._to_client.drain()

    async def _break_off(self, data: bytes) -> bool:
        """Give a part of the answer and end the connection; False where there is nothing to cut off yet."""
        head, end, body = data.partition(b"\r\n\r\n") if self._proxy.http else (b"", b"", data)
        if not end:  # the head came before
            head, body = b"", data
        if self._breaking == "truncate" and len(body) < 2:
            return False
        fault, self._breaking = self._breaking, None
        self._to_client.write(head + end + body[: len(body) // 2])
        await self._to_client.drain()
        if fault:
            self._proxy.done(fault)
        if fault == "reset":
            self._abort()
        return True

    def _abort(self) -> None:
        abort(self._to_client)
        abort(self._to_server)


def _headers(head: bytes) -> Iterable[tuple[bytes, bytes, bytes]]:
    for line in head.split(b"\r\n")[1:]:
        name, colon, value = line.partition(b":")
        yield name.strip().lower(), colon, value.strip()


def abort(writer: asyncio.StreamWriter) -> None:
    """Close with a reset instead of an orderly end."""
    plain = writer.get_extra_info("socket")
    if plain is not None:
        with contextlib.suppress(OSError):
            plain.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()
