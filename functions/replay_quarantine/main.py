"""An operator's orders by HTTP: replay, discard, release, reject, deadletter; what the commands of `sluice` do.

Trigger  HTTP POST, JSON       Reads   quarantine, held chunks, dead letters
Writes   messages to topic chunks (or a dead letter's own), the order and its result to schema audit
Retry    by the caller         Key     header Idempotency-Key: the same key gives the first result
"""

from __future__ import annotations

import functions_framework
from flask import Request, Response

from shared.adapters.actions import Result
from shared.adapters.deadletters import DeadLetters
from shared.adapters.operations import Ask, Office, perform
from shared.adapters.pubsub import CloudPublisher
from shared.adapters.sessions import session
from shared.adapters.storage import CloudStorage
from shared.entrypoint import boundary
from shared.ordering import answer_order
from shared.settings import load_settings

CONFLICTS = {"request_reused", "decided_otherwise", "not_held"}


@functions_framework.http
@boundary("replay_quarantine")
def replay_quarantine(request: Request) -> Response:
    """Entry point."""
    settings = load_settings()

    def carry_out(ask: Ask, request_id: str, operator: str) -> Result:
        with session(settings) as lent:
            office = Office(
                lent, CloudStorage(settings.project), CloudPublisher(settings.project), DeadLetters(settings.project),
                settings,
            )  # fmt: skip
            return perform(ask, request_id, operator, office)

    return answer_order(request, Ask, settings.operators, carry_out, CONFLICTS)
