"""Normalising: the flags of a row, and a content hash that sees every field but not how it is written."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain import flags
from shared.domain.normalising import plain
from shared.schemas.rows import STATUS_RANK
from tests.unit.judging import GOOD, few, good_row


@pytest.mark.parametrize(
    ("changes", "bits"),
    [
        ({}, 0),
        ({"timestamp": "2026-03-02T10:00:00"}, flags.NAIVE_TIME),
        ({"timestamp": "2026-03-02 10:00"}, flags.NAIVE_TIME),
        ({"user_id": ...}, flags.GUEST),
        ({"user_id": ""}, flags.GUEST),
        ({"payment_method": ...}, flags.OTHER_PAYMENT),
        ({"payment_method": "other"}, flags.OTHER_PAYMENT),
        ({"payment_method": "cheque"}, flags.OTHER_PAYMENT),
        ({"timestamp": "2026-03-01T12:00:00Z"}, 0),
        ({"timestamp": "2026-03-01T11:59:59.999999Z"}, flags.LATE),
        ({"timestamp": "2000-01-01T00:00:00Z"}, flags.LATE),
        ({"timestamp": "2026-03-03T12:00:00Z"}, 0),
        ({"timestamp": "2026-02-01T00:00:00", "user_id": None, "payment_method": "shells"}, 1 | 2 | 4 | 8),
    ],
)
def test_the_flags_of_a_transaction(changes: dict[str, Any], bits: int) -> None:
    assert good_row("transactions", **changes)["flags"] == str(bits)


def test_only_a_naive_time_flags_a_product() -> None:
    assert good_row("products")["flags"] == "0"
    assert good_row("products", updated_at="2026-03-01T00:00:00")["flags"] == str(flags.NAIVE_TIME)


@pytest.mark.parametrize(
    ("sent", "method", "extra"),
    [
        ("card", "card", None),
        (" Card ", "card", None),
        ("GIFT_CARD", "gift_card", None),
        (None, "other", None),
        ("Other", "other", None),
        ("Cheque", "other", '{"payment_method":"Cheque"}'),
    ],
)
def test_an_unknown_payment_method_is_other_and_kept_as_it_was_sent(
    sent: str | None, method: str, extra: str | None
) -> None:
    row = good_row("transactions", payment_method=sent)
    assert (row["payment_method"], row["extra"]) == (method, extra)


def test_an_unknown_payment_method_is_kept_beside_other_unknown_fields() -> None:
    row = good_row("transactions", payment_method="cheque", till=4)
    assert row["extra"] == '{"payment_method":"cheque","till":4}'


@pytest.mark.parametrize(
    ("sent", "moment"),
    [
        ("2026-03-02T10:00:00Z", "2026-03-02T10:00:00+00:00"),
        ("2026-03-02t10:00:00z", "2026-03-02T10:00:00+00:00"),
        ("2026-03-02 10:00", "2026-03-02T10:00:00+00:00"),
        ("2026-03-02T15:30:00+05:30", "2026-03-02T10:00:00+00:00"),
        ("2026-03-02T02:00:00.25-0800", "2026-03-02T10:00:00.250000+00:00"),
        ("2026-03-02T10:00:00.000001Z", "2026-03-02T10:00:00.000001+00:00"),
    ],
)
def test_times_are_loaded_in_utc(sent: str, moment: str) -> None:
    assert good_row("transactions", timestamp=sent)["event_at"] == moment


def test_a_product_without_its_own_time_has_that_of_the_extraction() -> None:
    assert good_row("products", updated_at=None)["event_at"] == "2026-03-02T12:00:00+00:00"


@pytest.mark.parametrize(("status", "rank"), STATUS_RANK.items())
def test_the_rank_follows_from_the_status(status: str, rank: int) -> None:
    assert good_row("transactions", status=f" {status.upper()} ")["rank"] == str(rank)


def test_a_refund_may_be_negative() -> None:
    assert good_row("transactions", status="refunded", amount="-5.50")["amount"] == "-5.5"


UNTIDY: dict[str, dict[str, Any]] = {
    "transactions": {
        "transaction_id": " t1 ", "user_id": "u1\t", "product_id": "\np1", "amount": "+1999.0e-2", "currency": " gbp ",
        "timestamp": "2026-02-01T00:00:00", "payment_method": " CARD", "status": "Completed ",
    },
    "users": {
        "user_id": " u1", "email": " Ada@Example.COM ", "registration_date": " 2025-05-01 ",
        "country": "united kingdom", "age_group": " 25-34 ", "customer_tier": "GOLD",
    },
    "products": {
        "product_id": "p1 ", "name": " Tea pot ", "category": " kitchen", "price": 12.5, "inventory_count": "07",
        "supplier_id": " s1", "updated_at": "2026-02-01T00:00:00+02:00",
    },
    "fx_rates": {"date": " 2026-03-01 ", "currency": "usd", "rate": 0.78},
}  # fmt: skip
OTHER: dict[str, dict[str, Any]] = {
    "transactions": {
        "transaction_id": "T1", "user_id": None, "product_id": "p2", "amount": "19.9901", "currency": "USD",
        "payment_method": "paypal", "status": "refunded", "till": 4,
    },
    "users": {
        "user_id": "u2", "email": None, "registration_date": "2025-05-02", "country": "IE", "age_group": "65+",
        "customer_tier": None, "shoe_size": "43",
    },
    "products": {
        "product_id": "p2", "name": "tea pot", "category": None, "price": "12.51", "inventory_count": 8,
        "supplier_id": "u1", "colour": "blue",
    },
    "fx_rates": {"date": "2026-03-02", "currency": "EUR", "rate": "0.78000001"},
}  # fmt: skip
"""For each field another value; all but the time, which is recency and not content."""


@pytest.mark.parametrize("source", GOOD)
def test_the_content_hash_ignores_the_time_and_untidy_writing(source: str) -> None:
    tidy, untidy = good_row(source), good_row(source, **UNTIDY[source])
    ignored = {"event_at", "flags"}
    assert {name: value for name, value in tidy.items() if name not in ignored} == {
        name: value for name, value in untidy.items() if name not in ignored
    }


@pytest.mark.parametrize(
    ("source", "field"), [(source, field) for source, changes in OTHER.items() for field in changes]
)
def test_the_content_hash_sees_every_field(source: str, field: str) -> None:
    changed = good_row(source, **{field: OTHER[source][field]})
    assert changed["content_hash"] != good_row(source)["content_hash"]


def test_the_content_hash_sees_that_two_fields_changed_places_or_one_is_missing() -> None:
    written = [("a", "b"), ("b", "a"), ("ab", None), (None, "ab"), (None, None)]
    hashes = {good_row("products", name=name, category=category)["content_hash"] for name, category in written}
    assert len(hashes) == len(written)


def test_the_order_of_unknown_fields_is_not_content() -> None:
    first = good_row("transactions", a={"x": 1, "y": 2}, b=1)
    second = good_row("transactions", b=1, a={"y": 2, "x": 1})
    assert first == second


def test_a_number_in_an_unknown_field_keeps_its_decimals() -> None:
    assert good_row("transactions", tip=0.1)["extra"] == '{"tip":"0.1"}'


@few
@given(
    st.decimals(allow_nan=False, allow_infinity=False, places=8, min_value=-(10**10), max_value=10**10),
    st.integers(0, 6),
)
def test_plain_text_is_exact_and_the_same_however_many_zeros_end_it(number: Decimal, zeros: int) -> None:
    text = plain(number)
    assert text is not None
    assert Decimal(text) == number
    assert text == plain(number.quantize(Decimal(1).scaleb(-8 - zeros)))
    assert not text.endswith(".")
    assert "." not in text or not text.endswith("0")


@few
@given(st.datetimes(datetime(2000, 1, 2), datetime(2026, 3, 2)), st.timezones())  # noqa: DTZ001 - the zone is drawn
def test_the_moment_that_is_loaded_is_the_one_that_was_sent(naive: datetime, zone: Any) -> None:
    sent = naive.replace(tzinfo=zone)
    offset = sent.utcoffset()
    if offset is not None and offset.total_seconds() % 60 == 0:
        loaded = good_row("transactions", timestamp=sent.isoformat())["event_at"]
        assert loaded == sent.astimezone(UTC).isoformat()
