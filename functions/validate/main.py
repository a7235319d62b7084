"""Validate one chunk of a source file, or one message of transactions.

Trigger  Pub/Sub chunks, transactions     Reads   the chunk's bytes (landing or lake)
Writes   lake object, quarantine object, one `validated` message
Retry    20 attempts, then dead letter    Key     chunk_id (a message of the stream: its message id)
"""

from __future__ import annotations

import functions_framework
import msgspec
from flask import Request

from shared import messages
from shared.adapters.ports import ObjectStore, Publisher
from shared.adapters.pubsub import CloudPublisher
from shared.adapters.storage import CloudStorage
from shared.domain.identity import digest
from shared.domain.normalising import Context
from shared.domain.redriving import MESSAGE_ID, first_published
from shared.domain.replaying import judge_again, reject_all
from shared.domain.spans import locate
from shared.domain.streaming import rows_of_message
from shared.domain.validation import Verdict, broken_stretch, validate_lines
from shared.entrypoint import Outcome, boundary
from shared.events import PushMessage, push_message
from shared.messages import INLINE_BYTES, Chunk, ObjectRange, Payload, Profile, Validated
from shared.schemas.formats import Formats
from shared.settings import Settings, load_settings


@functions_framework.http
@boundary("validate")
def validate(request: Request) -> Outcome:
    """Entry point."""
    settings = load_settings()
    store = CloudStorage(settings.project)
    return run(push_message(request), store=store, publisher=CloudPublisher(settings.project), settings=settings)


def run(push: PushMessage, *, store: ObjectStore, publisher: Publisher, settings: Settings) -> Outcome:
    """Judge the rows, make the good and the bad ones durable, then tell the next stage."""
    chunk = _of_stream(push) if push.topic == "transactions" else messages.read(push, Chunk)
    rows = rows_of_message(push.data) if push.topic == "transactions" else None
    verdict = _judge(chunk, rows, store, settings)
    held = verdict.held and not chunk.attempt and not chunk.decision
    done = Validated(
        chunk_id=chunk.chunk_id,
        file_id=chunk.file_id or None,
        source=chunk.source,
        ordinal=chunk.ordinal,
        received=verdict.received,
        valid=len(verdict.good),
        quarantined=len(verdict.bad),
        state="held" if held else "valid",
        landed_at=chunk.landed_at,
        raw=chunk.raw if rows is None else None,
        first_line=chunk.first_line,
        profile=_profile(verdict),
        attempt=chunk.attempt,
        action_id=chunk.action_id,
        decision=chunk.decision,
        reprocess=chunk.reprocess,
    )
    done = _hold(done, rows, store, settings) if held else _keep(done, verdict, store, settings)
    publisher.publish("validated", [done])
    return Outcome("held" if held else "validated", verdict.received, len(verdict.good), len(verdict.bad))


def _of_stream(push: PushMessage) -> Chunk:
    """A message of transactions as a chunk without a file; one that was sent again keeps its identity."""
    return Chunk(
        chunk_id=push.attributes.get(MESSAGE_ID, push.message_id),
        file_id="",
        source="transactions",
        ordinal=0,
        first_line=1,
        rows=0,
        landed_at=first_published(push.attributes, push.published_at),
        raw=ObjectRange(bucket="", name="", generation=0),
    )


def _judge(chunk: Chunk, rows: bytes | None, store: ObjectStore, settings: Settings) -> Verdict:
    if chunk.broken:
        place = f"gs://{chunk.raw.bucket}/{chunk.raw.name}#{chunk.raw.generation}"
        return broken_stretch(chunk.source, chunk.first_line, chunk.broken, (place, chunk.raw.offset, chunk.raw.length))
    if rows is None:
        raw = chunk.raw
        rows = store.read(raw.bucket, raw.name, generation=raw.generation, start=raw.offset, length=raw.length)
    formats = Formats(settings.date_order, settings.number_format)
    context = Context.at(chunk.source, chunk.landed_at, settings.payment_methods, formats)
    in_place = chunk.raw.offset if chunk.raw.bucket == settings.landing_bucket else None
    if chunk.lines is not None:
        return judge_again(rows, chunk.lines, context, chunk.header)
    if chunk.decision == "rejected":
        verdict = reject_all(rows, chunk.source, chunk.first_line, in_place)
    else:
        verdict = validate_lines(rows, context, chunk.first_line, chunk.header, in_place)
    if verdict.bad and chunk.raw.bucket == settings.lake_bucket:
        locate(verdict, rows, chunk.first_line, _behind(chunk.raw, store))
    return verdict


def _behind(raw: ObjectRange, store: ObjectStore) -> bytes:
    """What lies behind the rows of a chunk object: where each came from."""
    return store.read(raw.bucket, raw.name, generation=raw.generation, start=raw.offset + raw.length)


def _profile(verdict: Verdict) -> Profile:
    seen = verdict.fields
    return Profile(read=seen.read, missing=dict(verdict.missing), unknown=seen.unknown, types=seen.types)


def _hold(done: Validated, rows: bytes | None, store: ObjectStore, settings: Settings) -> Validated:
    """A held message of the stream has no file behind it, so its rows are kept until an operator decides."""
    if rows is None:
        return done
    name = f"held/{done.chunk_id}.ndjson"
    store.write_once(settings.lake_bucket, name, rows)
    kept = store.stat(settings.lake_bucket, name)
    generation = kept.generation if kept else 0
    raw = ObjectRange(bucket=settings.lake_bucket, name=name, generation=generation, length=len(rows))
    return msgspec.structs.replace(done, raw=raw)


def _keep(done: Validated, verdict: Verdict, store: ObjectStore, settings: Settings) -> Validated:
    """Good rows to the lake (or inline), bad rows to quarantine.

    The names follow from the chunk and the content: a repeat by a newer release never meets an older one's object.
    """
    raw = verdict.raw_bytes()
    raw_object = f"{verdict.source}/{done.chunk_id}.{digest(raw)}.raw"
    if raw:
        store.write_once(settings.quarantine_bucket, raw_object, raw)
    bad = verdict.bad_rows(f"gs://{settings.quarantine_bucket}/{raw_object}") if verdict.bad else b""
    return msgspec.structs.replace(
        done,
        rows=_payload(verdict.rows() if verdict.good else b"", f"{done.chunk_id}.rows", verdict, store, settings),
        bad=_payload(bad, f"{done.chunk_id}.bad", verdict, store, settings),
    )


def _payload(text: bytes, name: str, verdict: Verdict, store: ObjectStore, settings: Settings) -> Payload | None:
    if not text:
        return None
    if verdict.source == "transactions" and len(text) < INLINE_BYTES:
        return Payload(inline=text.decode())
    path = f"validated/{verdict.source}/{name}.{digest(text)}"
    store.write_once(settings.lake_bucket, path, text)
    return Payload(object=path)
