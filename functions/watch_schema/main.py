"""Record schema drift: fields that are new, came with another JSON type, or went.

Trigger  schedule, every 10 minutes     Reads   the profiles of new chunks (pipeline.chunk)
Writes   pipeline.schema_drift, pipeline.schema_baseline, alerts
Retry    by the Scheduler               Key     the chunk, which is taken once
"""

from __future__ import annotations

import functions_framework
from flask import Request

from shared.adapters.alerts import send_alerts
from shared.adapters.drift import record_drift
from shared.adapters.feeds import one_at_a_time
from shared.adapters.ports import Publisher
from shared.adapters.postgres import Session
from shared.adapters.pubsub import CloudPublisher
from shared.adapters.sessions import session
from shared.entrypoint import Outcome, boundary
from shared.settings import Settings, load_settings


@functions_framework.http
@boundary("watch_schema")
def watch_schema(_: Request) -> Outcome:
    """Entry point."""
    settings = load_settings()
    with session(settings) as lent:
        return run(session=lent, publisher=CloudPublisher(settings.project), settings=settings)


def run(*, session: Session, publisher: Publisher, settings: Settings) -> Outcome:
    """What drifted, and the alerts on their way."""
    with one_at_a_time(session, "watch_schema") as free:
        if not free:
            return Outcome("busy")
        chunks, found = record_drift(session)
        send_alerts(session, publisher, settings.runbook_url)
        return Outcome("watched" if chunks else "idle", chunks, found)
