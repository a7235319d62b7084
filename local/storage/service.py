"""The parts of the server, wired once, and what every handler needs from a request."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from collections import defaultdict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from local.storage.catalog import Catalog, hold
from local.storage.errors import invalid, not_supported
from local.storage.files import Files, Hasher
from local.storage.objects import ObjectStore
from local.storage.outbox import Outbox
from local.storage.preconditions import refuse_unknown

MAX_JSON = 2 * 1024 * 1024


@dataclass
class Service:
    """What the handlers work with."""

    lock: sqlite3.Connection
    catalog: Catalog
    files: Files
    objects: ObjectStore
    base: str
    outbox: Outbox | None
    upload_locks: defaultdict[str, asyncio.Lock] = field(default_factory=lambda: defaultdict(asyncio.Lock))
    upload_hashes: dict[str, Hasher] = field(default_factory=dict)

    @classmethod
    def open(cls, home: Path, base: str, outbox: Callable[[Path], Outbox] | None) -> Service:
        """Open the home folder, sweep what a crash left, start delivering what is undelivered."""
        home.mkdir(parents=True, exist_ok=True)
        lock = hold(home / "lock.sqlite3")
        files = Files(home)
        catalog = Catalog(home / "catalog.sqlite3")
        catalog.execute("DELETE FROM upload WHERE created < strftime('%Y-%m-%dT%H:%M:%fZ', 'now', '-7 days')")
        files.sweep(
            (row["file"] for row in catalog.rows("SELECT file FROM object")),
            (row["id"] for row in catalog.rows("SELECT id FROM upload WHERE result IS NULL")),
        )
        service = cls(lock, catalog, files, ObjectStore(catalog, files, base), base, outbox and outbox(catalog.path))
        if service.outbox is not None:
            service.outbox.start()
        return service

    def changed(self) -> None:
        """Say that a commit may have queued events."""
        if self.outbox is not None:
            self.outbox.wake()

    def close(self) -> None:
        """Stop the background thread, then close the catalogue."""
        if self.outbox is not None:
            self.outbox.stop()
        self.catalog.close()
        self.lock.close()


Handler = Callable[..., Awaitable[Response]]


async def body_bytes(request: Request) -> bytes:
    """A body that belongs in memory; one that does not is refused before it fills it."""
    body = bytearray()
    async for data in request.stream():
        body += data
        if len(body) > MAX_JSON:
            raise invalid(f"The request body is larger than {MAX_JSON} bytes.")
    return bytes(body)


def parse_object(text: bytes) -> dict[str, Any]:
    """A JSON object; nothing counts as an empty one."""
    try:
        body = json.loads(text or b"{}")
    except ValueError:
        raise invalid("The request body is not valid JSON.") from None
    if not isinstance(body, dict):
        raise invalid("The request body is not a JSON object.")
    return body


async def json_body(request: Request) -> dict[str, Any]:
    """The body of a request as a JSON object."""
    return parse_object(await body_bytes(request))


REFUSED_QUERY = ("predefinedAcl", "destinationPredefinedAcl", "predefinedDefaultObjectAcl", "kmsKeyName")
REFUSED_QUERY_MORE = ("destinationKmsKeyName", "matchGlob", "filter")


def refuse_unsupported(request: Request) -> None:
    """Refuse what would change the answer and is not done here, instead of ignoring it."""
    query = request.query_params
    refuse_unknown(query)
    for name in REFUSED_QUERY + REFUSED_QUERY_MORE:
        if query.get(name):
            raise not_supported(f"the parameter {name}")
    if query.get("softDeleted", "").lower() == "true":
        raise not_supported("soft delete; a deleted object is gone")
    for header in ("x-goog-encryption-algorithm", "x-goog-copy-source-encryption-algorithm"):
        if header in request.headers:
            raise not_supported("customer-supplied encryption keys")
