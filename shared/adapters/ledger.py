"""The ledger of files and chunks, as receive_upload writes it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Protocol

import msgspec

from shared.adapters.landing import Checkpoint
from shared.adapters.ports import ObjectInfo
from shared.adapters.postgres import Session
from shared.adapters.queries import rows_of
from shared.domain.identity import file_id as identity_of
from shared.errors import LockTimeout
from shared.messages import Chunk, Upload


@dataclass(frozen=True)
class FileState:
    """What the ledger knows of a file."""

    state: str
    rows: int
    checkpoint: Checkpoint | None

    @property
    def open(self) -> bool:
        """Whether there is still something to cut."""
        return self.state in {"registered", "cutting"}


def first_pass(bucket: str, name: str, generation: int, reprocess: int) -> str | None:
    """The file that a later pass processes again; None for the first."""
    return identity_of(bucket, name, generation) if reprocess else None


class FileLedger(Protocol):
    """Files and their chunks; every call is durable when it returns."""

    def state(self, file_id: str) -> FileState | None:
        """What is known of a file, or None."""

    def cutting(self, file_id: str, info: ObjectInfo, reprocess: int = 0) -> AbstractContextManager[FileState]:
        """Register the file (or this pass over it) where it is new and keep others from cutting it meanwhile.

        Raises LockTimeout.
        """

    def begin(self, file_id: str, source: str) -> None:
        """The file has a source and is being cut."""

    def reject(self, file_id: str, upload: Upload, reason: str, told: str) -> None:
        """Refuse the file as a whole."""

    def record_chunks(self, chunks: Sequence[Chunk]) -> None:
        """Register chunks as pending; those that are known stay as they are."""

    def checkpoint(self, file_id: str, at: Checkpoint) -> None:
        """Everything before the checkpoint is registered and published."""

    def finish(self, file_id: str) -> None:
        """The whole file is cut."""


class PostgresFileLedger:
    """FileLedger in schema `pipeline`."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def state(self, file_id: str) -> FileState | None:
        found = rows_of(self._session, "read_file_state", file_id=file_id)
        if not found:
            return None
        state, rows, checkpoint = found[0]
        return FileState(state, rows, msgspec.convert(checkpoint, Checkpoint) if checkpoint else None)

    @contextmanager
    def cutting(self, file_id: str, info: ObjectInfo, reprocess: int = 0) -> Iterator[FileState]:
        if not rows_of(self._session, "lock_file", file_id=file_id)[0][0]:
            raise LockTimeout(f"file {file_id} is being cut by another delivery")
        try:
            rows_of(
                self._session,
                "register_file",
                file_id=file_id,
                bucket=info.bucket,
                object_name=info.name,
                generation=info.generation,
                size=info.size,
                crc32c=info.crc32c,
                landed_at=info.created_at,
                pass_number=reprocess,
                first_pass=first_pass(info.bucket, info.name, info.generation, reprocess),
            )
            known = self.state(file_id)
            assert known is not None
            yield known
        finally:
            rows_of(self._session, "unlock_file", file_id=file_id)

    def begin(self, file_id: str, source: str) -> None:
        rows_of(self._session, "begin_file", file_id=file_id, source=source)

    def reject(self, file_id: str, upload: Upload, reason: str, told: str) -> None:
        rows_of(
            self._session,
            "reject_file",
            file_id=file_id,
            bucket=upload.bucket,
            object_name=upload.name,
            generation=upload.generation,
            reason=reason,
            told=told,
            pass_number=upload.reprocess,
            first_pass=first_pass(upload.bucket, upload.name, upload.generation, upload.reprocess),
        )

    def record_chunks(self, chunks: Sequence[Chunk]) -> None:
        facts = [
            {
                "chunk_id": chunk.chunk_id,
                "file_id": chunk.file_id,
                "source": chunk.source,
                "ordinal": chunk.ordinal,
                "day": chunk.landed_at.date(),
                "bucket": chunk.raw.bucket,
                "object_name": chunk.raw.name,
                "generation": chunk.raw.generation,
                "byte_offset": chunk.raw.offset,
                "byte_length": chunk.raw.length,
                "first_line": chunk.first_line,
                "received": chunk.rows,
            }
            for chunk in chunks
        ]
        rows_of(self._session, "record_chunks", chunks=msgspec.json.encode(facts).decode())

    def checkpoint(self, file_id: str, at: Checkpoint) -> None:
        rows_of(
            self._session,
            "checkpoint_file",
            file_id=file_id,
            checkpoint=msgspec.json.encode(at).decode(),
            rows_received=at.rows,
            chunks=at.ordinal,
        )

    def finish(self, file_id: str) -> None:
        rows_of(self._session, "finish_file", file_id=file_id)
