"""What the tests of validation share: good rows of each source, and reading COPY text back."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from hypothesis import settings

from shared.domain.copytext import BAD_COLUMNS, COLUMNS
from shared.domain.normalising import PLAIN_FORMATS, Context
from shared.domain.validation import Verdict, validate_lines
from shared.schemas.formats import Formats

LANDED = datetime(2026, 3, 2, 12, tzinfo=UTC)
METHODS = frozenset({"card", "paypal", "gift_card", "other"})
GOOD: dict[str, dict[str, Any]] = {
    "transactions": {
        "transaction_id": "t1", "user_id": "u1", "product_id": "p1", "amount": "19.99", "currency": "GBP",
        "timestamp": "2026-03-02T10:00:00Z", "payment_method": "card", "status": "completed",
    },
    "users": {
        "user_id": "u1", "email": "ada@example.com", "registration_date": "2025-05-01", "country": "GB",
        "age_group": "25-34", "customer_tier": "gold",
    },
    "products": {
        "product_id": "p1", "name": "Tea pot", "category": "kitchen", "price": "12.50", "inventory_count": 7,
        "supplier_id": "s1", "updated_at": "2026-03-01T00:00:00Z",
    },
    "fx_rates": {"date": "2026-03-01", "currency": "USD", "rate": "0.78"},
}  # fmt: skip
"""One good row of each source."""

few = settings(max_examples=30, deadline=None)
"""Enough examples to find what is wrong, few enough to run at every save."""

_UNESCAPED = {"t": "\t", "n": "\n", "r": "\r", "\\": "\\"}
Cells = dict[str, str | None]


def judge(source: str, data: bytes, header: Sequence[str] | None = None, formats: Formats = PLAIN_FORMATS) -> Verdict:
    """The verdict on some lines, the first of which is line 1."""
    return validate_lines(data, Context.at(source, LANDED, METHODS, formats), 1, header)


def judge_row(source: str, formats: Formats = PLAIN_FORMATS, **changes: object) -> Verdict:
    """The verdict on the good row of a source with some fields changed; a field set to `...` is left out."""
    row = {name: value for name, value in {**GOOD[source], **changes}.items() if value is not ...}
    return judge(source, json.dumps(row).encode(), formats=formats)


def good_row(source: str, formats: Formats = PLAIN_FORMATS, **changes: object) -> Cells:
    """The one row to load, by column."""
    verdict = judge_row(source, formats, **changes)
    assert not verdict.bad
    (row,) = parse_copy(verdict.rows(), COLUMNS[source])
    return row


def bad_row(verdict: Verdict) -> tuple[str, dict[str, list[str]]]:
    """The reason of the one bad row, and what is told about its fields."""
    (row,) = parse_copy(verdict.bad_rows("gs://q/o"), BAD_COLUMNS)
    assert not verdict.good
    return str(row["reason"]), json.loads(str(row["fields"]))


def parse_copy(text: bytes, columns: Sequence[str]) -> list[Cells]:
    """COPY text to rows, as https://www.postgresql.org/docs/current/sql-copy.html describes the text format."""
    header, *lines = text.decode().removesuffix("\n").split("\n")
    assert header.split("\t") == list(columns)
    return [dict(zip(columns, map(_value, line.split("\t")), strict=True)) for line in lines]


def _value(cell: str) -> str | None:
    if cell == "\\N":
        return None
    letters = iter(cell)
    return "".join(_UNESCAPED[next(letters)] if letter == "\\" else letter for letter in letters)
