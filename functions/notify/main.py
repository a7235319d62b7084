"""Deliver an alert to the webhook, once; without a webhook, to the log.

Trigger  Pub/Sub alerts         Reads   the alert's row in pipeline.alert
Writes   a POST to ALERT_WEBHOOK_URL; delivered_at or refused_status of the row
Retry    20 attempts, then dead letter    Key     the alert's key, in the header Idempotency-Key
"""

from __future__ import annotations

import functions_framework
from flask import Request

from shared import messages
from shared.adapters.postgres import Session
from shared.adapters.queries import rows_of
from shared.adapters.sessions import session
from shared.adapters.webhook import SECONDS, deliver
from shared.entrypoint import Outcome, boundary
from shared.events import push_message
from shared.messages import Alert
from shared.settings import load_settings
from shared.telemetry import logger


@functions_framework.http
@boundary("notify")
def notify(request: Request) -> Outcome:
    """Entry point."""
    settings = load_settings()
    alert = messages.read(push_message(request), Alert)
    _log(alert)
    if not settings.alert_webhook_url:
        return Outcome("logged", 1)
    with session(settings) as lent:
        return run(alert, session=lent, url=settings.alert_webhook_url)


def run(alert: Alert, *, session: Session, url: str, seconds: float = SECONDS) -> Outcome:
    """Deliver unless it was. The row is locked meanwhile: a second delivery of the message waits, then finds it done.

    An alert that this database does not know (it was restored) is delivered all the same.
    """
    with session.transaction():
        known = rows_of(session, "lock_alert", alert_id=alert.alert_id, alert_key=alert.key)
        if known and known[0][0]:
            return Outcome("repeated", 1)
        status = deliver(url, alert, seconds)
        refused = None if 200 <= status < 300 else status
        rows_of(session, "mark_alert_delivered", alert_id=alert.alert_id, alert_key=alert.key, refused=refused)
    if refused is not None:
        logger().warning("alert_refused", alert_id=alert.alert_id, kind=alert.kind, status=refused)
        return Outcome("refused", 1, detail=f"the webhook answers {refused}: check ALERT_WEBHOOK_URL")
    return Outcome("delivered", 1, 1)


def _log(alert: Alert) -> None:
    logger().warning(
        "alert", alert_id=alert.alert_id, kind=alert.kind, alert_severity=alert.severity, subject=alert.subject,
        told=alert.told, runbook=alert.runbook,
    )  # fmt: skip
