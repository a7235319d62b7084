"""Replay: quarantined rows run through the current code again, from validate on; or they are given up.

Nothing is pending meanwhile: a row stays quarantined until load_postgres moves it to its new outcome.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any

from shared.adapters.actions import Order, Result, carry_out
from shared.adapters.choosing import Chosen
from shared.adapters.ports import ObjectStore, Publisher
from shared.adapters.postgres import Session
from shared.adapters.queries import rows_of
from shared.adapters.raw_rows import RawRows
from shared.domain.identity import digest
from shared.domain.replaying import unknown_fields, with_values
from shared.errors import Inconsistent, OrderRefused
from shared.events import parse_time
from shared.messages import Chunk, ObjectRange
from shared.settings import Settings

NO_GUARD = 1_000_000


@dataclass(frozen=True)
class Replay:
    """What is replayed and how. `values` are set before the rows are judged; `force` lifts the loop guard."""

    chosen: Chosen
    values: Mapping[str, str] = field(default_factory=dict)
    force: bool = False

    def check(self) -> None:
        """Raises OrderRefused where a value is set that no row can take."""
        if not self.values:
            return
        if self.chosen.source is None:
            raise OrderRefused("source_missing", "name the source whose field is set")
        if unknown := unknown_fields(self.chosen.source, self.values):
            told = f"{', '.join(unknown)}: {self.chosen.source} have no such field; see docs/data-sources.md"
            raise OrderRefused("unknown_field", told)

    def details(self) -> dict[str, Any]:
        """What goes on record: of users, who are people, the names of the fields alone."""
        values = sorted(self.values) if self.chosen.source == "users" else dict(self.values)
        return {"set": values, "force": self.force}


@dataclass
class Found:
    """What a selection came to."""

    rows: int = 0
    chunks: int = 0
    guarded: int = 0
    """Rows that were judged as often as the guard allows."""
    unreadable: int = 0
    """Rows whose raw text is gone, or is still no single row."""
    not_set: int = 0
    """Rows that have no such field."""

    def as_result(self) -> Result:
        return dict(vars(self))


@dataclass(frozen=True)
class Rows:
    """Some rows of one chunk that were judged equally often, one a line."""

    facts: Mapping[str, Any]
    header: list[str] | None
    attempt: int
    lines: list[int]
    data: bytes


def order_replay(
    session: Session, store: ObjectStore, publisher: Publisher, settings: Settings, replay: Replay, order: Order
) -> Result:
    """Replay the chosen rows and put the order on record."""
    replay.check()

    def work(action_id: int) -> Result:
        found = Found()
        for rows in select(session, store, settings, replay, found):
            publisher.publish("chunks", [_chunk(rows, store, settings, action_id)])
        return found.as_result()

    return carry_out(session, order, work)


def order_discard(session: Session, chosen: Chosen, why: str, order: Order) -> Result:
    """Give up the chosen rows and put the order on record."""

    def work(_: int) -> Result:
        params = chosen.params()
        return {"rows": len(rows_of(session, "discard_rows", operator=order.operator, why=why, **params))}

    return carry_out(session, order, work)


def select(session: Session, store: ObjectStore, settings: Settings, replay: Replay, found: Found) -> Iterator[Rows]:
    """The chosen rows with their raw text, by chunk and attempt; `found` counts, also what is left out."""
    guard = NO_GUARD if replay.force else settings.replay_guard
    chosen = replay.chosen
    for chunk_key, facts, rows, guarded in rows_of(session, "list_replay_chunks", guard=guard, **chosen.params()):
        found.guarded += guarded
        found.chunks += rows > 0
        raw = RawRows(facts, store, settings)
        listed = rows_of(
            session, "list_replay_rows", chunk_key=chunk_key, guard=guard, **chosen.params("reason", "line")
        )
        for attempt, group in groupby(listed, key=lambda row: row[1]):
            lines, texts = [], []
            for line, _, *place in group:
                text = _text(raw, line, place, replay, found)
                if text is not None:
                    lines.append(line)
                    texts.append(text)
            if lines:
                found.rows += len(lines)
                yield Rows(facts, raw.header, attempt, lines, b"\n".join(texts))


def _text(raw: RawRows, line: int, place: list[Any], replay: Replay, found: Found) -> bytes | None:
    text = raw.line(line, *place)
    if text is None:
        found.unreadable += 1
        return None
    if not replay.values:
        return text
    changed = with_values(text, replay.values, raw.header)
    found.not_set += changed is None
    return changed


def _chunk(rows: Rows, store: ObjectStore, settings: Settings, action_id: int) -> Chunk:
    """The message that sends the rows to validate; their text becomes an object first, once."""
    facts = rows.facts
    name = f"replay/{facts['source']}/{facts['chunk_id']}.{digest(rows.data)}.ndjson"
    store.write_once(settings.lake_bucket, name, rows.data)
    kept = store.stat(settings.lake_bucket, name)
    if kept is None:
        raise Inconsistent("object_missing", f"gs://{settings.lake_bucket}/{name} was written and is not there")
    return Chunk(
        chunk_id=facts["chunk_id"],
        file_id=facts["file_id"],
        source=facts["source"],
        ordinal=facts["ordinal"],
        first_line=rows.lines[0],
        rows=len(rows.lines),
        landed_at=parse_time(facts["landed_at"]),
        raw=ObjectRange(
            bucket=settings.lake_bucket, name=name, generation=kept.generation, length=len(rows.data)
        ),
        header=rows.header,
        lines=rows.lines,
        attempt=rows.attempt,
        action_id=action_id,
    )  # fmt: skip
