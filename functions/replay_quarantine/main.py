"""An operator's orders by HTTP: replay, discard, release, reject, deadletter; what the commands of `sluice` do.

Trigger  HTTP POST, JSON       Reads   quarantine, held chunks, dead letters
Writes   messages to topic chunks (or a dead letter's own), the order and its result to schema audit
Retry    by the caller         Key     header Idempotency-Key: the same key gives the first result
"""

from __future__ import annotations

import functions_framework
import msgspec
from flask import Request, Response

from shared.adapters.deadletters import DeadLetters
from shared.adapters.operations import Ask, Office, perform
from shared.adapters.pubsub import CloudPublisher
from shared.adapters.sessions import session
from shared.adapters.storage import CloudStorage
from shared.callers import Refused, caller
from shared.entrypoint import boundary
from shared.errors import OrderRefused
from shared.settings import load_settings

MAX_KEY = 200
CONFLICTS = {"request_reused", "decided_otherwise", "not_held"}
"""Refusals that are about what was ordered before, not about how the order is written."""


@functions_framework.http
@boundary("replay_quarantine")
def replay_quarantine(request: Request) -> Response:
    """Entry point."""
    settings = load_settings()
    try:
        operator = caller(dict(request.headers), settings.operators)
        ask, key = _read(request)
        with session(settings) as lent:
            office = Office(
                lent, CloudStorage(settings.project), CloudPublisher(settings.project), DeadLetters(settings.project),
                settings,
            )  # fmt: skip
            return _answer(200, perform(ask, f"{operator}/{key}", operator, office))
    except Refused as exc:
        return _answer(exc.status, {"error": exc.reason, "told": str(exc)})
    except OrderRefused as exc:
        return _answer(409 if exc.reason in CONFLICTS else 400, {"error": exc.reason, "told": str(exc)})


def _read(request: Request) -> tuple[Ask, str]:
    """The order and its key. Raises Refused or OrderRefused."""
    if request.method != "POST":
        raise Refused(405, "method", "send the order by POST")
    key = request.headers.get("Idempotency-Key", "")
    if not key.isprintable() or not 1 <= len(key) <= MAX_KEY:
        raise OrderRefused("key_missing", f"the header Idempotency-Key must hold 1 to {MAX_KEY} printable characters")
    try:
        return msgspec.json.decode(request.get_data(), type=Ask), key
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as exc:
        raise OrderRefused("malformed", f"{exc}; see docs/contracts.md") from exc


def _answer(status: int, body: object) -> Response:
    return Response(msgspec.json.encode(body) + b"\n", status, mimetype="application/json")
