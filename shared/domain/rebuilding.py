"""Rows of transactions rebuilt from what was kept of them. Pure; it judges nothing, so it needs none of the schemas."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec

from shared.domain import flags
from shared.domain.copytext import TRANSACTION_COLUMNS

_ESCAPED = re.compile(r"\\(.)")
_UNESCAPE = {"t": "\t", "n": "\n", "r": "\r", "\\": "\\"}


def rebuilt_rows(rows: bytes, wanted: Sequence[int]) -> dict[int, bytes]:
    """Transactions as JSON rows again, from COPY text, by line; judged again they give the same text.

    A conflicting row of the stream is kept so: its message is gone by then.
    """
    lines = frozenset(wanted)
    found: dict[int, bytes] = {}
    for text in rows.decode().removesuffix("\n").split("\n")[1:] if lines else []:
        number, _, _ = text.partition("\t")
        if int(number) in lines:
            values = [_plain(cell) for cell in text.split("\t")]
            found[int(number)] = _rebuilt(dict(zip(TRANSACTION_COLUMNS, values, strict=True)))
    return found


def _plain(cell: str) -> str | None:
    return None if cell == r"\N" else _ESCAPED.sub(lambda found: _UNESCAPE.get(found[1], found[1]), cell)


def _rebuilt(row: Mapping[str, str | None]) -> bytes:
    extra: dict[str, Any] = json.loads(row["extra"] or "{}")
    moment = datetime.fromisoformat(str(row["event_at"]))
    if int(row["flags"] or 0) & flags.NAIVE_TIME:
        moment = moment.replace(tzinfo=None)
    names = ("transaction_id", "user_id", "product_id", "amount", "currency", "payment_method", "status")
    return msgspec.json.encode({**{name: row[name] for name in names}, "timestamp": moment.isoformat(), **extra})
