"""Rows as Postgres COPY text: what validation writes and the loader streams into its staging table unread.

The first line names the columns; COPY … WITH (HEADER MATCH) refuses another order, so that a writer and a loader of
different releases cannot mix columns up (https://www.postgresql.org/docs/current/sql-copy.html).
"""

from __future__ import annotations

import re
from collections.abc import Sequence

TRANSACTION_COLUMNS = (
    "line", "event_at", "rank", "content_hash", "flags", "transaction_id", "user_id", "product_id", "amount",
    "currency", "payment_method", "status", "extra",
)  # fmt: skip
USER_COLUMNS = (
    "line", "content_hash", "flags", "user_id", "email", "registration_date", "country", "age_group", "customer_tier",
    "extra",
)  # fmt: skip
PRODUCT_COLUMNS = (
    "line", "event_at", "content_hash", "flags", "product_id", "name", "category", "price", "inventory_count",
    "supplier_id", "extra",
)  # fmt: skip
RATE_COLUMNS = ("line", "content_hash", "rate_date", "currency", "rate")
BAD_COLUMNS = (
    "line", "reason", "fields", "row_id", "raw_object", "raw_offset", "raw_length", "source_offset", "source_length",
)  # fmt: skip

COLUMNS = {
    "transactions": TRANSACTION_COLUMNS,
    "users": USER_COLUMNS,
    "products": PRODUCT_COLUMNS,
    "fx_rates": RATE_COLUMNS,
}

_ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})


_SPECIAL = re.compile(r"[\\\t\n\r]")


def line_of(values: Sequence[str | None]) -> str:
    """One line without its end; None is `\\N`. Escaping is looked for once a line, because hardly any needs it."""
    if _SPECIAL.search("".join([v for v in values if v is not None])):
        return "\t".join(["\\N" if v is None else v.translate(_ESCAPES) for v in values])
    return "\t".join(["\\N" if v is None else v for v in values])


def table_of(columns: Sequence[str], lines: Sequence[str]) -> bytes:
    """The whole text: header and lines, each with its end."""
    return ("\n".join(("\t".join(columns), *lines)) + "\n").encode()
