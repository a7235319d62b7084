"""Judge what came in and what was sold by the rules of shared/domain/quality, and alert on what breaks one.

Trigger  schedule, every 15 minutes    Reads   the ledger of the days that changed; their facts, once
Writes   pipeline.quality_result, pipeline.outlier, marts.quality_metrics, alerts
Retry    by the Scheduler              Key     the day: measuring it twice gives the same verdicts
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import functions_framework
from flask import Request

from shared.adapters import quality
from shared.adapters.alerts import raise_alert, send_alerts
from shared.adapters.feeds import one_at_a_time
from shared.adapters.metering import PostgresMeter
from shared.adapters.ports import ObjectStore, Publisher, Warehouse
from shared.adapters.postgres import Session
from shared.adapters.pubsub import CloudPublisher
from shared.adapters.quality_mart import publish_days
from shared.adapters.queries import rows_of
from shared.adapters.sessions import session
from shared.adapters.storage import CloudStorage
from shared.adapters.warehouse import BigQueryWarehouse
from shared.domain.quality.judging import Result
from shared.domain.quality.scoring import kind_of, worth_telling
from shared.entrypoint import Outcome, boundary
from shared.settings import Settings, load_settings
from shared.telemetry import log_freshness


@functions_framework.http
@boundary("check_quality")
def check_quality(_: Request) -> Outcome:
    """Entry point."""
    settings = load_settings()
    with session(settings) as lent:
        return run(
            now=datetime.now(UTC), session=lent, store=CloudStorage(settings.project),
            warehouse=BigQueryWarehouse(settings, "check_quality", meter=PostgresMeter(lent)),
            publisher=CloudPublisher(settings.project), settings=settings,
        )  # fmt: skip


def run(
    *, now: datetime, session: Session, store: ObjectStore, warehouse: Warehouse, publisher: Publisher,
    settings: Settings,
) -> Outcome:  # fmt: skip
    """Measure the days that changed and those that ended since the last run; the watermark moves last."""
    today = now.date()
    with one_at_a_time(session, "check_quality") as free:
        if not free:
            return Outcome("busy")
        position, reached, ran_on = rows_of(session, "read_quality_watermark")[0]
        number = rows_of(session, "claim_quality_run", day=ran_on or today)[0][0]
        landed, sold = quality.days_to_measure(session, position, ran_on, today)
        results = quality.measure_ledger_days(session, landed, today, settings.quality_fields)
        results += quality.measure_sale_days(session, sold, today)
        fresh = quality.measure_freshness(session, now)
        for one in fresh:
            log_freshness("source", one.dataset, timedelta(hours=float(one.value)), late=not one.passed)
        results += fresh
        breached = [one for one in results if one.scope == "day" and not one.passed]
        for one in breached:
            if worth_telling(one, today):
                _alert(session, one)
        days = sorted({*landed, *sold, today})
        publish_days(
            number, days, quality.kept(session, days=days), now,
            store=store, warehouse=warehouse, bucket=settings.lake_bucket,
        )  # fmt: skip
        rows_of(session, "store_quality_watermark", position=reached, day=today)
        send_alerts(session, publisher, settings.runbook_url)
    return Outcome("measured", len(days), len(results), len(breached))


def _alert(session: Session, one: Result) -> None:
    subject = " ".join(part for part in (one.dataset, one.rule, one.subject) if part)
    raise_alert(session, kind_of(one.rule), one.severity, subject, one.told, on=one.day.isoformat())
