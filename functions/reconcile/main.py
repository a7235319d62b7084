"""Compare landing files, ledger, Postgres, BigQuery and marts, to the row and the cent; a mismatch is an alert.

Trigger  schedule, every hour      Reads   the landing bucket's list, the ledger, totals by day of every store
Writes   pipeline.quality_result (dataset reconcile), alerts that name the chunk or the object
Retry    by the Scheduler          Key     what differs and the day: found twice it is one alert
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import functions_framework
from flask import Request

from shared.adapters.alerts import raise_alert, send_alerts
from shared.adapters.feeds import one_at_a_time
from shared.adapters.ports import ObjectStore, Publisher, Warehouse
from shared.adapters.postgres import Session
from shared.adapters.pubsub import CloudPublisher
from shared.adapters.quality import keep
from shared.adapters.sessions import session
from shared.adapters.settling import ledger_findings, lost_objects, store_findings
from shared.adapters.storage import CloudStorage
from shared.adapters.warehouse import BigQueryWarehouse
from shared.domain.quality import rules as r
from shared.domain.quality.judging import judge_differences
from shared.entrypoint import Outcome, boundary
from shared.settings import Settings, load_settings

RULES = [rule.name for rule in (r.FILES_EQUAL, r.LEDGER_EQUAL)]
STORE_RULES = [rule.name for rule in (r.WAREHOUSE_EQUAL, r.MARTS_EQUAL)]


@functions_framework.http
@boundary("reconcile")
def reconcile(_: Request) -> Outcome:
    """Entry point."""
    settings = load_settings()
    with session(settings) as lent:
        return run(
            now=datetime.now(UTC), session=lent, store=CloudStorage(settings.project),
            warehouse=BigQueryWarehouse(settings, "reconcile"), publisher=CloudPublisher(settings.project),
            settings=settings,
        )  # fmt: skip


def run(
    *, now: datetime, session: Session, store: ObjectStore, warehouse: Warehouse, publisher: Publisher,
    settings: Settings,
) -> Outcome:  # fmt: skip
    """Everything that is off becomes an alert; what is under way for less than the grace period is not off."""
    settled_before, today = now - timedelta(seconds=settings.reconcile_grace_seconds), now.date()
    with one_at_a_time(session, "reconcile") as free:
        if not free:
            return Outcome("busy")
        files = lost_objects(session, store, settings.landing_bucket, settled_before)
        ledger = ledger_findings(session, settled_before)
        stores = store_findings(session, warehouse)
        counted = [
            judge_differences(r.FILES_EQUAL, today, len(files), 0),
            judge_differences(r.LEDGER_EQUAL, today, len(ledger), 0),
        ]
        keep(session, counted, [today], RULES)
        keep(session, stores.results, sorted({one.day for one in stores.results}), STORE_RULES)
        findings = [*files, *ledger, *stores.findings]
        for one in findings:
            raise_alert(session, "reconcile_mismatch", "critical", one.where, one.told, on=today.isoformat())
        send_alerts(session, publisher, settings.runbook_url)
    return Outcome("mismatch" if findings else "reconciled", len(stores.results), rows_bad=len(findings))
