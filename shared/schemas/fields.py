"""Fields that clean what is only untidy and refuse the rest, each refusal with a reason code.

Cleaning is case, surrounding space and the decimal text of a number; it never invents a value.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any
from unicodedata import category

from marshmallow import ValidationError, fields
from marshmallow import missing as missing_

from shared.schemas.reference import COUNTRIES, CURRENCIES

_TIME = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d(:\d\d(\.\d{1,6})?)?([Zz]|[+-]\d\d:?\d\d)?", re.ASCII)
_DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
NUMBER = re.compile(r"[+-]?\d+(\.\d+)?([eE][+-]?\d{1,2})?", re.ASCII)
_EMAIL = re.compile(r"[^@\s]{1,64}@[^@\s.]+(\.[^@\s.]+)+")
_JOINERS = "\u200c\u200d"
MAX_TEXT = 200


class Problem(str):
    """One refusal: its text says what to do and never shows the value; `code` is the reason in the ledger."""

    __slots__ = ("code",)
    code: str

    def __new__(cls, code: str, text: str) -> Problem:
        problem = super().__new__(cls, text)
        problem.code = code
        return problem


def refuse(code: str, text: str) -> ValidationError:
    """The error a field raises."""
    return ValidationError([Problem(code, text)])


def refuse_field(name: str, code: str, text: str) -> ValidationError:
    """A refusal that names its field, as marshmallow would."""
    return ValidationError({name: [Problem(code, text)]})


class Cleaned(fields.Field[Any]):
    """A field whose own errors carry reason codes; an empty text counts as missing. Validators are not run: each field
    refuses in `_deserialize`, which saves a fifth of the time."""

    def make_error(self, key: str, **_: object) -> ValidationError:
        if key in {"required", "null"}:
            return refuse("missing_field", "is required and missing")
        return refuse("invalid_value", "is not valid")

    def deserialize(
        self, value: Any, attr: str | None = None, data: Mapping[str, Any] | None = None, **kwargs: Any
    ) -> Any:
        if isinstance(value, str):
            value = value.strip() or None
        if value is None or value is missing_:
            return super().deserialize(value, attr, data, **kwargs)
        return self._deserialize(value, attr, data)


def text_of(value: object) -> str:
    """A text, or the decimal text of a whole number; anything else is refused."""
    if isinstance(value, str):
        if len(value) > MAX_TEXT or not value.isprintable():
            raise refuse("invalid_value", f"must be at most {MAX_TEXT} printable characters")
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        return text_of(str(value))
    raise refuse("invalid_value", "must be a text")


class Text(Cleaned):
    """Printable text."""

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> str:
        return text_of(value)


class Name(Cleaned):
    """A name as people write it: printable text in which spaces of any kind and joined emoji are fine too."""

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> str:
        if isinstance(value, str) and len(value) <= MAX_TEXT and not value.isprintable():
            text_of("".join(letter for letter in value if letter not in _JOINERS and category(letter) != "Zs"))
            return value
        return text_of(value)


class Choice(Cleaned):
    """One of a few lower-case words."""

    def __init__(self, choices: frozenset[str], code: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._choices = choices
        self._code = code

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> str:
        word = text_of(value).lower()
        if word not in self._choices:
            raise refuse(self._code, f"must be one of {', '.join(sorted(self._choices))}")
        return word


class Currency(Cleaned):
    """An ISO 4217 code."""

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> str:
        code = text_of(value).upper()
        if code not in CURRENCIES:
            raise refuse("unknown_currency", "must be an ISO 4217 code")
        return code


class Country(Cleaned):
    """An ISO 3166 alpha-2 code; names and common variants are normalised to it."""

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> str:
        code = COUNTRIES.get(text_of(value).casefold())
        if code is None:
            raise refuse("unknown_country", "must be an ISO 3166 code or an English country name")
        return code


class Number(Cleaned):
    """A decimal number, exact: at most `digits` before the point and `places` behind it, as its column holds."""

    def __init__(
        self, digits: int, places: int, least: Decimal | None = None, above: Decimal | None = None, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self._digits = digits
        self._places = places
        self._least = least
        self._above = above

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> Decimal:
        number = self._number(value)
        digits, exponent = number.as_tuple()[1:]
        if not isinstance(exponent, int) or len(digits) + exponent > self._digits:
            raise refuse("invalid_value", f"must have at most {self._digits} digits before the point")
        if -exponent > self._places:
            rounded = round(number, self._places)
            if number != rounded:
                raise refuse("invalid_value", f"must have at most {self._places} decimal places")
            number = rounded
        if self._least is not None and number < self._least:
            raise refuse("invalid_value", f"must be at least {self._least}")
        if self._above is not None and number <= self._above:
            raise refuse("invalid_value", f"must be above {self._above}")
        return number

    def _number(self, value: object) -> Decimal:
        if isinstance(value, Decimal):
            return value
        if isinstance(value, int) and not isinstance(value, bool):
            return Decimal(value)
        if isinstance(value, str) and NUMBER.fullmatch(value):
            try:
                return Decimal(value)
            except InvalidOperation:
                pass
        raise refuse("invalid_value", "must be a decimal number")


class Timestamp(Cleaned):
    """An ISO 8601 time, to UTC. A naive one is taken as UTC and comes back without a zone, so that it is flagged."""

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> datetime:
        if isinstance(value, str) and _TIME.fullmatch(value):
            try:
                stamp = datetime.fromisoformat(value.upper())
                return stamp.astimezone(UTC) if stamp.tzinfo else stamp
            except (ValueError, OverflowError):
                pass
        raise refuse("invalid_value", "must be an ISO 8601 date and time with at most 6 digits of a second")


class Date(Cleaned):
    """A date as YYYY-MM-DD."""

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> date:
        if isinstance(value, str) and _DATE.fullmatch(value):
            try:
                return date.fromisoformat(value)
            except ValueError:
                pass
        raise refuse("invalid_value", "must be a date written YYYY-MM-DD")


class Email(Cleaned):
    """An e-mail address by its shape, lower-cased; whether it exists only a mail can tell."""

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> str:
        address = text_of(value).lower()
        if len(address) > MAX_TEXT or not _EMAIL.fullmatch(address):
            raise refuse("invalid_value", "must be an e-mail address")
        return address


class Whole(Cleaned):
    """A whole number that fits 32 bits and is not negative."""

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> int:
        if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= 10:
            value = int(value)
        if isinstance(value, int | Decimal) and not isinstance(value, bool) and 0 <= value < 2**31:
            whole = int(value)  # only now: an exponent may ask for a number of a million digits
            if whole == value:
                return whole
        raise refuse("invalid_value", "must be a whole number of at least 0")


class Truth(Cleaned):
    """True or false, as JSON has them or as words; for fields that `sluice drift propose` proposes."""

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> bool:
        if isinstance(value, bool):
            return value
        if isinstance(value, str) and value.lower() in {"true", "false"}:
            return value.lower() == "true"
        raise refuse("invalid_value", "must be true or false")
