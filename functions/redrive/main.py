"""Send dead letters again, a few times; what fails still becomes an alert.

Trigger  schedule, every 15 minutes     Reads   every dead-letter subscription
Writes   the message to its topic again; an alert for what stays
Retry    by the Scheduler               Key     attribute sluice_redrives counts; a stream message keeps its id
"""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime

import functions_framework
from flask import Request

from shared.adapters.alerts import raise_alert, send_alerts
from shared.adapters.deadletters import DeadLetters
from shared.adapters.ports import Publisher
from shared.adapters.postgres import Session
from shared.adapters.pubsub import CloudPublisher
from shared.adapters.sessions import session
from shared.entrypoint import Outcome, boundary
from shared.settings import Settings, load_settings


@functions_framework.http
@boundary("redrive")
def redrive(_: Request) -> Outcome:
    """Entry point."""
    settings = load_settings()
    with session(settings) as lent:
        return run(
            session=lent,
            letters=DeadLetters(settings.project),
            publisher=CloudPublisher(settings.project),
            settings=settings,
            now=datetime.now(UTC),
        )


def run(*, session: Session, letters: DeadLetters, publisher: Publisher, settings: Settings, now: datetime) -> Outcome:
    """Send again what the guard allows; of the rest there is one alert a day for each subscription."""
    sent = letters.redrive(lambda letter: letter.redrives < settings.redrive_guard)
    stuck = Counter(letter.subscription.rpartition("/")[2] for letter in letters.peek(
        lambda letter: letter.redrives >= settings.redrive_guard
    ))  # fmt: skip
    for subscription, count in sorted(stuck.items()):
        told = f"{count:,} messages fail, also when sent again {settings.redrive_guard} times; nothing is lost"
        raise_alert(session, "dead_letters", "critical", subscription, told, on=now.date().isoformat())
    send_alerts(session, publisher, settings.runbook_url)
    return Outcome("redriven" if sent else "idle", len(sent) + stuck.total(), len(sent), stuck.total())
