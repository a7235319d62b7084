"""Alerts: kept in Postgres beside what was found, published from there, so that a crash in between loses none."""

from __future__ import annotations

from shared.adapters.ports import Publisher
from shared.adapters.postgres import Session
from shared.adapters.queries import rows_of
from shared.alert_kinds import AlertKind, Severity, runbook_anchor
from shared.messages import Alert

MOST_AT_ONCE = 1_000


def raise_alert(
    session: Session, kind: AlertKind, severity: Severity, subject: str, told: str, *, on: str = ""
) -> bool:
    """Keep an alert; False where the same was raised before (it is only counted then).

    `on` tells apart what may come again, such as the day. `told` holds counts and names, never a value of a row.
    """
    key = alert_key(kind, subject, on)
    found = rows_of(
        session, "raise_alert", alert_key=key, kind=kind, severity=severity, subject=subject, told=told
    )  # fmt: skip
    return bool(found[0][0])


def alert_key(kind: AlertKind, subject: str, on: str = "") -> str:
    """What makes an alert one of its own."""
    return "/".join(part for part in (kind, subject, on) if part)


def send_alerts(session: Session, publisher: Publisher, runbook_url: str) -> int:
    """Publish what is not published yet, to topic alerts; how many. At least once: notify delivers each once."""
    waiting = rows_of(session, "list_unpublished_alerts", most=MOST_AT_ONCE)
    for alert_id, key, kind, severity, subject, told, raised_at in waiting:
        alert = Alert(
            alert_id=alert_id, key=key, kind=kind, severity=severity, subject=subject, told=told,
            runbook=f"{runbook_url}#{runbook_anchor(kind)}", raised_at=raised_at,
        )  # fmt: skip
        publisher.publish("alerts", [alert])
        rows_of(session, "mark_alert_published", alert_id=alert_id)
    return len(waiting)
