"""Dirt that touches one transaction on its way out: a field badly written, or a line that is not JSON at all.

Each dirty row has exactly one defect, so its reason code does not depend on which rule is looked at first.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from random import Random

Fields = dict[str, str]
"""Field name to JSON text, in writing order."""

ABROAD = timezone(timedelta(hours=2))


@dataclass(frozen=True, slots=True)
class FieldDefect:
    """An edit of the fields; with a reason the row is quarantined, without one it is cleaned and loads."""

    edit: Callable[[Fields, Random], None]
    reason: str | None = None
    flag: str | None = None


@dataclass(frozen=True, slots=True)
class LineDefect:
    """An edit of the whole line; without a reason the line is nothing that counts as received.

    `array` says whether it may stand in a JSON array without breaking its neighbours.
    """

    edit: Callable[[bytes, Random], bytes]
    reason: str | None
    array: bool = False


def drop(field: str) -> FieldDefect:
    """The field is not there."""
    return FieldDefect(lambda fields, _: _remove(fields, field), "missing_field")


def put(field: str, *texts: str, reason: str | None = None, flag: str | None = None) -> FieldDefect:
    """The field holds one of these JSON texts."""
    return FieldDefect(lambda fields, rng: fields.update({field: rng.choice(texts)}), reason, flag)


def rewrite(field: str, change: Callable[[str], str], *, flag: str | None = None) -> FieldDefect:
    """The field's value is right but written in an unusual way."""
    return FieldDefect(lambda fields, _: fields.update({field: change(fields[field])}), None, flag)


def _remove(fields: Fields, field: str) -> None:
    del fields[field]


def _negative_sale(fields: Fields, _: Random) -> None:
    fields.update(amount=f"-{fields['amount']}", status='"completed"')


def _padded(text: str) -> str:
    return f'" {text[1:-1]} "'


def _to_other_zone(text: str) -> str:
    return f'"{datetime.fromisoformat(text[1:-1]).astimezone(ABROAD).isoformat()}"'


def _unknown_fields(fields: Fields, rng: Random) -> None:
    fields.update(coupon=f'"SPRING{rng.randrange(100)}"', basket=f'{{"lines":{rng.randint(1, 9)},"gift":false}}')


def _cut_off(line: bytes, rng: Random) -> bytes:
    return line[: rng.randrange(1, len(line) - 2)] + b"\n"


def _instead(*texts: bytes) -> Callable[[bytes, Random], bytes]:
    return lambda _, rng: rng.choice(texts) + b"\n"


FIELD_DEFECTS: Mapping[str, FieldDefect] = {
    "missing_transaction_id": drop("transaction_id"),
    "missing_product_id": drop("product_id"),
    "missing_amount": drop("amount"),
    "missing_currency": drop("currency"),
    "missing_timestamp": drop("timestamp"),
    "missing_status": drop("status"),
    "null_amount": put("amount", "null", reason="missing_field"),
    "null_timestamp": put("timestamp", "null", reason="missing_field"),
    "null_product_id": put("product_id", "null", reason="missing_field"),
    "unparsable_amount": put("amount", '"twelve"', '"12.5.0"', '"--"', reason="invalid_value"),
    "wrong_type_amount": put("amount", "true", "[12.5]", '{"value":12.5}', reason="invalid_value"),
    "negative_amount": FieldDefect(_negative_sale, "negative_amount"),
    "unknown_status": put("status", '"shipped"', '"paid"', '"REFUND_REQUESTED"', reason="unknown_status"),
    "unknown_currency": put("currency", '"ZZZ"', '"BTC"', '"EURO"', reason="unknown_currency"),
    "garbage_timestamp": put(
        "timestamp", '"yesterday"', '"2024-13-45T10:00:00Z"', '"31/02/2024 10:00"', reason="invalid_value"
    ),
    "timestamp_out_of_range": put(
        "timestamp", '"1999-12-31T23:59:59Z"', '"1970-01-01T00:00:00Z"', '"2191-05-01T08:00:00Z"',
        reason="timestamp_out_of_range",
    ),
    "padded_status": rewrite("status", lambda text: _padded(text).upper()),
    "lower_currency": rewrite("currency", str.lower),
    "padded_currency": rewrite("currency", _padded),
    "upper_payment_method": rewrite("payment_method", str.upper),
    "amount_as_text": rewrite("amount", lambda text: f'"{text}"'),
    "naive_timestamp": rewrite("timestamp", lambda text: text.replace("Z", ""), flag="naive_time"),
    "other_time_zone": rewrite("timestamp", _to_other_zone),
    "fractional_seconds": rewrite("timestamp", lambda text: text.replace("Z", ".250Z")),
    "unknown_payment_method": put("payment_method", '"bitcoin"', '"cheque"', flag="other_payment"),
    "unknown_fields": FieldDefect(_unknown_fields),
}  # fmt: skip

LINE_DEFECTS: Mapping[str, LineDefect] = {
    "cut_off_line": LineDefect(_cut_off, "malformed_json"),
    "bare_words": LineDefect(lambda line, _: line.replace(b'"', b""), "malformed_json"),
    "nan": LineDefect(lambda line, _: line.replace(b'"amount":', b'"amount":NaN,"was":'), "malformed_json"),
    "single_quotes": LineDefect(lambda line, _: line.replace(b'"', b"'"), "malformed_json"),
    "not_an_object": LineDefect(_instead(b"42", b'["T1", 12.5]', b'"transaction"'), "not_an_object", array=True),
    "invalid_encoding": LineDefect(
        lambda line, _: line.replace(b'"product_id":"', b'"product_id":"\xff\xfe'), "invalid_encoding"
    ),
    "blank_line": LineDefect(_instead(b"", b"   "), None),
}
