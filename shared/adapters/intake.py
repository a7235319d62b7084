"""The intake of one file: its pieces become chunks in the ledger and messages, with a checkpoint behind each batch."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import msgspec

from shared.adapters.landing import Checkpoint, pieces
from shared.adapters.ledger import FileLedger
from shared.adapters.ports import ObjectInfo, ObjectStore, Publisher
from shared.domain.cutting import Piece
from shared.domain.identity import chunk_id
from shared.domain.spans import spans_of
from shared.errors import Inconsistent
from shared.messages import Chunk, ObjectRange, Upload
from shared.settings import Settings

BATCH_CHUNKS = 16
BATCH_SECONDS = 1.0


@dataclass
class Intake:
    """One file being cut: what is known of it and what is not published yet."""

    identity: str
    source: str
    info: ObjectInfo
    at: Checkpoint
    store: ObjectStore
    ledger: FileLedger
    publisher: Publisher
    settings: Settings
    reprocess: int = 0
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
                    reprocess=self.reprocess,
                )
            )
            after = msgspec.structs.replace(after, ordinal=self.at.ordinal + 1, rows=self.at.rows + piece.rows)
        self.at = after

    def _raw(self, name: str, piece: Piece) -> ObjectRange:
        if self.at.in_place or piece.broken:
            start = piece.start.offset + piece.lead
            length = piece.end.offset - start
            return ObjectRange(
                bucket=self.info.bucket, name=self.info.name, generation=self.info.generation, offset=start,
                length=length,
            )  # fmt: skip
        path = f"chunks/{self.source}/{name}.ndjson"
        data = piece.data + spans_of(piece)
        self.store.write_once(self.settings.lake_bucket, path, data)
        kept = self.store.stat(self.settings.lake_bucket, path)
        if kept is None or kept.size not in (len(data), len(piece.data)):  # an older release told no places
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


def cut(intake: Intake, clock: Callable[[], float]) -> tuple[bool, int]:
    """Cut to the end, or until the time is used and a continuation is published; whether whole, and the rows so far."""
    started = flushed = clock()
    batch = 1  # the first chunk goes out at once, so that the next stage begins while the file is still being read
    for piece in pieces(intake.info, intake.source, intake.at, intake.store, intake.settings):
        intake.add(piece)
        now = clock()
        if len(intake.batch) >= batch or now - flushed > BATCH_SECONDS:
            intake.flush()
            flushed, batch = now, min(2 * batch, BATCH_CHUNKS)
        if now - started > intake.settings.cut_seconds:
            intake.flush()
            info = intake.info
            more = Upload(
                bucket=info.bucket, name=info.name, generation=info.generation, reprocess=intake.reprocess
            )  # fmt: skip
            intake.publisher.publish("uploads", [more])
            return False, intake.at.rows
    intake.flush()
    intake.ledger.finish(intake.identity)
    return True, intake.at.rows
