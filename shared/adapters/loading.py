"""The client's side of a chunk's load: claim, COPY, one function, commit. The SQL decides; this only carries.

Rows arrive as COPY text with a header line; the server checks the header against the staging table (HEADER MATCH), so
a column that moved is an error and never a value in the wrong place.
"""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any, BinaryIO

from shared.adapters.alerts import raise_alert
from shared.adapters.postgres import Session
from shared.adapters.queries import Value, query
from shared.domain.copytext import TRANSACTION_COLUMNS

BAD = "staged_bad"
STAGED = {
    "transactions": "staged_transaction",
    "users": "staged_user",
    "products": "staged_product",
    "fx_rates": "staged_fx_rate",
}
MESSAGE_BYTES = 128 * 1024
_NOT_KEPT = {"recency", "reprocessed"}


@dataclass(frozen=True)
class ChunkFacts:
    """What the ledger keeps of a chunk: who it is, how many rows came in, and where its bytes lie.

    `day` is the ledger day (of landing, or of publishing). `recency` is the landing object's creation time; users and
    rates need it, other sources carry a time in each row. `profile` is what validate saw of the fields, as JSON.
    `decision` is an operator's, of a chunk that is held; `landed_at` is kept of
    a stream message, which no file row tells it of; `reprocessed` says that its file was loaded before.
    """

    chunk_id: str
    source: str
    received: int
    day: date
    file_id: str | None = None
    ordinal: int = 0
    recency: datetime | None = None
    bucket: str | None = None
    object_name: str | None = None
    generation: int | None = None
    byte_offset: int | None = None
    byte_length: int | None = None
    first_line: int = 1
    profile: str = "{}"
    decision: str | None = None
    landed_at: datetime | None = None
    reprocessed: bool = False


@dataclass(frozen=True)
class LoadCounts:
    """What became of the rows of a chunk: received is the sum of the others."""

    received: int
    inserted: int
    updated: int
    unchanged: int
    superseded: int
    quarantined: int
    held: int


def load_chunk(
    session: Session, chunk: ChunkFacts, rows: bytes | BinaryIO, bad: bytes | BinaryIO | None = None
) -> tuple[bool, LoadCounts]:
    """Load a chunk once; (False, its first counts) where that was done before or an operator holds it.

    Raises ValueError where users or rates come without a recency. A number of rows other than the registered one, and
    a row that is neither in `rows` nor in `bad`, are errors of the database: a bug must not pass.
    """
    if (chunk.recency is None) != (chunk.source in ("transactions", "products")):
        raise ValueError(f"chunk {chunk.chunk_id}: a recency belongs to users and fx_rates, and to nothing else")
    _stage(session, chunk.source)
    with session.transaction():
        key = _claim(session, chunk)
        if key is None:
            return False, read_counts(session, chunk.chunk_id)
        _copy(session, STAGED[chunk.source], rows)
        if bad:
            _copy(session, BAD, bad)
        params: dict[str, Value] = {"chunk_key": key}
        if chunk.recency is not None:
            params["recency"] = chunk.recency
        if chunk.reprocessed:
            _row(session, f"correct_{chunk.source}", params)
        return True, LoadCounts(*_row(session, f"load_{chunk.source}", params))


def replay_rows(
    session: Session, chunk: ChunkFacts, rows: bytes, bad: bytes | None, attempt: int, action_id: int
) -> LoadCounts | None:
    """Move rows of a loaded chunk out of quarantine, or record that they are bad again; the chunk's counts.

    Rows that no longer lie there with this attempt are left alone. None where the chunk is not loaded.
    """
    _stage(session, chunk.source)
    with session.transaction():
        (key,) = _row(session, "lock_replayed", {"chunk_id": chunk.chunk_id})
        if key is None:
            return None
        _copy(session, STAGED[chunk.source], rows)
        if bad:
            _copy(session, BAD, bad)
        params: dict[str, Value] = {"chunk_key": key, "attempt": attempt, "recency": chunk.recency}
        return LoadCounts(*_row(session, "replay_rows", params | {"action_id": action_id or None}))


def load_message(session: Session, chunk: ChunkFacts, rows: bytes) -> tuple[bool, LoadCounts]:
    """Load a stream message of transactions, all of them valid, in one round trip where its text allows it.

    COPY escapes (a backslash, tab or newline in a value) and large messages take the way of a chunk.
    """
    header, _, lines = rows.partition(b"\n")
    if b"\\" in lines.replace(b"\\N", b"") or len(lines) > MESSAGE_BYTES or chunk.file_id is not None:
        return load_chunk(session, chunk, rows)
    if tuple(header.decode().split("\t")) != TRANSACTION_COLUMNS:
        raise ValueError(f"chunk {chunk.chunk_id}: the columns of a message are {', '.join(TRANSACTION_COLUMNS)}")
    _stage(session, "transactions")
    facts = ("chunk_id", "day", "received", "bucket", "object_name", "generation", "profile")
    params: dict[str, Value] = {name: getattr(chunk, name) for name in facts}
    found = _row(session, "load_message", params | {"lines": lines.decode().removesuffix("\n")})
    return bool(found[0]), LoadCounts(*found[1:])


def hold_chunk(
    session: Session, chunk: ChunkFacts, valid: int, validated: Mapping[str, Any]
) -> tuple[bool, LoadCounts]:
    """Record that a chunk waits for an operator, with the message that will load it once it is released."""
    with session.transaction():
        key = _claim(session, chunk)
        params: dict[str, Value] = {"chunk_key": key, "valid": valid, "validated": json.dumps(validated)}
        hold = query("hold_chunk")
        held = [] if key is None else session.rows(hold.sql, *hold.values(params))
        if held:
            share = 100 * (chunk.received - valid) / chunk.received
            told = f"{chunk.received:,} rows of {chunk.source} wait for an operator: {share:.0f} % of them are bad"
            raise_alert(session, "chunk_held", "warning", chunk.chunk_id, told)
        return bool(held), read_counts(session, chunk.chunk_id)


def read_counts(session: Session, chunk_id: str) -> LoadCounts:
    """The ledger's counts of a chunk that is known."""
    return LoadCounts(*_row(session, "read_chunk_counts", {"chunk_id": chunk_id}))


def _claim(session: Session, chunk: ChunkFacts) -> int | None:
    facts = {name: value for name, value in asdict(chunk).items() if name not in _NOT_KEPT}
    (key,) = _row(session, "claim_chunk", facts)
    return None if key is None else int(key)


def _row(session: Session, name: str, params: dict[str, Value]) -> tuple[Any, ...]:
    known = query(name)
    return session.prepared_row(known.sql, *known.values(params))


def _stage(session: Session, source: str) -> None:
    """The session's staging tables; made once, because their rows go at each commit and no catalogue row is written."""
    for table in (STAGED[source], BAD):
        if table not in session.staged:
            session.rows(f"CREATE TEMP TABLE IF NOT EXISTS {table} (LIKE pipeline.{table}) ON COMMIT DELETE ROWS")
            session.staged.add(table)


def _copy(session: Session, table: str, data: bytes | BinaryIO) -> None:
    stream = io.BytesIO(data) if isinstance(data, bytes) else data
    session.copy_in(f"COPY pg_temp.{table} FROM STDIN WITH (HEADER MATCH)", stream)
