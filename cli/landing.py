"""Putting files and messages in, and following them through the ledger."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from google.cloud import storage

from shared.adapters.postgres import Session
from shared.adapters.queries import rows_of
from shared.domain.identity import file_id
from shared.domain.sources import SOURCES

POLL_SECONDS = 0.1


@dataclass(frozen=True)
class Dropped:
    """A file that was put into the landing bucket."""

    file_id: str
    name: str
    bytes: int


@dataclass(frozen=True)
class Progress:
    """How far some files are: rows known so far, rows with a final outcome, files that are finished."""

    received: int
    settled: int
    finished: int
    rejected: int


def source_of(path: Path) -> str | None:
    """The source that a local file's name or folder tells: `users.csv`, `transactions-2.json.gz`, `users/a.csv`."""
    for part in (path.name, path.parent.name):
        for source in SOURCES:
            if part.startswith(source):
                return source
    return None


def drop(project: str, bucket: str, path: Path, source: str) -> Dropped:
    """Upload one file to the landing bucket, as gsutil cp would."""
    name = f"{source}/{path.name}"
    blob = storage.Client(project=project).bucket(bucket).blob(name)
    blob.upload_from_filename(str(path))
    return Dropped(file_id(bucket, name, int(blob.generation or 0)), name, path.stat().st_size)


def progress(session: Session, files: Sequence[str]) -> Progress:
    """How far these files are, by the ledger."""
    ((received, settled, finished, rejected),) = rows_of(session, "follow_files", file_ids=list(files))
    return Progress(int(received), int(settled), int(finished), int(rejected))


def follow(
    session: Session, files: Sequence[str], timeout: float, alive: Callable[[], None] = lambda: None
) -> Iterator[Progress]:
    """Yield the progress until every file is finished. Raises TimeoutError. `alive` is called between two looks."""
    deadline = time.monotonic() + timeout
    while True:
        now = progress(session, files)
        yield now
        if now.finished == len(files):
            return
        if time.monotonic() > deadline:
            raise TimeoutError(
                f"{len(files) - now.finished} of {len(files)} files are not through after {timeout:.0f} s"
            )
        alive()
        time.sleep(POLL_SECONDS)
