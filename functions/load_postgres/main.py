"""Load one validated chunk into Postgres: one transaction, once.

Trigger  Pub/Sub validated      Reads   the rows and bad rows (in the message or the lake)
Writes   schema commerce, identity and pipeline; conflicting rows of the stream to quarantine
Retry    20 attempts, then dead letter    Key     chunk_id, by its ledger row
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime

import functions_framework
import msgspec
from flask import Request

from shared import messages
from shared.adapters.loading import ChunkFacts, LoadCounts, hold_chunk, load_chunk, load_message, replay_rows
from shared.adapters.ports import ObjectStore
from shared.adapters.postgres import Session
from shared.adapters.queries import rows_of
from shared.adapters.sessions import session
from shared.adapters.storage import CloudStorage
from shared.domain.copytext import COLUMNS, table_of
from shared.domain.identity import digest
from shared.domain.rebuilding import rebuilt_rows
from shared.entrypoint import Outcome, boundary
from shared.events import PushMessage, push_message
from shared.messages import Payload, Validated
from shared.metric_names import Measure
from shared.settings import Settings, load_settings


@functions_framework.http
@boundary("load_postgres")
def load_postgres(request: Request) -> Outcome:
    """Entry point."""
    settings = load_settings()
    with session(settings) as lent:
        return run(push_message(request), session=lent, store=CloudStorage(settings.project), settings=settings)


def utc_now() -> datetime:
    """The clock of the function."""
    return datetime.now(UTC)


def run(
    push: PushMessage, *, session: Session, store: ObjectStore, settings: Settings,
    clock: Callable[[], datetime] = utc_now,
) -> Outcome:  # fmt: skip
    """Hold or load; done before gives the first counts again."""
    done = messages.read(push, Validated)
    facts = _facts(done)
    if done.attempt:
        return _replay(done, facts, session, store, settings)
    if done.state == "held":
        now, counts = hold_chunk(session, facts, done.valid, messages.as_fields(done))
        return Outcome("held" if now else "repeated", counts.received)
    rows = _text(done.rows, store, settings) or table_of(COLUMNS[done.source], [])
    bad = _text(done.bad, store, settings)
    if done.file_id is None and not bad and not done.decision:
        now, counts = load_message(session, facts, rows)
    else:
        now, counts = load_chunk(session, facts, rows, bad or None)
    if done.file_id is None and not (now and counts.quarantined == done.quarantined):
        _keep_conflicts(done, rows, session, store, settings)
    return _outcome(now, counts, done, clock)


def _replay(done: Validated, facts: ChunkFacts, session: Session, store: ObjectStore, settings: Settings) -> Outcome:
    """Rows of a chunk that is loaded already: out of quarantine, or bad again."""
    rows = _text(done.rows, store, settings) or table_of(COLUMNS[done.source], [])
    bad = _text(done.bad, store, settings) or None
    counts = replay_rows(session, facts, rows, bad, done.attempt, done.action_id)
    return Outcome("replayed" if counts else "ignored", done.received, done.valid, done.quarantined)


def _facts(done: Validated) -> ChunkFacts:
    raw = done.raw
    return ChunkFacts(
        chunk_id=done.chunk_id,
        source=done.source,
        received=done.received,
        day=done.landed_at.date(),
        file_id=done.file_id,
        ordinal=done.ordinal,
        recency=done.landed_at if done.source in {"users", "fx_rates"} else None,
        bucket=raw.bucket if raw else None,
        object_name=raw.name if raw else None,
        generation=raw.generation if raw else None,
        byte_offset=raw.offset if raw else None,
        byte_length=raw.length if raw else None,
        first_line=done.first_line,
        profile=msgspec.json.encode(done.profile).decode(),
        decision=done.decision or None,
        landed_at=None if done.file_id else done.landed_at,
        reprocessed=done.reprocess > 0,
    )


def _text(payload: Payload | None, store: ObjectStore, settings: Settings) -> bytes:
    if payload is None:
        return b""
    if payload.inline is not None:
        return payload.inline.encode()
    return store.read(settings.lake_bucket, payload.object or "")


def _keep_conflicts(done: Validated, rows: bytes, session: Session, store: ObjectStore, settings: Settings) -> None:
    """A conflicting row of a file can be read again there; one of the stream is kept, before the message is gone."""
    lines = [row[0] for row in rows_of(session, "list_conflicts", chunk_id=done.chunk_id)]
    kept = rebuilt_rows(rows, lines)
    if not kept:
        return
    raw = b"".join(text + b"\n" for text in kept.values())
    name = f"{done.source}/{done.chunk_id}.{digest(raw)}.raw"
    store.write_once(settings.quarantine_bucket, name, raw)
    places, offset = [], 0
    for line, text in kept.items():
        places.append({"line": line, "raw_offset": offset, "raw_length": len(text)})
        offset += len(text) + 1
    place = f"gs://{settings.quarantine_bucket}/{name}"
    rows_of(
        session, "point_conflicts", chunk_id=done.chunk_id, raw_object=place, places=json.dumps(places),
        landed_at=done.landed_at,
    )  # fmt: skip


def _outcome(now: bool, counts: LoadCounts, done: Validated, clock: Callable[[], datetime]) -> Outcome:
    """What is loaded again by an operator's order is not late, however old it is: its age is not measured."""
    written = counts.inserted + counts.updated
    if not now:
        return Outcome("repeated", counts.received, written, counts.quarantined)
    measures: dict[Measure, float] = {}
    if not (done.decision or done.reprocess):
        age = max(0.0, (clock() - done.landed_at).total_seconds())
        measures["batch_seconds" if done.file_id else "age_seconds"] = age
    return Outcome("loaded", counts.received, written, counts.quarantined, measures=measures)
