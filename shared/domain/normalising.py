"""From a valid row to the line that is loaded: flags, the hash over the normalised content, COPY text. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import msgspec

from shared.domain import flags
from shared.domain.copytext import line_of
from shared.domain.identity import content_hash
from shared.schemas.fields import refuse_field
from shared.schemas.formats import Formats
from shared.schemas.rows import STATUS_RANK

EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
PLAIN_FORMATS = Formats()
LATE_AFTER = timedelta(days=1)
_NUL = re.compile(r"(?<!\\)(\\\\)*\\u0000")  # behind an odd backslash; an even number of them spells a backslash
_encode = msgspec.json.Encoder(decimal_format="string", order="sorted").encode


@dataclass(frozen=True)
class Context:
    """What a row is judged against: its source, when it landed, the list of payment methods and the declared formats.

    `bits` are the flags that the row has already.
    """

    source: str
    landed_at: datetime
    payment_methods: frozenset[str]
    latest: datetime
    formats: Formats = PLAIN_FORMATS
    bits: int = 0

    @staticmethod
    def at(
        source: str, landed_at: datetime, payment_methods: frozenset[str], formats: Formats = PLAIN_FORMATS
    ) -> Context:
        """The context of a chunk; a timestamp may lie at most a day ahead of the landing time."""
        return Context(source, landed_at, payment_methods, landed_at + timedelta(days=1), formats)


Normalise = Callable[[int, dict[str, Any], Mapping[str, Any] | None, Context], str]


def _moment(value: datetime, context: Context, name: str) -> datetime:
    moment = value if value.tzinfo else value.replace(tzinfo=UTC)
    if not EARLIEST <= moment <= context.latest:
        raise refuse_field(name, "timestamp_out_of_range", "must lie between 2000 and a day after landing")
    return moment


def plain(number: Decimal | None) -> str | None:
    """The shortest decimal text: 10.0 and 10.00 are the same content."""
    if number is None:
        return None
    text = format(number, "f")
    shortest = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if shortest == "-0" else shortest


def _extra(extra: Mapping[str, Any] | None) -> str | None:
    if not extra:
        return None
    text = _encode(extra).decode()
    if "\\u0000" in text and _NUL.search(text):
        raise refuse_field("extra", "invalid_value", "an unknown field holds a NUL character, which no database keeps")
    return text


def _hash(values: list[str | None]) -> str:
    return content_hash(["\x00" if value is None else value for value in values])


def transaction(line: int, row: dict[str, Any], extra: Mapping[str, Any] | None, context: Context) -> str:
    """COPY line of a transaction; the hash covers all source fields but the timestamp."""
    stamp: datetime = row["timestamp"]
    moment = _moment(stamp, context, "timestamp")
    bits = context.bits if stamp.tzinfo else context.bits | flags.NAIVE_TIME
    user, raw_method, status = row["user_id"], row["payment_method"], row["status"]
    method = raw_method.lower() if raw_method else "other"
    if user is None:
        bits |= flags.GUEST
    if method not in context.payment_methods:
        extra, method = {**(extra or {}), "payment_method": raw_method}, "other"
    if method == "other":
        bits |= flags.OTHER_PAYMENT
    if context.landed_at - moment > LATE_AFTER:
        bits |= flags.LATE
    content = [
        row["transaction_id"], user, row["product_id"], plain(row["amount"]), row["currency"], method, status,
        _extra(extra),
    ]  # fmt: skip
    return line_of([str(line), moment.isoformat(), str(STATUS_RANK[status]), _hash(content), str(bits), *content])


def user(line: int, row: dict[str, Any], extra: Mapping[str, Any] | None, context: Context) -> str:
    """COPY line of a user; its recency is the landing object's, so the line has none."""
    registered = row["registration_date"]
    content = [
        row["user_id"], row["email"], registered.isoformat() if registered else None, row["country"],
        row["age_group"], row["customer_tier"], _extra(extra),
    ]  # fmt: skip
    return line_of([str(line), _hash(content), str(context.bits), *content])


def product(line: int, row: dict[str, Any], extra: Mapping[str, Any] | None, context: Context) -> str:
    """COPY line of a product; recency is `updated_at`, else the time of extraction."""
    stamp: datetime | None = row["updated_at"]
    moment = _moment(stamp, context, "updated_at") if stamp else context.landed_at
    bits = context.bits | flags.NAIVE_TIME if stamp and not stamp.tzinfo else context.bits
    count = row["inventory_count"]
    content = [
        row["product_id"], row["name"], row["category"], plain(row["price"]), None if count is None else str(count),
        row["supplier_id"], _extra(extra),
    ]  # fmt: skip
    return line_of([str(line), moment.isoformat(), _hash(content), str(bits), *content])


def rate(line: int, row: dict[str, Any], _: Mapping[str, Any] | None, __: Context) -> str:
    """COPY line of an exchange rate."""
    content = [row["date"].isoformat(), row["currency"], plain(row["rate"])]
    return line_of([str(line), _hash(content), *content])


NORMALISERS: dict[str, Normalise] = {
    "transactions": transaction,
    "users": user,
    "products": product,
    "fx_rates": rate,
}
