"""What happens to an object: preconditions, catalogue and events, each change one atomic commit.

All methods run on the event loop between two awaits, so a precondition that was checked still holds when the change
is committed.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable

from local.storage import events
from local.storage.catalog import Catalog
from local.storage.errors import invalid, no_object, not_found, not_supported
from local.storage.fields import Fields, merged, timestamp, without_nulls
from local.storage.files import Content, Files
from local.storage.preconditions import Preconditions
from local.storage.resources import StoredObject

ANY = Preconditions()
Also = Callable[[StoredObject], None]


class ObjectStore:
    """The objects of all buckets."""

    def __init__(self, catalog: Catalog, files: Files, base: str) -> None:
        self._catalog = catalog
        self._files = files
        self.base = base
        row = catalog.row("SELECT max(generation) AS generation FROM object")
        self._last_generation: int = (row and row["generation"]) or 0

    def find(self, bucket: str, name: str) -> StoredObject | None:
        """The live object of a name; a bucket that does not exist is refused."""
        row = self._catalog.row("SELECT * FROM object WHERE bucket = ? AND name = ?", (bucket, name.encode()))
        if row is None:
            self.default_class(bucket)
            return None
        return StoredObject.read(row)

    def get(
        self, bucket: str, name: str, when: Preconditions = ANY, generation: int | None = None, *, reading: bool = False
    ) -> StoredObject:
        """The object, if it stands as asked; 404, 412 or 304 otherwise."""
        found = self.find(bucket, name)
        if found is None or generation not in (None, found.generation):
            raise no_object(bucket, name)
        when.check(found.generation, found.metageneration, reading=reading)
        return found

    def default_class(self, bucket: str) -> str:
        """The storage class that a bucket gives its objects; 404 without the bucket."""
        row = self._catalog.row("SELECT fields FROM bucket WHERE name = ?", (bucket,))
        if row is None:
            raise not_found("The specified bucket does not exist.")
        return str(json.loads(row["fields"]).get("storageClass", "STANDARD"))

    def check(self, bucket: str, name: str, when: Preconditions) -> StoredObject | None:
        """Whether a write could go on now; the object it would replace."""
        if not 0 < len(name.encode()) <= 1024 or name in (".", "..") or "\n" in name or "\r" in name:
            raise invalid(f"Invalid object name: {name[:80]!r}")
        old = self.find(bucket, name)
        when.check(old.generation if old else 0, old.metageneration if old else 0)
        return old

    def put(
        self, bucket: str, name: str, content: Content, fields: Fields, when: Preconditions, also: Also | None = None
    ) -> StoredObject:
        """Make `content` the live generation of a name; on a refusal its file is removed.

        `also` is done in the same commit.
        """
        try:
            with self._catalog.transaction():
                new, old = self._put(bucket, name, content, fields, when)
                if also is not None:
                    also(new)
        except BaseException:
            self._files.remove(content.file)
            raise
        if old is not None:
            self._files.remove(old.content.file)
        return new

    def _put(
        self, bucket: str, name: str, content: Content, fields: Fields, when: Preconditions
    ) -> tuple[StoredObject, StoredObject | None]:
        old = self.check(bucket, name, when)
        now = timestamp()
        complete = without_nulls({"storageClass": self.default_class(bucket), **fields})
        new = StoredObject(bucket, name, self._next_generation(), 1, content, now, now, complete)
        self._write(new)
        replaced = {} if old is None else {"overwroteGeneration": str(old.generation)}
        self._tell(new, events.FINALIZE, replaced)
        if old is not None:
            self._tell(old, events.DELETE, {"overwrittenByGeneration": str(new.generation)})
        return new, old

    def patch(self, old: StoredObject, changes: Fields, *, replace: bool = False) -> StoredObject:
        """Change the metadata; `replace` drops every settable property that is not named."""
        fields = without_nulls(changes) if replace else merged(old.fields, changes)
        fields.setdefault("storageClass", old.fields["storageClass"])
        if fields["storageClass"] != old.fields["storageClass"]:
            raise not_supported("changing storageClass by patch or update; rewrite the object instead")
        if old.fields.get("customTime", "") > fields.get("customTime", ""):
            raise invalid("The customTime of an object can neither be removed nor set to an earlier time.")
        new = StoredObject(
            *(old.bucket, old.name, old.generation, old.metageneration + 1),
            *(old.content, old.created, timestamp(), fields),
        )
        with self._catalog.transaction():
            self._write(new)
            self._tell(new, events.METADATA_UPDATE, {})
        return new

    def delete(self, old: StoredObject) -> None:
        """Remove an object and, once that is committed, its bytes."""
        with self._catalog.transaction():
            self._catalog.execute("DELETE FROM object WHERE bucket = ? AND name = ?", (old.bucket, old.name.encode()))
            self._tell(old, events.DELETE, {})
        self._files.remove(old.content.file)

    def _next_generation(self) -> int:
        self._last_generation = max(time.time_ns() // 1000, self._last_generation + 1)
        return self._last_generation

    def _write(self, new: StoredObject) -> None:
        content = new.content
        row = (new.bucket, new.name.encode(), new.generation, new.metageneration, content.size, content.crc32c)
        row2 = (content.md5, content.components, content.file, new.created, new.updated, json.dumps(new.fields))
        self._catalog.execute("INSERT OR REPLACE INTO object VALUES (?,?,?,?,?,?,?,?,?,?,?,?)", row + row2)

    def _tell(self, subject: StoredObject, event: str, extra: dict[str, str]) -> None:
        events.record(self._catalog, subject, event, extra, self.base)
