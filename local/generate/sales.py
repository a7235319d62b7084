"""Drawing one sale, writing it as a line, and keeping the books of what stands when all is loaded."""

from collections import Counter
from dataclasses import dataclass, field
from random import Random

from local.generate.defects import Fields
from local.generate.truth import SourceTruth
from local.generate.world import (
    CLOCK,
    CURRENCIES,
    HOURS,
    METHODS,
    QUANTITIES,
    RATE_SCALE,
    SECONDS_A_DAY,
    STATUSES,
    WITHOUT_CENTS,
    World,
)

GUEST = -1
STRANGER = -2


@dataclass(slots=True)
class Sale:
    """One event of one order. `user` and `product` are positions in the catalogue, or GUEST, or STRANGER.

    `cents` are hundredths in any currency; `second` counts from the first moment of the period; ids are JSON text, and
    a user id of None is left out.
    """

    transaction_id: str
    user: int
    user_id: str | None
    product: int
    product_id: str
    cents: int
    currency: str
    second: int
    method: str
    status: str


@dataclass(slots=True)
class Books:
    """The generator's own account of the transactions that will stand; every number in it is a whole one."""

    world: World
    named_users: bytearray
    named_products: bytearray
    counts: SourceTruth = field(default_factory=SourceTruth)
    cents: Counter[str] = field(default_factory=Counter)
    flags: Counter[str] = field(default_factory=Counter)
    strange_users: int = 0
    strange_products: int = 0
    net_cents: int = 0
    net_exact: int = 0
    day_seen: bytearray = field(init=False)

    def __post_init__(self) -> None:
        self.day_seen = bytearray(self.world.days)

    def stand(self, sale: Sale, *, since: int | None = None) -> None:
        """Book the row that finally stands; its day is that of the earliest event of the order."""
        day = (sale.second if since is None else since) // SECONDS_A_DAY
        self.counts.received += 1
        self.counts.inserted += 1
        self.cents[sale.currency] += sale.cents
        self.day_seen[day] = 1
        self._name_parents(sale)
        rate = self.world.rates[day].get(sale.currency)
        if rate is None:
            self.flags["missing_rate"] += 1
        elif sale.status == "completed" or sale.cents < 0:
            worth = sale.cents * rate
            self.net_exact += worth
            self.net_cents += (
                (worth + RATE_SCALE // 2) // RATE_SCALE if worth > 0 else -((RATE_SCALE // 2 - worth) // RATE_SCALE)
            )

    def _name_parents(self, sale: Sale) -> None:
        if sale.user >= 0:
            self.named_users[sale.user] = 1
        elif sale.user == STRANGER:
            self.strange_users += 1
        else:
            self.flags["guest"] += 1
        if sale.product >= 0:
            self.named_products[sale.product] = 1
        else:
            self.strange_products += 1


def user_id(position: int) -> str:
    return f"U{position:07d}"


def product_id(position: int) -> str:
    return f"P{position:06d}"


@dataclass(slots=True)
class Till:
    """Draws sales from the world's tables; ids carry a mark of the seed, so that two data sets do not share orders."""

    rng: Random
    world: World
    mark: str
    users: int
    sold: int = 0

    def sell(self, progress: float) -> Sale:
        """The next sale, on the day this far into the period; a few users and products have most of the sales."""
        random = self.rng.random
        world = self.world
        self.sold += 1
        draw = random()
        product = int(len(world.prices) * draw * draw * draw)
        draw = random()
        user = int(self.users * draw * draw)
        currency = CURRENCIES[int(random() * len(CURRENCIES))]
        worth = world.prices[product] * QUANTITIES[int(random() * len(QUANTITIES))]
        hour = HOURS[int(random() * len(HOURS))]
        return Sale(
            transaction_id=f'"T{self.mark}-{self.sold:08d}"',
            user=user,
            user_id=f'"{user_id(user)}"',
            product=product,
            product_id=f'"{product_id(product)}"',
            cents=in_currency(worth * world.units_per_base[currency], currency),
            currency=currency,
            second=int(progress * world.days) * SECONDS_A_DAY + hour * 3600 + int(random() * 3600),
            method=METHODS[int(random() * len(METHODS))],
            status=STATUSES[int(random() * len(STATUSES))],
        )

    def timestamp(self, second: int) -> str:
        return f"{self.world.day_names[second // SECONDS_A_DAY]}T{CLOCK[second % SECONDS_A_DAY]}Z"

    def line(self, sale: Sale) -> bytes:
        """The clean line of a sale: the path that nearly every row takes, so it is one expression."""
        if sale.user_id is None:
            return join(self.fields(sale))
        return (
            f'{{"transaction_id":{sale.transaction_id},"user_id":{sale.user_id},"product_id":{sale.product_id},'
            f'"amount":{amount_text(sale.cents, sale.currency)},"currency":"{sale.currency}",'
            f'"timestamp":"{self.timestamp(sale.second)}","payment_method":"{sale.method}","status":"{sale.status}"}}\n'
        ).encode()

    def fields(self, sale: Sale) -> Fields:
        """The same row field by field, for those who want to spoil one."""
        fields = {
            "transaction_id": sale.transaction_id,
            "user_id": sale.user_id,
            "product_id": sale.product_id,
            "amount": amount_text(sale.cents, sale.currency),
            "currency": f'"{sale.currency}"',
            "timestamp": f'"{self.timestamp(sale.second)}"',
            "payment_method": f'"{sale.method}"',
            "status": f'"{sale.status}"',
        }
        return {name: text for name, text in fields.items() if text is not None}


def in_currency(cents: float, currency: str) -> int:
    """A whole number of the currency's smallest unit, at least one, in hundredths."""
    step = 100 if currency in WITHOUT_CENTS else 1
    return max(1, int(cents / step + 0.5)) * step


def amount_text(cents: int, currency: str) -> str:
    """The decimal text of an amount, without ever being a float."""
    sign, cents = ("-", -cents) if cents < 0 else ("", cents)
    if currency in WITHOUT_CENTS:
        return f"{sign}{cents // 100}"
    return f"{sign}{cents // 100}.{cents % 100:02d}"


def join(fields: Fields) -> bytes:
    """The line of these fields."""
    return ("{" + ",".join(f'"{name}":{text}' for name, text in fields.items()) + "}\n").encode()
