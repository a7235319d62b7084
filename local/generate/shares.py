"""How much of which dirt: shares chosen by the caller, turned into whole numbers for each kind.

A share is a part of the rows received from a source. Kinds that take several rows (a lifecycle takes three) are written
less often for the same share, so shares up to 1 always fit and the number of rows asked for is the number written.
"""

from collections.abc import Iterable, Mapping
from fractions import Fraction

from local.generate.defects import FIELD_DEFECTS, LINE_DEFECTS
from local.generate.orders import ORDER_KINDS, SALE_KINDS
from local.generate.products import PRODUCT_KINDS
from local.generate.users import USER_KINDS

ROWS_PER_KIND: Mapping[str, Mapping[str, int]] = {
    "transactions": {
        **dict.fromkeys(FIELD_DEFECTS, 1),
        **dict.fromkeys(LINE_DEFECTS, 1),
        **dict.fromkeys(SALE_KINDS, 1),
        **{name: kind.rows for name, kind in ORDER_KINDS.items()},
    },
    "users": USER_KINDS,
    "products": PRODUCT_KINDS,
}

DIRT_KINDS: tuple[str, ...] = tuple(f"{source}.{kind}" for source, kinds in ROWS_PER_KIND.items() for kind in kinds)


def spread(dirt: float | Mapping[str, float]) -> dict[str, Fraction]:
    """The share of every kind, by its full name.

    One number is spread evenly over all kinds of each source. A mapping names kinds (`users.malformed_email`) or whole
    sources (`users`), whose share is then spread over the kinds that are not named themselves.
    """
    wanted = dict.fromkeys(ROWS_PER_KIND, dirt) if isinstance(dirt, (int, float)) else dict(dirt)
    unknown = sorted(set(wanted) - set(ROWS_PER_KIND) - set(DIRT_KINDS))
    if unknown:
        raise ValueError(f"unknown kinds of dirt: {', '.join(unknown)}; known are {', '.join(DIRT_KINDS)}")
    exact = {name: Fraction(str(share)) for name, share in wanted.items()}
    shares = {name: share for name, share in exact.items() if name in DIRT_KINDS}
    for source in ROWS_PER_KIND:
        rest = [name for name in _kinds_of(source) if name not in wanted]
        shares.update((name, exact.get(source, Fraction(0)) / len(rest)) for name in rest)
    _check(shares)
    return shares


def quotas(shares: Mapping[str, Fraction], source: str, rows: int, *, without: Iterable[str] = ()) -> dict[str, int]:
    """How often each kind of a source is written among so many rows.

    What a share leaves over after whole numbers carries to the next kind wanted, so the total stays true at any size.
    """
    skipped = set(without)
    left_over = Fraction(0)
    counts: dict[str, int] = {}
    for kind, size in ROWS_PER_KIND[source].items():
        share = shares[f"{source}.{kind}"]
        if kind in skipped or not share:
            continue
        left_over += share * rows
        counts[kind] = int(left_over // size)
        left_over -= counts[kind] * size
    return counts


def _kinds_of(source: str) -> list[str]:
    return [f"{source}.{kind}" for kind in ROWS_PER_KIND[source]]


def _check(shares: Mapping[str, Fraction]) -> None:
    negative = sorted(name for name, share in shares.items() if share < 0)
    if negative:
        raise ValueError(f"dirt shares must not be negative: {', '.join(negative)}")
    for source in ROWS_PER_KIND:
        total = sum(shares[name] for name in _kinds_of(source))
        if total > 1:
            raise ValueError(
                f"dirt shares of {source} add up to {float(total):g}; the most is 1, choose smaller shares"
            )
