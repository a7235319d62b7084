"""One extraction, page by page: each page is stored once before the next is asked for, then all land as one file."""

from __future__ import annotations

import time
from functools import partial

from shared.adapters.extraction_ledger import ExtractionLedger, Run
from shared.adapters.ports import ObjectStore
from shared.adapters.product_api import ProductApi
from shared.domain.catalogue import Tally, check_page
from shared.errors import CatalogueMoved, Inconsistent

ROUNDS = 3
"""How often one call reads the pages afresh where they do not fit together."""


class Extractor:
    """Brings a run to its end. Every step is durable before the next, so that a call may die at any point of it.

    `run` is the run under way, as far as it came.
    """

    def __init__(
        self, ledger: ExtractionLedger, store: ObjectStore, api: ProductApi, *, lake: str, landing: str, seconds: float
    ) -> None:
        self._ledger = ledger
        self._store = store
        self._api = api
        self._lake = lake
        self._landing = landing
        self._deadline = time.monotonic() + seconds
        self.run: Run | None = None

    def extract(self, run: Run) -> int:
        """Fetch the pages that are missing, land them and finish the run; how many products.

        Raises what the product API's adapter raises, and CatalogueMoved where no round gave pages that fit.
        """
        self.run = run
        for left in reversed(range(ROUNDS)):
            try:
                self._fetch(self.run)
                products = self._land(self.run)
            except CatalogueMoved as exc:
                self.run = self._ledger.restart(self.run, exc.digest)
                if not left:
                    raise
            else:
                self._ledger.finish(self.run, products)
                return products
        raise AssertionError("the last round returns or raises")

    def _fetch(self, run: Run) -> None:
        number = run.pages_stored + 1
        told = self._told_by_stored(run, number)  # stored by a call that died before it could record it
        if told:
            run = self._record(run, number, *told)
        while run.pages is None or run.pages_stored < run.pages:
            number = run.pages_stored + 1
            page = self._api.page(
                number,
                since=run.since,
                page_size=run.page_size,
                label=run.label,
                deadline=self._deadline,
                not_before=run.wait_until,
                on_wait=partial(self._ledger.note_wait, run),
            )
            check_page(number, len(page.lines), (page.pages, page.total), (run.pages, run.total))
            body = b"".join(line + b"\n" for line in page.lines)
            told_now = {"pages": str(page.pages), "total": str(page.total)}
            self._store.write_once(self._lake, run.page_object(number), body, metadata=told_now)
            run = self._record(run, number, page.pages, page.total)

    def _record(self, run: Run, number: int, pages: int, total: int) -> Run:
        self.run = self._ledger.record_page(run, number, pages, total)
        return self.run

    def _told_by_stored(self, run: Run, number: int) -> tuple[int, int] | None:
        info = self._store.stat(self._lake, run.page_object(number))
        return (int(info.metadata["pages"]), int(info.metadata["total"])) if info else None

    def _land(self, run: Run) -> int:
        """Write the landing object from the stored pages; nothing to write is no file."""
        if not run.total:
            return 0
        tally = Tally()
        try:
            with self._store.open_once(self._landing, run.landing_object) as out:
                for number in range(1, run.pages_stored + 1):
                    body = self._stored(run, number)
                    tally.add(body.split(b"\n")[:-1])
                    out.write(body)
                tally.check(run.total, run.digest)
        except Inconsistent as exc:
            if exc.reason != "object_exists":  # it is there where a call landed it and died before the run's end
                raise
        return tally.received

    def _stored(self, run: Run, number: int) -> bytes:
        try:
            return self._store.read(self._lake, run.page_object(number))
        except Inconsistent as exc:
            raise CatalogueMoved(f"page {number} is gone from the lake") from exc
