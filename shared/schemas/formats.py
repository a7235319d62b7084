"""Numbers and dates that are not written as the fields ask, by declared formats; nothing is guessed.

What can be read in one way only is read so. What can be read in two ways is read as declared; where nothing is
declared it is refused as `ambiguous_number` or `ambiguous_date`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from marshmallow import ValidationError

from shared.schemas.fields import NUMBER, Date, Number, Timestamp, refuse_field
from shared.schemas.rows import SCHEMAS

_GROUPED = {
    ",": re.compile(r"[+-]?[1-9]\d{0,2}(,\d{3})+", re.ASCII),
    ".": re.compile(r"[+-]?[1-9]\d{0,2}(\.\d{3})+", re.ASCII),
}
_PLAIN = re.compile(r"[+-]?\d+", re.ASCII)
_SPACED = re.compile(r"[+-]?[1-9]\d{0,2}([ \u00a0\u202f]\d{3})+(?=[.,]|$)", re.ASCII)
_DATE = re.compile(r"(\d{1,2})([./-])(\d{1,2})\2(\d{4})(?:[T ](.+))?", re.ASCII)
_YEAR_FIRST = re.compile(r"(\d{4})([/.])(\d{1,2})\2(\d{1,2})(?:[T ](.+))?", re.ASCII)

_NUMBERS = {s: tuple(n for n, f in schema.fields.items() if isinstance(f, Number)) for s, schema in SCHEMAS.items()}
_DATES = {
    s: tuple(n for n, f in schema.fields.items() if isinstance(f, Date | Timestamp)) for s, schema in SCHEMAS.items()
}


@dataclass(frozen=True)
class Formats:
    """What an installation declares: the order of day and month, and the mark in front of the decimals."""

    date_order: str = ""
    number_format: str = ""

    @property
    def comma(self) -> bool:
        """Whether a point groups thousands, so that no text of a number may be taken as it stands."""
        return self.number_format == "decimal_comma"

    def numbers(self, source: str, row: dict[str, Any]) -> dict[str, Any]:
        """The row with its texts of numbers as plain decimals. Raises ValidationError ambiguous_number."""
        changed = {
            name: self._number(name, value.strip())
            for name in _NUMBERS[source]
            if isinstance(value := row.get(name), str) and value.strip()
        }
        return {**row, **changed}

    def mend(
        self, source: str, row: dict[str, Any], problems: Mapping[str, Sequence[object]]
    ) -> tuple[dict[str, Any], bool]:
        """The row with those of its wrong fields mended that the formats can read, and whether a date of it could have
        been read in another way. Raises ValidationError with all problems, an ambiguous field by its own."""
        changed: dict[str, Any] = {}
        ambiguous: dict[str, Any] = {}
        doubtful = False
        for name in problems:
            if not isinstance(value := row.get(name), str):
                continue
            try:
                if name in _NUMBERS[source] and not self.comma and not NUMBER.fullmatch(value.strip()):
                    changed[name] = self._number(name, value.strip())
                elif name in _DATES[source]:
                    changed[name], two_ways = self._date(name, value.strip())
                    doubtful = doubtful or two_ways
            except ValidationError as exc:
                ambiguous.update(exc.messages_dict)
        if ambiguous:
            raise ValidationError({**problems, **ambiguous})
        return {**row, **changed}, doubtful

    def _number(self, name: str, text: str) -> str:
        """A plain decimal where the text is a grouped number or has a decimal comma, else the text itself."""
        spaced = _SPACED.match(text)
        if spaced:
            text = re.sub(r"[ \u00a0\u202f]", "", spaced[0]) + text[spaced.end() :]
        readings = set(_readings(text))
        if self.number_format:
            readings = {reading for reading in readings if reading[0] == self.number_format}
            if not readings and (_PLAIN.match(text) and re.search(r"[.,]", text)):
                raise refuse_field(name, "ambiguous_number", f"is not written with the declared {self.number_format}")
        plain = {reading[1] for reading in readings}
        if len(plain) > 1:
            raise refuse_field(name, "ambiguous_number", "may group thousands or have decimals; declare NUMBER_FORMAT")
        return plain.pop() if plain else text

    def _date(self, name: str, text: str) -> tuple[str, bool]:
        """An ISO date (and time) where the text is a date, else the text itself; whether it can be read in two ways."""
        if found := _YEAR_FIRST.fullmatch(text):
            year, _, month, day, time = found.groups()
            return _iso(year, month, day, time), False
        found = _DATE.fullmatch(text)
        if not found:
            return text, False
        first, _, second, year, time = found.groups()
        two_ways = first.lstrip("0") != second.lstrip("0") and int(first) <= 12 and int(second) <= 12
        order = self.date_order or ("mdy" if int(second) > 12 else "dmy")
        if two_ways and not self.date_order:
            raise refuse_field(
                name, "ambiguous_date", "may be day or month first; declare DATE_ORDER, or write YYYY-MM-DD"
            )
        return _iso(year, second, first, time) if order == "dmy" else _iso(year, first, second, time), two_ways


def _readings(text: str) -> Iterable[tuple[str, str]]:
    """The ways to read a number: the format that reads it so, and the plain decimal."""
    for style, decimal, group in (("decimal_point", ".", ","), ("decimal_comma", ",", ".")):
        whole, mark, places = text.partition(decimal)
        grouped = _GROUPED[group].fullmatch(whole)
        if (grouped or _PLAIN.fullmatch(whole)) and (not mark or (places.isascii() and places.isdigit())):
            yield style, whole.replace(group, "") + ("." + places if mark else "")


def _iso(year: str, month: str, day: str, time: str | None) -> str:
    return f"{year}-{month:0>2}-{day:0>2}" + (f"T{time}" if time else "")
