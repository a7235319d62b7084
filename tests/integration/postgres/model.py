"""What an upsert decides, in plain Python: one dictionary, one chunk at a time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from tests.integration.postgres.rows import Txn, at


@dataclass
class Standing:
    """The row that stands for an id, and the (chunk, line) that its content came from."""

    row: Txn
    recency: tuple[datetime, int]
    occurred_at: datetime
    source: tuple[int, int]


@dataclass
class Model:
    """The table of transactions."""

    table: dict[str, Standing] = field(default_factory=dict)

    def load(self, chunk: int, rows: Sequence[Txn]) -> Counter[str]:
        """Decide on each row of a chunk and count the outcomes."""
        fresh: set[str] = set()
        for line, row in sorted(enumerate(rows, 1), key=lambda item: (item[1].recency, -item[0]), reverse=True):
            known = self.table.get(row.id)
            if known is None:
                self.table[row.id] = Standing(row, row.recency, at(row.hours), (chunk, line))
                fresh.add(row.id)
                continue
            known.occurred_at = min(known.occurred_at, at(row.hours))
            if row.recency > known.recency:
                known.recency = row.recency
                if row.hash != known.row.hash:
                    known.row, known.source = row, (chunk, line)
        return Counter(self._verdict(chunk, line, row, fresh) for line, row in enumerate(rows, 1))

    def _verdict(self, chunk: int, line: int, row: Txn, fresh: set[str]) -> str:
        known = self.table[row.id]
        if known.source == (chunk, line):
            return "inserted" if row.id in fresh else "updated"
        if row.hash == known.row.hash:
            return "unchanged"
        return "superseded" if row.recency < known.recency else "quarantined"

    def business_columns(self) -> dict[str, tuple[object, ...]]:
        return {id_: columns(s.row, s.occurred_at, s.recency[0]) for id_, s in self.table.items()}


def columns(row: Txn, occurred_at: datetime, last_event_at: datetime) -> tuple[object, ...]:
    """The business columns by natural key, as the tests read them from the database."""
    return (row.user, row.product, row.amount, row.currency, row.method, row.status, occurred_at, last_event_at)


def final_columns(rows: Iterable[Txn]) -> dict[str, tuple[object, ...]]:
    """What must stand once all rows came, whatever the order: ids with a conflict at the top are left out."""
    by_id: dict[str, list[Txn]] = {}
    for row in rows:
        by_id.setdefault(row.id, []).append(row)
    result = {}
    for id_, mine in by_id.items():
        top = max(row.recency for row in mine)
        winners = {row.hash: row for row in mine if row.recency == top}
        if len(winners) == 1:
            (winner,) = winners.values()
            result[id_] = columns(winner, at(min(row.hours for row in mine)), top[0])
    return result
