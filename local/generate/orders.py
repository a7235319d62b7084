"""Dirt that is about an order: who and what it names, and orders that arrive as several events.

The outcomes booked here are the same in whatever order the events load: an order is either repeated, or disputed, or
moves through its statuses, never two of these at once, and a disputed order has exactly two events.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from local.generate.sales import GUEST, STRANGER, Books, Sale, Till, in_currency
from local.generate.world import METHODS, SECONDS_A_DAY, UNRATED

FAR = 3000
"""The furthest, in lines, that an event of an order is held back: it bounds the memory of the generator."""


@dataclass(frozen=True, slots=True)
class Event:
    """A line of an order and how many lines later than now it is written."""

    line: bytes
    delay: int = 0


Build = Callable[[Till, Books, Sale, bool], list[Event]]


@dataclass(frozen=True, slots=True)
class OrderKind:
    """An order of several events. `build` books them and returns them in writing order; its last argument says whether
    the amount may be in dispute here."""

    rows: int
    build: Build


def _late(till: Till, sale: Sale) -> None:
    sale.second = int(till.rng.random() * (sale.second + 1))


def _guest_null(_: Till, sale: Sale) -> None:
    sale.user, sale.user_id = GUEST, "null"


def _guest_missing(_: Till, sale: Sale) -> None:
    sale.user, sale.user_id = GUEST, None


def _credit_note(_: Till, sale: Sale) -> None:
    sale.cents, sale.status = -sale.cents, "refunded"


def _unknown_user(till: Till, sale: Sale) -> None:
    sale.user, sale.user_id = STRANGER, f'"UX{till.mark}{till.sold:08d}"'


def _unknown_product(till: Till, sale: Sale) -> None:
    sale.product, sale.product_id = STRANGER, f'"PX{till.mark}{till.sold:08d}"'


def _currency_without_rate(till: Till, sale: Sale) -> None:
    sale.cents = in_currency(sale.cents * till.world.units_per_base[UNRATED], UNRATED)
    sale.currency = UNRATED


SALE_KINDS: Mapping[str, Callable[[Till, Sale], None]] = {
    "late": _late,
    "guest_null": _guest_null,
    "guest_missing": _guest_missing,
    "credit_note": _credit_note,
    "unknown_user": _unknown_user,
    "unknown_product": _unknown_product,
    "currency_without_rate": _currency_without_rate,
}


def _times(till: Till, sale: Sale, events: int) -> list[int]:
    """Rising moments that start near the sale's and end within the period; they may lie on different days."""
    longest = min(SECONDS_A_DAY, till.world.seconds // events)
    moments = [sale.second]
    for _ in range(events - 1):
        moments.append(moments[-1] + till.rng.randrange(1, longest))
    overrun = max(0, moments[-1] - till.world.seconds + 1)
    return [moment - overrun for moment in moments]


def _apart(till: Till) -> int:
    return till.rng.randrange(FAR // 3)


def _exact_duplicate(till: Till, books: Books, sale: Sale, _: bool) -> list[Event]:
    books.stand(sale)
    books.counts.repeat()
    line = till.line(sale)
    return [Event(line), Event(line, _apart(till))]


def _duplicate_later(till: Till, books: Books, sale: Sale, _: bool) -> list[Event]:
    moments = _times(till, sale, 2)
    books.stand(sale, since=moments[0])
    books.counts.repeat()
    till.rng.shuffle(moments)
    first, second = (till.line(replace(sale, second=moment)) for moment in moments)
    return [Event(first), Event(second, _apart(till))]


def _conflicting_duplicate(till: Till, books: Books, sale: Sale, amount_may_differ: bool) -> list[Event]:
    """Two events that cannot both be true.

    Which of them stands depends on which loads first, and so would the sums if the amounts differed; so amounts differ
    only side by side near the head of a file, where one chunk surely holds both and the first stands. Elsewhere the
    payment method is in dispute.
    """
    books.stand(sale)
    books.counts.quarantine("conflicting_duplicate")
    if amount_may_differ:
        other = replace(sale, cents=sale.cents + 100 * till.rng.randint(1, 50))
        return [Event(till.line(sale)), Event(till.line(other))]
    other = replace(sale, method=till.rng.choice([method for method in METHODS if method != sale.method]))
    return [Event(till.line(sale)), Event(till.line(other), _apart(till))]


def _moves(till: Till, books: Books, sale: Sale, statuses: tuple[str, ...], moments: list[int]) -> list[bytes]:
    """The lines of an order that goes through these statuses, oldest first; the last one stands."""
    events = [replace(sale, status=status, second=moment) for status, moment in zip(statuses, moments, strict=True)]
    books.stand(events[-1], since=moments[0])
    books.counts.received += len(events) - 1
    books.counts.updated_or_superseded += len(events) - 1
    return [till.line(event) for event in events]


def _lifecycle(till: Till, books: Books, sale: Sale, _: bool) -> list[Event]:
    lines = _moves(till, books, sale, ("pending", "completed", "refunded"), _times(till, sale, 3))
    return [Event(line, n * FAR // 3 + _apart(till) * (n > 0)) for n, line in enumerate(lines)]


def _settled(till: Till, books: Books, sale: Sale, _: bool) -> list[Event]:
    final = till.rng.choice(("completed", "completed", "failed", "cancelled"))
    lines = _moves(till, books, sale, ("pending", final), _times(till, sale, 2))
    return [Event(lines[0]), Event(lines[1], _apart(till))]


def _out_of_order(till: Till, books: Books, sale: Sale, _: bool) -> list[Event]:
    lines = _moves(till, books, sale, ("pending", "completed", "refunded"), _times(till, sale, 3))
    newest_first = lines[::-1] if till.rng.random() < 0.5 else [lines[1], lines[2], lines[0]]
    return [Event(line, n * FAR // 3 + _apart(till) * (n > 0)) for n, line in enumerate(newest_first)]


def _same_moment(till: Till, books: Books, sale: Sale, _: bool) -> list[Event]:
    lines = _moves(till, books, sale, ("pending", "completed"), [sale.second, sale.second])
    till.rng.shuffle(lines)
    return [Event(lines[0]), Event(lines[1], _apart(till))]


ORDER_KINDS: Mapping[str, OrderKind] = {
    "exact_duplicate": OrderKind(2, _exact_duplicate),
    "duplicate_later": OrderKind(2, _duplicate_later),
    "conflicting_duplicate": OrderKind(2, _conflicting_duplicate),
    "settled_order": OrderKind(2, _settled),
    "lifecycle": OrderKind(3, _lifecycle),
    "out_of_order_lifecycle": OrderKind(3, _out_of_order),
    "same_moment_lifecycle": OrderKind(2, _same_moment),
}
