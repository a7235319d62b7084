"""Other names of fields, in JSON and in CSV headers alike: the one place where a rename is declared.

The canonical name wins: where a row has a value under both, the other one is an unknown field like any other.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

ALIASES: dict[str, dict[str, str]] = {
    "transactions": {
        "transactionId": "transaction_id",
        "txn_id": "transaction_id",
        "userId": "user_id",
        "customer_id": "user_id",
        "productId": "product_id",
        "currency_code": "currency",
        "paymentMethod": "payment_method",
    },
    "users": {
        "userid": "user_id",
        "customer_id": "user_id",
        "e-mail": "email",
        "email_address": "email",
        "registered_on": "registration_date",
        "country_code": "country",
        "tier": "customer_tier",
    },
    "products": {
        "productId": "product_id",
        "inventoryCount": "inventory_count",
        "supplierId": "supplier_id",
        "updatedAt": "updated_at",
    },
    "fx_rates": {"currency_code": "currency", "rate_date": "date"},
}
"""For each source: another name to the canonical one. CSV headers are lower-cased first, with `_` for spaces."""

_NATURAL_KEYS = {"transactions": "transaction_id", "products": "product_id", "users": "user_id"}


def natural_names(source: str) -> set[str]:
    """All names of the natural key of a source, where it is one field."""
    key = _NATURAL_KEYS.get(source)
    return {key, *(name for name, meant in ALIASES[source].items() if meant == key)} if key else set()


def canonical_row(source: str, row: dict[str, Any]) -> dict[str, Any]:
    """The row under canonical names."""
    renamed = dict(row)
    for name, meant in ALIASES[source].items():
        if name in row and renamed.get(meant) in (None, "", row[name]):
            renamed[meant] = renamed.pop(name)
    return renamed


def canonical_header(source: str, header: Sequence[str]) -> list[str]:
    """The header under canonical names; a name stays where another column means the same field."""
    meant = [ALIASES[source].get(name, name) for name in header]
    return [new if meant.count(new) == 1 else old for old, new in zip(header, meant, strict=True)]
