"""The bytes of the objects: immutable files, each written once under a temporary name, synced and renamed.

A file name is random and belongs to one generation of one object; the catalogue says which. So an overwrite never
touches bytes that a reader holds open, and a copy is a hard link.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import os
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import google_crc32c

READ_SIZE = 256 * 1024


@dataclass(frozen=True, slots=True)
class Content:
    """Bytes at rest: the file that holds them and what is known of them."""

    file: str
    size: int
    crc32c: str
    md5: str | None
    components: int | None = None


class Hasher:
    """Size, crc32c and (unless composed) md5 of a stream of bytes."""

    def __init__(self, *, with_md5: bool = True) -> None:
        self.size = 0
        self._crc = 0
        self._md5 = hashlib.md5(usedforsecurity=False) if with_md5 else None

    def update(self, data: bytes) -> None:
        """Take the next bytes of the stream."""
        self.size += len(data)
        self._crc = google_crc32c.extend(self._crc, data)
        if self._md5 is not None:
            self._md5.update(data)

    def content(self, file: str, components: int | None = None) -> Content:
        """What was seen so far, as the content of a file."""
        crc = base64.b64encode(self._crc.to_bytes(4, "big")).decode()
        md5 = None if self._md5 is None else base64.b64encode(self._md5.digest()).decode()
        return Content(file, self.size, crc, md5, components)


class Writer:
    """A file on its way in: nothing refers to it until `finish` has renamed it."""

    def __init__(self, files: Files, path: Path, hasher: Hasher) -> None:
        self._files = files
        self._path = path
        self._stream: BinaryIO = path.open("ab", buffering=0)
        self.hasher = hasher

    def write(self, data: bytes) -> None:
        """Append and hash; the page cache takes the bytes, so this does not wait for the disk."""
        self._stream.write(data)
        self.hasher.update(data)

    async def finish(self, components: int | None = None, *, keep: bool = False) -> Content:
        """Sync outside of the event loop and give the file its final name; `keep` leaves the old name as well."""
        await asyncio.to_thread(os.fsync, self._stream.fileno())
        self._stream.close()
        return self.hasher.content(self._files.adopt(self._path, keep=keep), components)

    def close(self) -> None:
        """Stop writing and keep the bytes: a resumable upload goes on with them later."""
        self._stream.close()

    def discard(self) -> None:
        """Drop the file of an upload that failed."""
        self._stream.close()
        self._path.unlink(missing_ok=True)


class Files:
    """The folders below the server's home: `incoming` for unfinished files, `objects` for finished ones."""

    def __init__(self, home: Path) -> None:
        self._incoming = home / "incoming"
        self._objects = home / "objects"
        self._incoming.mkdir(parents=True, exist_ok=True)
        for number in range(256):
            (self._objects / f"{number:02x}").mkdir(parents=True, exist_ok=True)

    def path(self, file: str) -> Path:
        """Where a finished file lies."""
        return self._objects / file[:2] / file

    def incoming(self, upload: str) -> Path:
        """Where the bytes of a resumable upload gather."""
        return self._incoming / upload

    def writer(self, *, with_md5: bool = True) -> Writer:
        """A new file with a fresh hash."""
        return Writer(self, self._incoming / uuid.uuid4().hex, Hasher(with_md5=with_md5))

    def resume(self, upload: str, received: int, hasher: Hasher | None) -> Writer:
        """Go on with an upload after `received` bytes; without its hash (after a restart) the file is read again."""
        path = self.incoming(upload)
        path.touch()
        if path.stat().st_size < received:
            raise OSError(f"{path} is shorter than the {received} bytes that were acknowledged; start the upload again")
        os.truncate(path, received)
        if hasher is None or hasher.size != received:
            hasher = Hasher()
            with path.open("rb") as stream:
                while data := stream.read(READ_SIZE):
                    hasher.update(data)
        return Writer(self, path, hasher)

    def adopt(self, path: Path, *, keep: bool) -> str:
        """Bring a complete file into the store."""
        file = uuid.uuid4().hex
        if keep:
            os.link(path, self.path(file))
        else:
            path.rename(self.path(file))
        return file

    def link(self, content: Content) -> Content:
        """The same bytes under a new name; no byte is copied, whatever the size."""
        file = uuid.uuid4().hex
        os.link(self.path(content.file), self.path(file))
        return Content(file, content.size, content.crc32c, content.md5, content.components)

    def remove(self, file: str) -> None:
        """Delete a file that the catalogue no longer names; open readers keep their bytes."""
        self.path(file).unlink(missing_ok=True)

    def sweep(self, objects: Iterable[str], uploads: Iterable[str]) -> None:
        """Delete what a crash left behind: files that neither an object nor an open upload names."""
        for folder, keep in ((self._objects, set(objects)), (self._incoming, set(uploads))):
            for path in folder.rglob("*"):
                if path.is_file() and path.name not in keep:
                    path.unlink()
