"""Users, products and rates: what stands, their history, and that late arrivals leave the same history."""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable
from datetime import datetime
from typing import Any

from shared.adapters.postgres import Session
from tests.integration.postgres.rows import (
    START,
    Product,
    Rate,
    Txn,
    User,
    at,
    load,
    load_products,
    load_rates,
    load_users,
)

VERSIONS = """
    SELECT v.country,
           CASE WHEN v.valid_from > '-infinity' THEN v.valid_from END,
           CASE WHEN v.valid_to < 'infinity' THEN v.valid_to END
    FROM commerce.user_version v JOIN commerce.users u USING (user_key) WHERE u.user_id = $1 ORDER BY v.valid_from
"""


def expected_history(seen: dict[float, str]) -> list[tuple[str, datetime | None, datetime | None]]:
    """Equal neighbours are one version; the first holds from ever, the last for ever."""
    starts = [(h, seen[h]) for h in sorted(seen)]
    kept = [item for n, item in enumerate(starts) if n == 0 or starts[n - 1][1] != item[1]]
    ends = [*[at(h) for h, _ in kept[1:]], None]
    return [(c, at(h) if n else None, ends[n]) for n, (h, c) in enumerate(kept)]


def test_the_first_file_fills_an_inferred_user_and_counts_it_as_inserted(session: Session) -> None:
    load(session, Txn(user="U1"))
    assert load_users(session, 1, User(country="FR")).inserted == 1
    assert session.row("SELECT inferred, country, version FROM commerce.users") == (False, "FR", 1)
    assert session.rows(VERSIONS, "U1") == [("FR", None, None)]
    assert session.row("SELECT email FROM identity.contact") == ("someone@example.org",)


def test_the_user_table_decides_as_the_transaction_table_does(session: Session) -> None:
    load_users(session, 5, User())
    assert load_users(session, 5, User()).unchanged == 1
    assert load_users(session, 6, User()).unchanged == 1
    assert load_users(session, 4, User(country="FR")).superseded == 1
    assert load_users(session, 6, User(country="FR")).quarantined == 1
    assert load_users(session, 7, User(country="IT"), User(country="IT"), User(country="ES")).quarantined == 1
    assert session.row("SELECT count(*) FROM pipeline.quarantined_row WHERE row_id IS NOT NULL") == (0,)
    assert [row[0] for row in session.rows(VERSIONS, "U1")] == ["FR", "GB", "IT"]


def test_known_users_burn_no_keys(session: Session) -> None:
    load_users(session, 1, *[User(id=f"U{n}") for n in range(20)])
    load_users(session, 2, *[User(id=f"U{n}", country="FR") for n in range(20)])
    load_users(session, 3, User(id="new"))
    assert session.row("SELECT max(user_key) FROM commerce.users") == (21,)


def test_user_history_is_the_same_in_every_order_of_arrival(session: Session) -> None:
    seen = {1.0: "GB", 4.0: "FR", 5.0: "GB", 9.0: "GB"}
    for number, order in enumerate(itertools.permutations(seen)):
        for hours in order:
            load_users(session, hours, User(id=f"U{number}", country=seen[hours]))
        assert session.rows(VERSIONS, f"U{number}") == expected_history(seen), order
    assert session.rows("SELECT DISTINCT country FROM commerce.users") == [("GB",)]


def test_random_user_histories_equal_a_plain_model(session: Session) -> None:
    for seed in range(40):
        rng = random.Random(seed)  # noqa: S311 (histories, not secrets)
        seen = {float(h): rng.choice(["GB", "FR", "IT"]) for h in rng.sample(range(20), rng.randrange(1, 8))}
        for hours in rng.sample(sorted(seen), len(seen)):
            load_users(session, hours, User(id=f"S{seed}", country=seen[hours]))
        assert session.rows(VERSIONS, f"S{seed}") == expected_history(seen), f"seed {seed}"


def test_a_version_that_shrinks_keeps_its_change_seq(session: Session) -> None:
    load_users(session, 1, User(country="GB"))
    before = session.row("SELECT change_seq FROM commerce.user_version")
    load_users(session, 5, User(country="FR"))
    assert session.row("SELECT change_seq FROM commerce.user_version WHERE country = 'GB'") == before


def test_an_unchanged_list_writes_no_audit_and_no_feed(session: Session) -> None:
    load_users(session, 1, User())
    before = session.row("SELECT change_seq, version FROM commerce.users")
    load_users(session, 2, User())
    assert session.row("SELECT change_seq, version FROM commerce.users") == before
    assert session.row("SELECT count(*) FROM audit.change") == (0,)
    assert session.row("SELECT count(*) FROM commerce.user_version WHERE valid_to < 'infinity'") == (0,)


def prices(session: Session) -> list[tuple[Any, ...]]:
    return session.rows("SELECT price::text, recency FROM commerce.product_version ORDER BY recency")


def levels(session: Session) -> list[tuple[Any, ...]]:
    return session.rows("SELECT observed_at, quantity FROM commerce.inventory_level ORDER BY observed_at")


def test_product_prices_keep_their_history_whatever_the_order_within_and_between_chunks(session: Session) -> None:
    counts = load_products(session, Product(hours=8, price="7.00"), Product(hours=2), Product(hours=5))
    assert (counts.inserted, counts.superseded) == (1, 2)
    load_products(session, Product(hours=6, price="6.00"))
    assert prices(session) == [("5.00", at(2)), ("6.00", at(6)), ("7.00", at(8))]
    assert session.row("SELECT price::text FROM commerce.products") == ("7.00",)


def test_every_level_of_stock_is_kept_whatever_the_order(open_session: Callable[[], Session]) -> None:
    told = [(1, 7), (2, 4), (3, 7), (4, 7)]
    session = open_session()
    for order in itertools.permutations(told, len(told)):
        session.rows("TRUNCATE commerce.products CASCADE")
        for hours, stock in order:
            load_products(session, Product(hours=hours, stock=stock))
        assert levels(session) == [(at(hours), stock) for hours, stock in told], order


def test_rates_of_exchange_are_upserted_by_recency(session: Session) -> None:
    day = START.date()
    assert load_rates(session, 1, Rate(day, "0.85000000"), Rate(day, "1.20000000", "USD")).inserted == 2
    assert load_rates(session, 2, Rate(day, "0.85000000")).unchanged == 1
    assert load_rates(session, 1, Rate(day, "0.80000000")).superseded == 1
    assert load_rates(session, 2, Rate(day, "0.81000000")).quarantined == 1
    assert load_rates(session, 3, Rate(day, "0.90000000")).updated == 1
    assert session.row("SELECT rate::text FROM commerce.fx_rates WHERE currency = 'EUR'") == ("0.90000000",)
