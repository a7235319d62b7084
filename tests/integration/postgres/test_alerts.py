"""Alerts: raised once, counted again, published at least once and never lost in between."""

from __future__ import annotations

from typing import get_args

import pytest

from shared.adapters.alerts import raise_alert, send_alerts
from shared.adapters.memory import MemoryPublisher
from shared.adapters.postgres import Session
from shared.alert_kinds import AlertKind, runbook_anchor

RUNBOOK = "docs/runbook.md"


def test_the_same_finding_is_one_alert_and_is_counted(session: Session) -> None:
    first = raise_alert(session, "source_stale", "warning", "users", "no file for 8 days", on="2026-03-01")
    again = raise_alert(session, "source_stale", "warning", "users", "no file for 8 days", on="2026-03-01")
    other_day = raise_alert(session, "source_stale", "warning", "users", "no file for 9 days", on="2026-03-02")
    assert (first, again, other_day) == (True, False, True)
    assert session.rows("SELECT seen FROM pipeline.alert ORDER BY alert_id") == [(2,), (1,)]


def test_an_alert_is_published_once_with_the_link_to_its_section(session: Session) -> None:
    raise_alert(session, "quality_breach", "critical", "transactions", "1.2 % of the amounts are wrong")
    publisher = MemoryPublisher()
    assert (send_alerts(session, publisher, RUNBOOK), send_alerts(session, publisher, RUNBOOK)) == (1, 0)
    (alert,) = publisher.of("alerts")
    assert (alert.kind, alert.severity, alert.subject) == ("quality_breach", "critical", "transactions")
    assert alert.runbook == "docs/runbook.md#quality-breach"


def test_an_alert_whose_publishing_failed_is_published_the_next_time(session: Session) -> None:
    raise_alert(session, "schema_drift", "warning", "products.price", "was number, is string")
    with pytest.raises(Exception, match="topic alerts"):
        send_alerts(session, MemoryPublisher(topics=[]), RUNBOOK)
    publisher = MemoryPublisher()
    assert send_alerts(session, publisher, RUNBOOK) == 1


def test_every_kind_has_an_anchor_of_its_own() -> None:
    kinds = get_args(AlertKind)
    assert len({runbook_anchor(kind) for kind in kinds}) == len(kinds)
