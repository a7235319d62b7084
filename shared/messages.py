"""The messages between the stages; docs/contracts.md shows each of them and a test keeps the two alike.

Unknown fields are ignored and new fields have defaults, so that two releases can run side by side.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, Literal, TypeVar

import msgspec

from shared.errors import MalformedRecord
from shared.events import PushMessage

INLINE_BYTES = 128 * 1024
"""A larger payload travels as an object; users' payloads always do, so that no message holds personal data."""


class ObjectRange(msgspec.Struct, frozen=True, kw_only=True):
    """Some bytes of one generation of an object."""

    bucket: str
    name: str
    generation: int
    offset: int = 0
    length: int = 0


class Payload(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Text that travels in the message or, when it is large, as an object of the lake."""

    inline: str | None = None
    object: str | None = None


class Upload(msgspec.Struct, frozen=True, kw_only=True):
    """Topic uploads: go on with a file from its checkpoint, or (with a `reprocess` above 0) process it once more.

    Each pass over a file is a file of its own in the ledger; `reprocess` is its number.
    """

    bucket: str
    name: str
    generation: int
    reprocess: int = 0


class Chunk(msgspec.Struct, frozen=True, kw_only=True):
    """Topic chunks: validate these rows.

    `raw` is where the rows lie; `header` names the cells where the lines are arrays (CSV); `first_line` is the number
    of the first line in the file; `rows` counts the lines that are not blank. `broken` is the reason code of a stretch
    that cannot be read as rows: it is one row, quarantined as a whole.

    With an `attempt` above 0 it is a replay: `raw` holds quarantined rows, one a line, `lines` their numbers in the
    file, `attempt` how often they were judged, `action_id` the operator's order. `decision` (released, rejected) is
    what an operator decided of a held chunk; `reprocess` is the file's pass, as in Upload.
    """

    chunk_id: str
    file_id: str
    source: str
    ordinal: int
    first_line: int
    rows: int
    landed_at: datetime
    raw: ObjectRange
    header: list[str] | None = None
    broken: str = ""
    lines: list[int] | None = None
    attempt: int = 0
    action_id: int = 0
    decision: str = ""
    reprocess: int = 0


class Profile(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What validate saw of the fields of a chunk: counts of rows and JSON types, never a value.

    `read` counts the rows that could be read; `missing` those of them without a known field; `unknown` those with a
    field that no schema names, by its type; `types` the types of known fields, by a sample of the rows.
    """

    read: int = 0
    missing: dict[str, int] = {}
    unknown: dict[str, dict[str, int]] = {}
    types: dict[str, dict[str, int]] = {}


class Validated(msgspec.Struct, frozen=True, kw_only=True):
    """Topic validated: load these rows, or record that the chunk is held.

    received = valid + quarantined. `rows` and `bad` are COPY text (shared.domain.copytext); `landed_at` is the recency
    of users and rates. `file_id` and `raw` are None for a message of the stream, whose chunk_id is its message id.
    `attempt`, `action_id`, `decision` and `reprocess` are those of Chunk.
    """

    chunk_id: str
    file_id: str | None
    source: str
    ordinal: int
    received: int
    valid: int
    quarantined: int
    state: Literal["valid", "held"]
    landed_at: datetime
    rows: Payload | None = None
    bad: Payload | None = None
    raw: ObjectRange | None = None
    first_line: int = 1
    profile: Profile = Profile()
    attempt: int = 0
    action_id: int = 0
    decision: str = ""
    reprocess: int = 0


class FeedTable(msgspec.Struct, frozen=True, kw_only=True):
    """One table's part of a feed: a CSV object of the lake, and `more` of them where one would be too large to load.

    `rows` counts the rows of all of them. A message of a release that wrote one object has no `more`.
    """

    object: str
    rows: int
    more: list[str] = []

    @property
    def objects(self) -> list[str]:
        """All of its objects, in the order in which they were written."""
        return [self.object, *self.more]


class Enriched(msgspec.Struct, frozen=True, kw_only=True):
    """Topic enriched: merge this feed into the warehouse; `days` are all the days that the rows are on or ever left.

    `level_days` are the days of its levels of stock. A refeed has a scope, `first_day` to `last_day`: what the
    warehouse holds there of older feeds is deleted. `whole` says that it wrote every table completely.
    """

    feed_id: int
    tables: dict[str, FeedTable]
    days: list[date]
    level_days: list[date] = []
    first_day: date | None = None
    last_day: date | None = None
    whole: bool = False


class WarehouseLoaded(msgspec.Struct, frozen=True, kw_only=True):
    """Topic warehouse_loaded: rebuild these days of the marts; on `level_days` the levels of stock changed."""

    feed_id: int
    days: list[date]
    level_days: list[date] = []


class Alert(msgspec.Struct, frozen=True, kw_only=True):
    """Topic alerts: somebody must look. `key` is the same for the same finding; `runbook` says what to do."""

    alert_id: int
    key: str
    kind: str
    severity: Literal["warning", "critical"]
    subject: str
    told: str
    runbook: str
    raised_at: datetime


Message = TypeVar("Message", bound=msgspec.Struct)


def encode(message: msgspec.Struct) -> bytes:
    """The data of a Pub/Sub message."""
    return msgspec.json.encode(message)


def as_fields(message: msgspec.Struct) -> dict[str, Any]:
    """The message as plain JSON values, for the ledger."""
    fields: dict[str, Any] = msgspec.json.decode(encode(message))
    return fields


def read(push: PushMessage, kind: type[Message]) -> Message:
    """The message in a push. Raises MalformedRecord: no retry can mend it."""
    try:
        return msgspec.json.decode(push.data, type=kind)
    except (msgspec.DecodeError, ValueError, RecursionError) as exc:
        raise MalformedRecord(
            "malformed_message",
            f"message {push.message_id} on {push.topic} is not a {kind.__name__}: {exc}; see docs/contracts.md",
        ) from exc
