"""extract_products with a catalogue over HTTP that a test can let go wrong."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from functions.extract_products.main import run
from shared.adapters.memory import MemoryPublisher, MemoryStore
from shared.adapters.ports import ObjectStore, Publisher
from shared.adapters.postgres import Session
from shared.adapters.product_api import ProductApi
from shared.entrypoint import Outcome
from shared.events import ScheduledCall
from tests.contract.adapters.catalogue import Catalogue
from tests.functions.harness import LANDING, settings

SUNDAY = datetime(2026, 3, 1, 3, tzinfo=UTC)
MONDAY = SUNDAY + timedelta(days=1)
FULL = "products/20260301T030000000000Z-full.ndjson"
CHANGES = "products/20260302T030000000000Z-changes.ndjson"
ITEMS = [f'{{"product_id": "p{number}", "price": 1.10}}' for number in range(5)]


@dataclass
class Bench:
    """Runs on a database that no other extraction uses meanwhile; two products a page, so the catalogue has three."""

    session: Session
    catalogue: Catalogue
    store: MemoryStore = field(default_factory=MemoryStore)
    publisher: MemoryPublisher = field(default_factory=MemoryPublisher)
    patience: float = 30.0

    def run(
        self,
        at: datetime,
        store: ObjectStore | None = None,
        publisher: Publisher | None = None,
        session: Session | None = None,
        **environment: str,
    ) -> Outcome:
        """One scheduled run, five minutes late; a page is given up after `patience` seconds."""
        with ProductApi(self.catalogue.url, page_seconds=self.patience) as api:
            return run(
                ScheduledCall("extract_products", at),
                now=at + timedelta(minutes=5),
                session=session or self.session,
                store=store or self.store,
                api=api,
                publisher=publisher or self.publisher,
                settings=settings(**{"PRODUCT_PAGE_SIZE": "2", **environment}),
            )

    def landed(self, name: str = FULL) -> list[str]:
        """The lines of a landing object."""
        return self.store.read(LANDING, name).decode().splitlines()

    def watermark(self) -> list[tuple[datetime, datetime | None]]:
        rows = self.session.rows("SELECT watermark, full_at FROM pipeline.extraction_watermark")
        return [(row[0], row[1]) for row in rows]

    def pages_asked(self) -> list[int]:
        """The pages that were asked for, in order, since this was last called."""
        asked = [int(request["page"]) for request in self.catalogue.requests]
        self.catalogue.requests = []
        return asked

    def alerts(self) -> list[dict[str, Any]]:
        """The alerts of extractions, as Postgres keeps them."""
        names = ("severity", "subject", "told", "seen")
        rows = self.session.rows(
            f"SELECT {', '.join(names)} FROM pipeline.alert WHERE kind = 'extraction_failed' ORDER BY alert_id"
        )
        return [dict(zip(names, row, strict=True)) for row in rows]


def clear_extractions(session: Session) -> None:
    """No extraction and no alert has ever been."""
    for table in ("extraction_watermark", "extraction", "alert"):
        session.rows(f"DELETE FROM pipeline.{table}")


@contextmanager
def extracting(session: Session) -> Iterator[Bench]:
    """A bench without any earlier extraction or alert."""
    clear_extractions(session)
    with Catalogue(items=list(ITEMS)) as catalogue:
        yield Bench(session, catalogue)
