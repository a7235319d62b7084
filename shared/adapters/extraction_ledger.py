"""The ledger of extractions: how far each run is, so that a call goes on where another one ended."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from shared.adapters.postgres import Session
from shared.adapters.queries import rows_of

SOURCE = "products"


@dataclass(frozen=True)
class Run:
    """One extraction as the ledger has it; `since` is None where it takes the whole catalogue."""

    run_id: int
    scheduled_at: datetime
    since: datetime | None
    page_size: int
    round: int
    pages_stored: int
    pages: int | None
    total: int | None
    digest: str | None
    wait_until: datetime | None
    started_at: datetime

    @property
    def label(self) -> str:
        """Run and round, as the product API and the names of the pages show them."""
        return f"{self.run_id}.{self.round}"

    @property
    def landing_object(self) -> str:
        """Where the file lands; the same however often the run is taken up."""
        kind = "full" if self.since is None else "changes"
        return f"{SOURCE}/{self.scheduled_at:%Y%m%dT%H%M%S%fZ}-{kind}.ndjson"

    @property
    def progress(self) -> str:
        """How far it came, for an alert."""
        of = "an unknown number of" if self.pages is None else self.pages
        return f"{self.pages_stored} of {of} pages stored"

    def page_object(self, number: int) -> str:
        """Where a page of this round is stored in the lake."""
        return f"extraction/{SOURCE}/{self.label}/{number:06d}.ndjson"


class ExtractionLedger:
    """pipeline.extraction and the watermark of the source."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def watermark(self) -> datetime | None:
        """Up to when the source was read; None before the first time."""
        known = rows_of(self._session, "read_watermark", source=SOURCE)
        return known[0][0] if known else None

    def take(self) -> Run | None:
        """The run that is not finished."""
        return _run(rows_of(self._session, "take_extraction", source=SOURCE))

    def begin(self, scheduled_at: datetime, since: datetime | None, page_size: int, now: datetime) -> Run | None:
        """A new run; None where this scheduled time has had one."""
        return _run(
            rows_of(
                self._session, "begin_extraction", source=SOURCE, scheduled_at=scheduled_at, since=since,
                page_size=page_size, started_at=now,
            )
        )  # fmt: skip

    def record_page(self, run: Run, number: int, pages: int, total: int) -> Run:
        """A page is stored."""
        found = rows_of(
            self._session, "record_page", run_id=run.run_id, page=number, pages=pages, total=total
        )  # fmt: skip
        return Run(*found[0])

    def restart(self, run: Run, digest: str | None) -> Run:
        """The next round, from page 1."""
        return Run(*rows_of(self._session, "restart_extraction", run_id=run.run_id, digest=digest)[0])

    def note_wait(self, run: Run, until: datetime) -> None:
        """Keep what the API asked for, for whoever calls it next."""
        rows_of(self._session, "note_wait", run_id=run.run_id, wait_until=until)

    def finish(self, run: Run, products: int) -> None:
        """The file has landed: the watermark moves to when the run began, together with its end."""
        full_at = run.started_at if run.since is None else None
        with self._session.transaction():
            rows_of(
                self._session, "store_watermark", source=SOURCE, watermark=run.started_at, full_at=full_at
            )  # fmt: skip
            rows_of(self._session, "finish_extraction", run_id=run.run_id, products=products)


def _run(rows: list[tuple[Any, ...]]) -> Run | None:
    return Run(*rows[0]) if rows else None
