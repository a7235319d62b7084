"""What the tests of check_quality share: the function with fakes around a real ledger, and rows to judge."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from functions.check_quality import main as check_quality
from shared.adapters.loading import load_chunk
from shared.adapters.memory import MemoryPublisher, MemoryStore, MemoryWarehouse
from shared.adapters.postgres import Session
from shared.entrypoint import Outcome
from shared.messages import Alert
from tests.functions.harness import settings
from tests.integration.postgres.rows import (
    START,
    Txn,
    bad_rows,
    facts,
    transactions,
)

TODAY = START.date()
NOON = datetime.combine(TODAY, datetime.min.time(), UTC) + timedelta(hours=12)


@dataclass
class Check:
    """check_quality with fakes around a real ledger."""

    session: Session
    store: MemoryStore = field(default_factory=MemoryStore)
    publisher: MemoryPublisher = field(default_factory=MemoryPublisher)
    fields: str = "transactions.user_id:warn,transactions.amount:critical"

    def __post_init__(self) -> None:
        self.warehouse = MemoryWarehouse(self.store)

    def run(self, now: datetime = NOON, **instead: Any) -> Outcome:
        parts: dict[str, Any] = {"warehouse": self.warehouse, **instead}
        return check_quality.run(
            now=now, session=self.session, store=self.store, publisher=self.publisher,
            settings=settings(QUALITY_FIELDS=self.fields), **parts,
        )  # fmt: skip

    def alerts(self) -> list[Alert]:
        return self.publisher.of("alerts")

    def told(self) -> dict[str, str]:
        return {alert.subject: alert.told for alert in self.alerts()}

    def verdict(self, rule: str, day: date = TODAY, scope: str = "day", subject: str = "") -> tuple[Decimal, bool, int]:
        (found,) = self.session.rows(
            """SELECT value, passed, rows FROM pipeline.quality_result
               WHERE rule = $1 AND day = $2 AND scope = $3 AND subject = $4 AND dataset IN ('transactions', 'sales')""",
            rule, day, scope, subject,
        )  # fmt: skip
        return tuple(found)  # type: ignore[return-value]

    def rules(self, day: date = TODAY) -> set[str]:
        """The rules that have a verdict on a day."""
        sql = "SELECT rule FROM pipeline.quality_result WHERE day = $1 AND scope = 'day'"
        return {row[0] for row in self.session.rows(sql, day)}


def load(
    session: Session, rows: Sequence[Txn], *, day: date = TODAY, chunk: str | None = None, bad: Sequence[int] = (),
    file: str | None = None, missing: Mapping[str, int] | None = None,
) -> None:  # fmt: skip
    profile = json.dumps({"missing": dict(missing or {})})
    known = replace(
        facts("transactions", len(rows) + len(bad), chunk), day=day, profile=profile, file_id=file
    )  # fmt: skip
    load_chunk(session, known, transactions(rows), bad_rows(bad) if bad else None)


def many(prefix: str, count: int, **more: Any) -> list[Txn]:
    return [Txn(f"{prefix}-{n}", **more) for n in range(count)]
