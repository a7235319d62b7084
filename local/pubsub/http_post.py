"""POST a body and learn the status: an HTTP/1.1 client with kept-alive connections and nothing else.

A push needs the status code only. This costs a fraction of a general client, which would take a good part of the two
cores that the functions need.
"""

import asyncio
import contextlib
import ssl
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from local.pubsub.refusals import invalid

HEAD_LIMIT_BYTES = 64 * 1024
DRAIN_LIMIT_BYTES = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a push goes, taken apart."""

    host: str
    port: int
    secure: bool
    target: str
    authority: str

    @classmethod
    def parse(cls, url: str) -> "Endpoint":
        parts = urlsplit(url)
        try:
            port = parts.port
        except ValueError:
            port = 0
        if parts.scheme not in ("http", "https") or not parts.hostname or port == 0 or not url.isascii() or " " in url:
            raise invalid(f"Invalid push endpoint given (endpoint={url}): it must be an http or https URL.")
        secure = parts.scheme == "https"
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        return cls(parts.hostname, port or (443 if secure else 80), secure, target, parts.netloc.rpartition("@")[2])


class BrokenResponse(Exception):
    """What came back is not HTTP."""


class _Stale(Exception):
    """A kept connection that the server had closed: nothing was answered on it."""


@dataclass(slots=True)
class _Connection:
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    used: bool = False

    def close(self) -> None:
        self.writer.close()


@dataclass(slots=True)
class HttpPoster:
    """Posts; keeps connections per host between posts."""

    _idle: dict[tuple[str, int, bool], list[_Connection]] = field(default_factory=dict)

    async def post(self, endpoint: Endpoint, body: bytes, headers: dict[str, str]) -> int:
        """The status of the answer; OSError, EOFError or BrokenResponse when there was none."""
        lines = [f"POST {endpoint.target} HTTP/1.1", f"Host: {endpoint.authority}", f"Content-Length: {len(body)}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        request = "\r\n".join([*lines, "", ""]).encode() + body
        while True:
            connection = await self._connection(endpoint)
            try:
                status, keep = await _exchange(connection, request)
            except _Stale:
                connection.close()
                continue
            except BaseException:
                connection.close()
                raise
            if keep:
                connection.used = True
                self._idle.setdefault((endpoint.host, endpoint.port, endpoint.secure), []).append(connection)
            else:
                connection.close()
            return status

    def close(self) -> None:
        for connections in self._idle.values():
            for connection in connections:
                connection.close()
        self._idle.clear()

    async def _connection(self, endpoint: Endpoint) -> _Connection:
        idle = self._idle.get((endpoint.host, endpoint.port, endpoint.secure), [])
        while idle:
            connection = idle.pop()
            if not connection.reader.at_eof():
                return connection
            connection.close()
        context = ssl.create_default_context() if endpoint.secure else None
        reader, writer = await asyncio.open_connection(
            endpoint.host, endpoint.port, ssl=context, limit=HEAD_LIMIT_BYTES
        )
        return _Connection(reader, writer)


async def _exchange(connection: _Connection, request: bytes) -> tuple[int, bool]:
    """Send, read the head, swallow the body if it is short; the flag says whether the connection can be used again."""
    try:
        connection.writer.write(request)
        with contextlib.suppress(ConnectionError):  # a server may answer before it has read everything
            await connection.writer.drain()
        status, headers = await _head(connection.reader)
        while status in (100, 103):
            status, headers = await _head(connection.reader)
    except (ConnectionError, asyncio.IncompleteReadError) as error:
        nothing_came = not isinstance(error, asyncio.IncompleteReadError) or not error.partial
        if connection.used and nothing_came:
            raise _Stale from error
        raise
    except asyncio.LimitOverrunError as error:
        raise BrokenResponse("the head of the answer is too long") from error
    if status in (102, 204) or headers.get("connection", "").lower() == "close":
        return status, status == 204 and headers.get("connection", "").lower() != "close"
    length = headers.get("content-length", "")
    if not length.isdigit() or int(length) > DRAIN_LIMIT_BYTES:
        return status, False
    await connection.reader.readexactly(int(length))
    return status, True


async def _head(reader: asyncio.StreamReader) -> tuple[int, dict[str, str]]:
    first, *lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    version, _, rest = first.partition(" ")
    status = rest[:3]
    if not version.startswith("HTTP/1.") or not status.isdigit():
        raise BrokenResponse("the answer is not HTTP/1")
    headers = {
        name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines) if name
    }
    if version == "HTTP/1.0":
        headers["connection"] = "close"
    return int(status), headers
