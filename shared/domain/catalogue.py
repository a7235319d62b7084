"""Whether the pages of one extraction fit together: finds a page cut short and a catalogue that moved."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b

import msgspec

from shared.errors import CatalogueMoved


class _Named(msgspec.Struct):
    product_id: msgspec.Raw = msgspec.Raw()


_DECODER = msgspec.json.Decoder(_Named)


def check_page(number: int, items: int, told: tuple[int, int], first: tuple[int | None, int | None]) -> None:
    """Refuse a page that tells other numbers of pages and products than the first one, or none of those it told."""
    pages, total = told
    if first[0] is not None and told != first:
        raise CatalogueMoved(
            f"page {number} tells {total} products on {pages} pages, page 1 told {first[1]} on {first[0]}"
        )
    if pages > max(total, 1):
        raise CatalogueMoved(f"page {number} tells {pages} pages for {total} products")
    if items == 0 and total:
        raise CatalogueMoved(f"page {number} of {pages} is empty")
    if items and not total:
        raise CatalogueMoved(f"page {number} has products, but the total it tells is 0")


class Tally:
    """Adds up the pages of a round in their order."""

    def __init__(self) -> None:
        self.received = 0
        self._seen: set[bytes] = set()
        self._repeated = 0
        self._digest = blake2b(digest_size=16)

    def add(self, lines: Sequence[bytes]) -> None:
        """One page, an item a line. An item without an id counts, and is told from no other."""
        self.received += len(lines)
        ids = {found for line in lines if (found := _id_of(line))}
        self._repeated += len(ids & self._seen)
        self._seen |= ids
        for line in lines:
            self._digest.update(line + b"\n")

    def check(self, total: int, earlier: str | None) -> None:
        """Raise CatalogueMoved unless all products that were told came, each on one page.

        A product on two pages means that the catalogue moved in between, and then another one may have been missed. But
        where the round before (`earlier` is its digest) brought the very same, the catalogue itself names it twice.
        """
        if self.received != total:
            raise CatalogueMoved(f"the product API told {total} products but sent {self.received}")
        digest = self._digest.hexdigest()
        if self._repeated and digest != earlier:
            raise CatalogueMoved(f"{self._repeated} products came on two pages: the catalogue moved", digest)


def _id_of(line: bytes) -> bytes:
    try:
        return bytes(_DECODER.decode(line).product_id)
    except (msgspec.DecodeError, ValueError):
        return b""
