"""Extract the product catalogue from the product API into the landing bucket, as a file.

Trigger  schedule, daily                   Reads   the product API, the ledger of extractions, the watermark
Writes   each page in the lake, then the landing object products/<scheduled time>-<kind>.ndjson, the watermark, an alert
Retry    by the Scheduler: goes on behind the last page stored     Key     the run; the scheduled time names the object
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import functions_framework
from flask import Request

from shared.adapters.alerts import raise_alert, send_alerts
from shared.adapters.extraction import Extractor
from shared.adapters.extraction_ledger import ExtractionLedger
from shared.adapters.feeds import one_at_a_time
from shared.adapters.ports import ObjectStore, Publisher
from shared.adapters.postgres import Session
from shared.adapters.product_api import ApiThrottled, ApiUnavailable, ProductApi
from shared.adapters.pubsub import CloudPublisher
from shared.adapters.sessions import session
from shared.adapters.storage import CloudStorage
from shared.entrypoint import Outcome, boundary
from shared.errors import CatalogueMoved, ConfigError, LockTimeout
from shared.events import ScheduledCall, scheduled_call
from shared.settings import Settings, load_settings

FULL_ON = 6
"""Sunday: the whole catalogue, which mends whatever an increment missed."""
OVERLAP = timedelta(hours=1)
"""How far an increment reaches back behind the last one, for clocks that differ; what comes twice is unchanged."""


@functions_framework.http
@boundary("extract_products")
def extract_products(request: Request) -> Outcome:
    """Entry point."""
    settings = load_settings()
    now = datetime.now(UTC)
    with session(settings) as lent, ProductApi(settings.product_api_url, audience=settings.product_api_audience) as api:
        return run(
            scheduled_call(request, "extract_products", now),
            now=now,
            session=lent,
            store=CloudStorage(settings.project),
            api=api,
            publisher=CloudPublisher(settings.project),
            settings=settings,
        )


def run(
    call: ScheduledCall, *, now: datetime, session: Session, store: ObjectStore, api: ProductApi,
    publisher: Publisher, settings: Settings,
) -> Outcome:  # fmt: skip
    """Finish what an earlier call began; else all on Sundays and at first, else what changed since the last run."""
    ledger = ExtractionLedger(session)
    with one_at_a_time(session, "extract_products") as free:
        if not free:
            raise LockTimeout("another call extracts the products; trying again")
        extractor = Extractor(
            ledger, store, api, lake=settings.lake_bucket, landing=settings.landing_bucket,
            seconds=settings.extract_seconds,
        )  # fmt: skip
        try:
            return _extract(call, now, ledger, extractor, settings.product_page_size)
        except (ApiThrottled, ApiUnavailable, CatalogueMoved, ConfigError) as exc:
            if extractor.run:
                told, on = f"{extractor.run.progress}; {exc}", f"run {extractor.run.run_id}"
                raise_alert(session, "extraction_failed", "critical", "product API", told, on=on)
                send_alerts(session, publisher, settings.runbook_url)
            raise


def _extract(
    call: ScheduledCall, now: datetime, ledger: ExtractionLedger, extractor: Extractor, page_size: int
) -> Outcome:
    watermark, unfinished = ledger.watermark(), ledger.take()
    products = extractor.extract(unfinished) if unfinished else 0
    full = watermark is None or call.scheduled_at.weekday() == FULL_ON
    if unfinished is None or (full and unfinished.since):
        since = None if full or watermark is None else watermark - OVERLAP
        begun = ledger.begin(call.scheduled_at, since, page_size, now)
        if begun is None and unfinished is None:
            return Outcome("repeated")
        products += extractor.extract(begun) if begun else 0
    return Outcome("extracted", products, products)
