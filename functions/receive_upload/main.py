"""Register a landed file and cut it into chunks.

Trigger  Pub/Sub uploads (GCS notification, or our own continuation)     Reads   the landing object, in bounded memory
Writes   ledger (file, chunks), lake objects for what has no byte ranges, one `chunks` message per chunk
Retry    20 attempts, then dead letter                                   Key     file_id = bucket/name#generation
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

import functions_framework
import msgspec
from flask import Request

from shared import messages
from shared.adapters.landing import Checkpoint, examine, pieces
from shared.adapters.ledger import FileLedger, PostgresFileLedger
from shared.adapters.ports import ObjectInfo, ObjectStore, Publisher
from shared.adapters.pubsub import CloudPublisher
from shared.adapters.sessions import session
from shared.adapters.storage import CloudStorage
from shared.domain.cutting import Piece
from shared.domain.identity import chunk_id, file_id
from shared.domain.sources import route
from shared.entrypoint import Outcome, boundary
from shared.errors import Inconsistent, MalformedRecord, UnsupportedFile
from shared.events import PushMessage, push_message
from shared.messages import Chunk, ObjectRange, Upload
from shared.settings import Settings, load_settings

BATCH_CHUNKS = 16
BATCH_SECONDS = 1.0


@functions_framework.http
@boundary("receive_upload")
def receive_upload(request: Request) -> Outcome:
    """Entry point."""
    settings = load_settings()
    with session(settings) as connection:
        return run(
            push_message(request),
            store=CloudStorage(settings.project),
            ledger=PostgresFileLedger(connection),
            publisher=CloudPublisher(settings.project),
            settings=settings,
        )


def run(
    push: PushMessage,
    *,
    store: ObjectStore,
    ledger: FileLedger,
    publisher: Publisher,
    settings: Settings,
    clock: Callable[[], float] = time.monotonic,
) -> Outcome:
    """Register the file, refuse it or cut it; done before → nothing happens."""
    upload = _upload(push, settings)
    if upload is None:
        return Outcome("ignored")
    identity = file_id(upload.bucket, upload.name, upload.generation)
    info = store.stat(upload.bucket, upload.name, upload.generation)
    if info is None:
        known = ledger.state(identity)
        if known is None or known.open:
            ledger.reject(identity, upload, "object_missing", "it was replaced or deleted before it was read")
        return Outcome("rejected", detail="object_missing")
    with ledger.cutting(identity, info) as known:
        if not known.open:
            return Outcome("repeated", known.rows)
        try:
            way = route(upload.name)
            at = known.checkpoint or examine(info, way, store, settings)
        except UnsupportedFile as exc:
            ledger.reject(identity, upload, exc.reason, str(exc))
            return Outcome("rejected", detail=exc.reason)
        ledger.begin(identity, way.source)
        return _cut(_Cutting(identity, way.source, info, at, store, ledger, publisher, settings), clock)


def _upload(push: PushMessage, settings: Settings) -> Upload | None:
    if "eventType" not in push.attributes:
        return messages.read(push, Upload)
    if push.attributes["eventType"] != "OBJECT_FINALIZE" or push.attributes.get("bucketId") != settings.landing_bucket:
        return None
    try:
        return Upload(
            bucket=push.attributes["bucketId"],
            name=push.attributes["objectId"],
            generation=int(push.attributes["objectGeneration"]),
        )
    except (KeyError, ValueError) as exc:
        raise MalformedRecord("malformed_message", "a storage notification without objectId or generation") from exc


@dataclass
class _Cutting:
    """One file being cut: what is known of it and what is not published yet."""

    identity: str
    source: str
    info: ObjectInfo
    at: Checkpoint
    store: ObjectStore
    ledger: FileLedger
    publisher: Publisher
    settings: Settings
    batch: list[Chunk] = field(default_factory=list)

    def add(self, piece: Piece) -> None:
        """Name the piece's chunk and make its rows durable where they have no byte range of their own."""
        after = msgspec.structs.replace(self.at, position=piece.end)
        if piece.rows:
            name = chunk_id(self.identity, self.at.ordinal)
            self.batch.append(
                Chunk(
                    chunk_id=name,
                    file_id=self.identity,
                    source=self.source,
                    ordinal=self.at.ordinal,
                    first_line=piece.start.line,
                    rows=piece.rows,
                    landed_at=self.info.created_at,
                    raw=self._raw(name, piece),
                    header=self.at.dialect.header if self.at.dialect else None,
                    broken=piece.broken,
                )
            )
            after = msgspec.structs.replace(after, ordinal=self.at.ordinal + 1, rows=self.at.rows + piece.rows)
        self.at = after

    def _raw(self, name: str, piece: Piece) -> ObjectRange:
        if self.at.in_place or piece.broken:
            start, length = piece.start.offset, piece.end.offset - piece.start.offset
            return ObjectRange(
                bucket=self.info.bucket, name=self.info.name, generation=self.info.generation, offset=start,
                length=length,
            )  # fmt: skip
        path = f"chunks/{self.source}/{name}.ndjson"
        self.store.write_once(self.settings.lake_bucket, path, piece.data)
        kept = self.store.stat(self.settings.lake_bucket, path)
        if kept is None or kept.size != len(piece.data):
            raise Inconsistent("chunk_changed", f"{path} differs from what is cut now; was CHUNK_ROWS changed?")
        return ObjectRange(
            bucket=self.settings.lake_bucket, name=path, generation=kept.generation, length=len(piece.data)
        )

    def flush(self) -> None:
        """Ledger first, then the messages, then the checkpoint: a crash in between repeats, and loses nothing."""
        if self.batch:
            self.ledger.record_chunks(self.batch)
            self.publisher.publish("chunks", self.batch)
            self.batch = []
        self.ledger.checkpoint(self.identity, self.at)


def _cut(cutting: _Cutting, clock: Callable[[], float]) -> Outcome:
    started = flushed = clock()
    batch = 1  # the first chunk goes out at once, so that the next stage begins while the file is still being read
    for piece in pieces(cutting.info, cutting.at, cutting.store, cutting.settings):
        cutting.add(piece)
        now = clock()
        if len(cutting.batch) >= batch or now - flushed > BATCH_SECONDS:
            cutting.flush()
            flushed, batch = now, min(2 * batch, BATCH_CHUNKS)
        if now - started > cutting.settings.cut_seconds:
            cutting.flush()
            info = cutting.info
            more = Upload(bucket=info.bucket, name=info.name, generation=info.generation)
            cutting.publisher.publish("uploads", [more])
            return Outcome("continued", cutting.at.rows)
    cutting.flush()
    cutting.ledger.finish(cutting.identity)
    return Outcome("cut", cutting.at.rows)
