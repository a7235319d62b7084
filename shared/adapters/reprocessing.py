"""Backfill: landed files run through the code of today once more, each pass as a file of its own in the ledger."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from shared.adapters.actions import Order, Result, carry_out
from shared.adapters.ports import Publisher
from shared.adapters.postgres import Session
from shared.adapters.queries import rows_of
from shared.domain.identity import file_id
from shared.messages import Upload


@dataclass(frozen=True)
class Again:
    """A landed file, and the pass that it would be processed in."""

    bucket: str
    name: str
    generation: int
    next_pass: int
    rows: int

    @property
    def file_id(self) -> str:
        """The identity of the pass."""
        return file_id(self.bucket, self.name, self.generation, self.next_pass)


def list_reprocessable(session: Session, source: str, first_day: date, last_day: date) -> list[Again]:
    """The files of a source by the day they landed, in the order they landed."""
    found = rows_of(session, "list_reprocessable", source=source, first_day=first_day, last_day=last_day)
    return [Again(*row) for row in found]


def order_reprocess(
    session: Session, publisher: Publisher, order: Order, source: str, first_day: date, last_day: date
) -> Result:
    """Send each file to receive_upload for another pass, and put the order on record."""

    def work(_: int) -> Result:
        files = list_reprocessable(session, source, first_day, last_day)
        uploads = [
            Upload(bucket=f.bucket, name=f.name, generation=f.generation, reprocess=f.next_pass) for f in files
        ]  # fmt: skip
        publisher.publish("uploads", uploads)
        rows = sum(f.rows for f in files)
        return {"files": len(files), "rows": rows, "file_ids": [f.file_id for f in files]}

    return carry_out(session, order, work)
