"""Which month may be closed now: in order, without a gap, and only once it is over. Pure."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from shared.domain.balance import DayTotals
from shared.errors import OrderRefused


@dataclass(frozen=True, order=True)
class Month:
    """A calendar month, by its first day."""

    first_day: date

    @classmethod
    def read(cls, text: str) -> Month:
        """A month as YYYY-MM. Raises OrderRefused (`malformed`)."""
        if not re.fullmatch(r"[0-9]{4}-(0[1-9]|1[0-2])", text) or not text >= "2000":
            raise OrderRefused("malformed", f"{text!r} is no month; write it as YYYY-MM, from 2000-01 on")
        return cls(date.fromisoformat(f"{text}-01"))

    @classmethod
    def of(cls, day: date) -> Month:
        """The month of a day."""
        return cls(day.replace(day=1))

    @property
    def following(self) -> Month:
        """The month after this one."""
        return Month.of(self.first_day + timedelta(days=31))

    @property
    def last_day(self) -> date:
        """The last day of this one."""
        return self.following.first_day - timedelta(days=1)

    def __str__(self) -> str:
        return f"{self.first_day:%Y-%m}"


@dataclass(frozen=True)
class Books:
    """What is known of the months: the first day with a sale, and which ones are closed."""

    first_sale: date | None
    first_closed: date | None
    last_closed: date | None
    base_currency: str | None
    """That of the last close."""

    def check_turn(self, month: Month, today: date, base_currency: str) -> None:
        """Raises OrderRefused where this is not the month to close next; the message names the one that is."""
        if month.last_day >= today:
            raise OrderRefused("month_not_over", f"{month} ends on {month.last_day}; close it after that day (UTC)")
        if self.first_closed is None or self.last_closed is None:
            self._check_first(month)
            return
        if month.first_day < self.first_closed:
            told = f"the books begin with {Month.of(self.first_closed)}; sales of {month} are booked as adjustments"
            raise OrderRefused("before_the_books", told)
        if month.first_day <= self.last_closed:
            told = f"{month} is closed and never changes; what changed since is booked by the next close"
            raise OrderRefused("already_closed", told)
        expected = Month.of(self.last_closed).following
        if month != expected:
            raise OrderRefused("earlier_month_open", f"{expected} is open; close it before {month}")
        if self.base_currency != base_currency:
            told = f"closed months are booked in {self.base_currency}, BASE_CURRENCY is {base_currency}; set it back"
            raise OrderRefused("base_currency_changed", told)

    def _check_first(self, month: Month) -> None:
        if self.first_sale is None:
            raise OrderRefused("no_sales", "there is no sale yet; the first month to close is the first with sales")
        expected = Month.of(self.first_sale)
        if month < expected:
            raise OrderRefused("no_sales", f"{month} has no sales; the first month with sales is {expected}")
        if month > expected:
            raise OrderRefused("earlier_month_open", f"{expected} has sales and is open; close it before {month}")


def by_currency(totals: DayTotals) -> dict[str, tuple[int, Decimal]]:
    """Rows and money of all days together; a currency that its sales have left is not listed, as in sum_close_lines."""
    found: dict[str, tuple[int, Decimal]] = defaultdict(lambda: (0, Decimal(0)))
    for (_, currency), (rows, amount) in totals.items():
        known_rows, known_amount = found[currency]
        found[currency] = known_rows + rows, known_amount + amount
    return {currency: total for currency, total in found.items() if any(total)}
