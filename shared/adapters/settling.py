"""Collecting what reconcile compares: landing objects, the ledger, Postgres, BigQuery and the mart.

What is under way is no mismatch: objects, chunks and feeds younger than the grace period, and every day that a feed
has still to bring through. What is under way for longer than that is one.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import islice

from shared.adapters.ports import ObjectInfo, ObjectStore, Warehouse
from shared.adapters.postgres import Session
from shared.adapters.queries import rows_of
from shared.adapters.reconciliation import FACT, MART, postgres_totals, warehouse_totals
from shared.adapters.warehouse_sql import warehouse_sql
from shared.domain.balance import Account, Finding
from shared.domain.quality import rules as r
from shared.domain.quality.judging import Result, judge_differences
from shared.domain.reconciling import by_chunk, differences, of_mart, rows_by_day

OBJECTS_AT_ONCE = 1_000
MOST_CHUNKS = 20
"""Chunks that are named one by one; a store that lost everything is not a thousand alerts."""


@dataclass(frozen=True)
class Reconciled:
    """What is off, and the verdicts on the days that were compared."""

    findings: list[Finding]
    results: list[Result]


def lost_objects(session: Session, store: ObjectStore, bucket: str, settled_before: datetime) -> list[Finding]:
    """Landing objects that the ledger does not know although they have been there for long: a lost notification."""
    settled = (info for info in store.listing(bucket) if info.created_at < settled_before)
    found = []
    for some in _batches(settled):
        objects = json.dumps([{"name": info.name, "generation": info.generation} for info in some])
        for name, generation in rows_of(session, "list_unknown_objects", bucket=bucket, objects=objects):
            told = "is not in the ledger: its notification was lost; drop it again"
            found.append(Finding("mismatch", f"object gs://{bucket}/{name}#{generation}", told))
    return found


def _batches(infos: Iterable[ObjectInfo]) -> Iterator[list[ObjectInfo]]:
    rest = iter(infos)
    while some := list(islice(rest, OBJECTS_AT_ONCE)):
        yield some


def ledger_findings(session: Session, settled_before: datetime) -> list[Finding]:
    """Accounts that are off, chunks that are lost or overdue, and tables with rows that no account explains."""
    lost = rows_of(session, "list_lost_chunks")
    findings = [
        Finding("mismatch", f"chunk {chunk}", f"is not in the ledger; {file} has it") for _, chunk, file in lost
    ]
    findings += [Finding("stuck", *row) for row in rows_of(session, "list_overdue", settled_before=settled_before)]
    explained = {file for _, _, file in lost}
    for name in ("chunks", "files"):
        accounts = [Account(*row) for row in rows_of(session, f"verify_{name}")]
        settled = [account for account in accounts if not account.pending and account.where not in explained]
        findings += [one for account in settled for one in account.findings()]
    for source, standing, counted, balanced in rows_of(session, "verify_tables"):
        if not balanced and source not in {row[0] for row in lost}:
            findings += _of_table(session, source, standing, counted)
    return findings


def _of_table(session: Session, source: str, standing: int, counted: int) -> list[Finding]:
    orphans = rows_of(session, "list_orphans", source=source)
    told = f"the ledger inserted {counted:,} rows, the table {source} has {standing:,}"
    if not orphans:
        return [Finding("mismatch", f"table {source}", told)]
    return [
        Finding("mismatch", f"chunk key {key}", f"is not in the ledger, {rows:,} rows came from it; {told}")
        for key, rows in orphans[:MOST_CHUNKS]
    ]


def store_findings(session: Session, warehouse: Warehouse) -> Reconciled:
    """Postgres against BigQuery and the mart, by day and currency, and by chunk where a day differs.

    The warehouse is read first: what Postgres then has more is still under way, or came through since the start.
    """
    started = rows_of(session, "read_clock")[0][0]
    fact, mart = warehouse_totals(warehouse, FACT), warehouse_totals(warehouse, MART)
    with session.transaction("ISOLATION LEVEL REPEATABLE READ"):
        truth = postgres_totals(session)
        under_way = {row[0] for row in rows_of(session, "list_days_under_way", started=started)}
    rows = rows_by_day(truth)
    off_fact, off_mart = differences(truth, fact, under_way), differences(truth, mart, under_way)
    findings = _by_chunk(session, warehouse, [day for day, count in off_fact.items() if count])
    days = [day for day, count in off_mart.items() if count and not off_fact.get(day)]
    if days:
        findings.append(of_mart(MART, truth, mart, days))
    results = [
        judge_differences(rule, day, count, rows.get(day, 0))
        for rule, off in ((r.WAREHOUSE_EQUAL, off_fact), (r.MARTS_EQUAL, off_mart))
        for day, count in off.items()
    ]
    return Reconciled(findings, results)


def _by_chunk(session: Session, warehouse: Warehouse, days: Sequence[date]) -> list[Finding]:
    if not days:
        return []
    truth = {chunk: (rows, amount) for chunk, rows, amount in rows_of(session, "total_chunks", days=list(days))}
    there = warehouse.run(warehouse_sql(FACT, "chunks"), {"days": list(days)})
    copy = {row["source_chunk"]: (row["transactions"], row["amount"]) for row in there}
    found = by_chunk(truth, copy, days)
    if len(found) > MOST_CHUNKS:
        more = Finding(
            "mismatch", FACT, f"{len(found):,} chunks differ; the first {MOST_CHUNKS} have alerts of their own"
        )
        return [*found[:MOST_CHUNKS], more]
    return found
