"""Extract the product catalogue from the product API into the landing bucket, as a file.

Trigger  schedule, daily                   Reads   the product API, the watermark
Writes   landing object products/<time of the run>.ndjson, the watermark
Retry    by the Scheduler; pages with backoff and jitter     Key     the scheduled time names the object
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import functions_framework
from flask import Request

from shared.adapters.ports import ObjectStore
from shared.adapters.postgres import Session
from shared.adapters.product_api import ProductApi
from shared.adapters.queries import rows_of
from shared.adapters.sessions import session
from shared.adapters.storage import CloudStorage
from shared.entrypoint import Outcome, boundary
from shared.errors import Inconsistent
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
    with session(settings) as lent:
        return run(
            scheduled_call(request, "extract_products", now),
            now=now,
            session=lent,
            store=CloudStorage(settings.project),
            api=ProductApi(settings.product_api_url, settings.product_page_size),
            settings=settings,
        )


def run(
    call: ScheduledCall, *, now: datetime, session: Session, store: ObjectStore, api: ProductApi, settings: Settings
) -> Outcome:
    """Everything on Sundays and the first time, else what changed since the last run; nothing is no file."""
    stem = f"products/{call.scheduled_at:%Y%m%dT%H%M%S%fZ}"
    if any(store.stat(settings.landing_bucket, f"{stem}-{kind}.ndjson") for kind in ("full", "changes")):
        return Outcome("repeated")
    known = rows_of(session, "read_watermark", source="products")
    full = not known or call.scheduled_at.weekday() == FULL_ON
    since = None if full else known[0][0] - OVERLAP
    name = f"{stem}-{'full' if full else 'changes'}.ndjson"
    rows = 0
    pages = api.pages(since)
    first = next(pages, None)
    if first is not None:
        try:
            with store.open_once(settings.landing_bucket, name) as out:
                page: list[bytes] | None = first
                while page is not None:
                    out.write(b"\n".join(page) + b"\n")
                    rows += len(page)
                    page = next(pages, None)
        except Inconsistent as exc:
            if exc.reason != "object_exists":
                raise
            return Outcome("repeated")
    rows_of(session, "store_watermark", source="products", watermark=now, full_at=now if full else None)
    return Outcome("extracted", rows, rows)
