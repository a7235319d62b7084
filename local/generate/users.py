"""The users' file: CSV, with the small untidiness of a list that people keep by hand."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from random import Random

from local.generate.sales import user_id
from local.generate.schedule import Schedule
from local.generate.truth import SourceTruth
from local.generate.world import table

HEADER = "user_id,email,registration_date,country,age_group,customer_tier\n"
COUNTRIES = table({"GB": 60, "IE": 8, "DE": 8, "FR": 7, "SE": 5, "US": 5, "ES": 3, "JP": 2, "AU": 2})
AGE_GROUPS = table({"under_18": 1, "18-24": 14, "25-34": 28, "35-44": 24, "45-54": 16, "55-64": 11, "65+": 6})
TIERS = table({"bronze": 55, "silver": 28, "gold": 13, "platinum": 4})
SPELLINGS = ("United Kingdom", "uk", "EIRE", "germany", "France", "Korea, Republic of", " se ", "GBR")
FIVE_YEARS = 1826

Cells = list[str]


def _put(column: int, *values: str) -> Callable[[Cells, Random], None]:
    return lambda cells, rng: cells.__setitem__(column, rng.choice(values))


def _change(column: int, change: Callable[[str], str]) -> Callable[[Cells, Random], None]:
    return lambda cells, _: cells.__setitem__(column, change(cells[column]))


def _upper_words(cells: Cells, _: Random) -> None:
    cells[4], cells[5] = cells[4].upper(), f" {cells[5].upper()}"


def _wrong_count(cells: Cells, rng: Random) -> None:
    if rng.random() < 0.5:
        cells.pop()
    else:
        cells.append("2")


CLEANED: Mapping[str, Callable[[Cells, Random], None]] = {
    "missing_optional": lambda cells, rng: cells.__setitem__(rng.choice((3, 4, 5)), ""),
    "country_spelling": _put(3, *SPELLINGS),
    "upper_email": _change(1, str.upper),
    "padded_email": _change(1, lambda email: f"  {email} "),
    "upper_words": _upper_words,
    "quoted_newline": _change(5, lambda tier: f"{tier}\n"),
}

QUARANTINED: Mapping[str, tuple[str, Callable[[Cells, Random], None]]] = {
    "missing_user_id": ("missing_field", _put(0, "")),
    "malformed_email": ("invalid_value", _put(1, "nobody", "two@signs@example.com", "@example.com", "shopper@")),
    "other_date_format": ("invalid_value", _put(2, "31/02/2024", "Jan 31 2024", "2024-02-30")),
    "unknown_country": ("unknown_country", _put(3, "Atlantis", "ZZ", "Elbonia")),
    "invalid_age_group": ("invalid_value", _put(4, "young", "20-30", "-1")),
    "invalid_tier": ("invalid_value", _put(5, "diamond", "vip", "7")),
    "wrong_column_count": ("wrong_column_count", _wrong_count),
}

USER_KINDS: Mapping[str, int] = {
    **dict.fromkeys(CLEANED, 1),
    **dict.fromkeys(QUARANTINED, 1),
    "duplicate": 2,
    "conflicting_duplicate": 2,
}


@dataclass(slots=True)
class UserList:
    """Writes the users and keeps their account; `loaded` marks the positions that will stand."""

    rng: Random
    schedule: Schedule
    start: date
    rows: int
    counts: SourceTruth
    dirt: Counter[str]
    loaded: bytearray

    def lines(self) -> Iterator[str]:
        """The file, header first."""
        yield HEADER
        position = 0
        while self.counts.received < self.rows:
            kind = self.schedule.draw(self.rows - self.counts.received)
            yield from self._lines_of(position, kind)
            position += 1

    def _lines_of(self, position: int, kind: str | None) -> Iterator[str]:
        cells = self._cells(position)
        if kind is not None:
            self.dirt[f"users.{kind}"] += 1
            if kind in QUARANTINED:
                reason, edit = QUARANTINED[kind]
                edit(cells, self.rng)
                self.counts.quarantine(reason)
                yield csv_line(cells)
                return
            if kind in CLEANED:
                CLEANED[kind](cells, self.rng)
        self.counts.insert()
        self.loaded[position] = 1
        yield csv_line(cells)
        if kind == "duplicate":
            self.counts.repeat()
            yield csv_line(cells)
        elif kind == "conflicting_duplicate":
            self.counts.quarantine("conflicting_duplicate")
            cells[5] = "gold" if cells[5] != "gold" else "silver"
            yield csv_line(cells)

    def _cells(self, position: int) -> Cells:
        rng = self.rng
        registered = self.start - timedelta(days=1 + int(rng.random() * FIVE_YEARS))
        return [
            user_id(position),
            f"shopper{position}@example.com",
            registered.isoformat(),
            rng.choice(COUNTRIES),
            rng.choice(AGE_GROUPS),
            rng.choice(TIERS),
        ]


def csv_line(cells: Cells) -> str:
    """One record; only what needs quotes is quoted."""
    return ",".join(_quoted(cell) for cell in cells) + "\n"


def _quoted(cell: str) -> str:
    if any(mark in cell for mark in ',"\n'):
        return '"' + cell.replace('"', '""') + '"'
    return cell
