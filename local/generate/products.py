"""The product catalogue, as the product API serves it: one JSON object a product."""

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from random import Random
from typing import Any

from local.generate.sales import product_id
from local.generate.schedule import Schedule
from local.generate.truth import SourceTruth

LOOKS = ("Red", "Blue", "Ivory", "Vintage", "Small", "Large", "Wooden", "Enamel", "Woven", "Glass", "Paper", "Retro")
THINGS = {
    "kitchen": ("Mug", "Teapot", "Cake Tin", "Jam Jar", "Apron"),
    "home": ("Lantern", "Cushion", "Clock", "Photo Frame", "Door Mat"),
    "toys": ("Spinning Top", "Puzzle", "Doll", "Building Blocks"),
    "stationery": ("Notebook", "Gift Wrap", "Greeting Card", "Pencil Set"),
    "garden": ("Planter", "Watering Can", "Bird Feeder"),
    "bags": ("Lunch Bag", "Shopper", "Wash Bag"),
}

Product = dict[str, Any]

CLEANED: Mapping[str, Callable[[Product, Random], None]] = {
    "extra_field": lambda product, rng: product.update(
        colour=rng.choice(LOOKS).lower(), weight_grams=rng.randint(20, 900)
    ),
}

QUARANTINED: Mapping[str, tuple[str, Callable[[Product, Random], None]]] = {
    "missing_product_id": ("missing_field", lambda product, _: product.__delitem__("product_id")),
    "negative_price": ("invalid_value", lambda product, _: product.update(price=f"-{product['price']}")),
    "unparsable_inventory": (
        "invalid_value",
        lambda product, rng: product.update(inventory_count=rng.choice(("plenty", "1O", [3]))),
    ),
}

PRODUCT_KINDS: Mapping[str, int] = {**dict.fromkeys(CLEANED, 1), **dict.fromkeys(QUARANTINED, 1), "duplicate": 2}


@dataclass(slots=True)
class ProductList:
    """Writes the products and keeps their account; `loaded` marks the positions that will stand."""

    rng: Random
    schedule: Schedule
    start: date
    rows: int
    prices: Sequence[int]
    counts: SourceTruth
    dirt: Counter[str]
    loaded: bytearray

    def lines(self) -> Iterator[str]:
        """One line a row."""
        position = 0
        while self.counts.received < self.rows:
            kind = self.schedule.draw(self.rows - self.counts.received)
            yield from self._lines_of(position, kind)
            position += 1

    def _lines_of(self, position: int, kind: str | None) -> Iterator[str]:
        product = self._product(position)
        if kind is not None:
            self.dirt[f"products.{kind}"] += 1
            if kind in QUARANTINED:
                reason, edit = QUARANTINED[kind]
                edit(product, self.rng)
                self.counts.quarantine(reason)
                yield _line(product)
                return
            if kind in CLEANED:
                CLEANED[kind](product, self.rng)
        self.counts.insert()
        self.loaded[position] = 1
        yield _line(product)
        if kind == "duplicate":
            self.counts.repeat()
            yield _line(product)

    def _product(self, position: int) -> Product:
        rng = self.rng
        category = rng.choice(tuple(THINGS))
        cents = self.prices[position]
        midnight = datetime.combine(self.start, time(), UTC)
        updated = midnight - timedelta(seconds=1 + int(rng.random() * 30 * 86_400))
        return {
            "product_id": product_id(position),
            "name": f"{rng.choice(LOOKS)} {rng.choice(THINGS[category])}",
            "category": category,
            "price": f"{cents // 100}.{cents % 100:02d}",
            "inventory_count": int(rng.expovariate(1 / 120)),
            "supplier_id": f"S{rng.randrange(40):03d}",
            "updated_at": updated.strftime("%Y-%m-%dT%H:%M:%SZ"),
        }


def _line(product: Product) -> str:
    return json.dumps(product, separators=(",", ":")) + "\n"
