"""Register a landed file and cut it into chunks.

Trigger  Pub/Sub uploads (GCS notification, or our own continuation)     Reads   the landing object, in bounded memory
Writes   ledger (file, chunks), lake objects for what has no byte ranges, one `chunks` message per chunk
Retry    20 attempts, then dead letter                                   Key     file_id = bucket/name#generation
"""

from __future__ import annotations

import time
from collections.abc import Callable

import functions_framework
from flask import Request

from shared import messages
from shared.adapters.intake import Intake, cut
from shared.adapters.landing import examine
from shared.adapters.ledger import FileLedger, PostgresFileLedger
from shared.adapters.ports import ObjectStore, Publisher
from shared.adapters.pubsub import CloudPublisher
from shared.adapters.sessions import session
from shared.adapters.storage import CloudStorage
from shared.domain.identity import file_id
from shared.domain.sources import route
from shared.entrypoint import Outcome, boundary
from shared.errors import MalformedRecord, UnsupportedFile
from shared.events import PushMessage, push_message
from shared.messages import Upload
from shared.settings import Settings, load_settings


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
    identity = file_id(upload.bucket, upload.name, upload.generation, upload.reprocess)
    info = store.stat(upload.bucket, upload.name, upload.generation)
    if info is None:
        known = ledger.state(identity)
        if known is None or known.open:
            ledger.reject(identity, upload, "object_missing", "it was replaced or deleted before it was read")
        return Outcome("rejected", detail="object_missing")
    with ledger.cutting(identity, info, upload.reprocess) as known:
        if not known.open:
            return Outcome("repeated", known.rows)
        try:
            way = route(upload.name)
            at = known.checkpoint or examine(info, way, store, settings)
        except UnsupportedFile as exc:
            ledger.reject(identity, upload, exc.reason, str(exc))
            return Outcome("rejected", detail=exc.reason)
        ledger.begin(identity, way.source)
        intake = Intake(identity, way.source, info, at, store, ledger, publisher, settings, upload.reprocess)
        whole, rows = cut(intake, clock)
        return Outcome("cut" if whole else "continued", rows)


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
