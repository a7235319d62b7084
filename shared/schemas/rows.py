"""The schemas of the four sources. Fields that a schema does not name are kept aside by validation, as `extra`."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from marshmallow import EXCLUDE, Schema, ValidationError, validates_schema

from shared.schemas import fields as f

STATUS_RANK = {"pending": 0, "completed": 1, "failed": 1, "cancelled": 1, "refunded": 2}
"""Every status, and its rank among events with the same timestamp."""

AGE_GROUPS = frozenset({"under_18", "18-24", "25-34", "35-44", "45-54", "55-64", "65+"})
CUSTOMER_TIERS = frozenset({"bronze", "silver", "gold", "platinum"})


class Row(Schema):
    """A schema that leaves unknown fields out of its result; validation finds them by `KNOWN`."""

    class Meta:
        unknown = EXCLUDE


def only_refunds_are_negative(row: dict[str, Any]) -> None:
    """A negative amount is a credit note, and only a refund is one."""
    if row["amount"] < 0 and row["status"] != "refunded":
        raise ValidationError({"amount": [f.Problem("negative_amount", "may be negative only when refunded")]})


class TransactionRow(Row):
    """One event of one transaction."""

    transaction_id = f.Text(required=True)
    user_id = f.Text(load_default=None, allow_none=True)
    product_id = f.Text(required=True)
    amount = f.Number(digits=14, places=4, required=True)
    currency = f.Currency(required=True)
    timestamp = f.Timestamp(required=True)
    payment_method = f.Text(load_default=None, allow_none=True)
    status = f.Choice(frozenset(STATUS_RANK), "unknown_status", required=True)

    @validates_schema
    def check_together(self, row: dict[str, Any], **_: object) -> None:
        """What can be judged only over several fields."""
        only_refunds_are_negative(row)


class UserRow(Row):
    """One user of a users file."""

    user_id = f.Text(required=True)
    email = f.Email(load_default=None, allow_none=True)
    registration_date = f.Date(load_default=None, allow_none=True)
    country = f.Country(load_default=None, allow_none=True)
    age_group = f.Choice(AGE_GROUPS, "invalid_value", load_default=None, allow_none=True)
    customer_tier = f.Choice(CUSTOMER_TIERS, "invalid_value", load_default=None, allow_none=True)


class ProductRow(Row):
    """One product as the product API gives it."""

    product_id = f.Text(required=True)
    name = f.Name(load_default=None, allow_none=True)
    category = f.Text(load_default=None, allow_none=True)
    price = f.Number(digits=12, places=2, least=Decimal(0), load_default=None, allow_none=True)
    inventory_count = f.Whole(load_default=None, allow_none=True)
    supplier_id = f.Text(load_default=None, allow_none=True)
    updated_at = f.Timestamp(load_default=None, allow_none=True)


class RateRow(Row):
    """The value of one unit of a currency in the base currency on a day."""

    date = f.Date(required=True)
    currency = f.Currency(required=True)
    rate = f.Number(digits=10, places=8, above=Decimal(0), required=True)


SCHEMAS: dict[str, Row] = {
    "transactions": TransactionRow(),
    "users": UserRow(),
    "products": ProductRow(),
    "fx_rates": RateRow(),
}
"""One reused instance for each source: making a schema costs more than a hundred rows."""

KNOWN: dict[str, frozenset[str]] = {source: frozenset(schema.fields) for source, schema in SCHEMAS.items()}
"""The fields that each schema names."""

OPTIONAL: dict[str, tuple[str, ...]] = {
    source: tuple(name for name, field in schema.fields.items() if field.allow_none)
    for source, schema in SCHEMAS.items()
}
"""The fields that a valid row may lack."""

TOGETHER: dict[str, Callable[[dict[str, Any]], None]] = {"transactions": only_refunds_are_negative}
"""The rules over several fields, for the accepting path."""
