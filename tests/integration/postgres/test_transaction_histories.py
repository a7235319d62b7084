"""Random histories: duplicates, conflicts, late and moved rows, repeats, in any order and any cut into chunks."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import Any

import pytest

from shared.adapters.loading import LoadCounts, load_chunk
from shared.adapters.postgres import Session
from tests.integration.postgres.model import Model, final_columns
from tests.integration.postgres.rows import RANKS, Txn, facts, load, transactions
from tests.long import size

HISTORIES = size(60, 240)
READ = """
    SELECT t.transaction_id, u.user_id, p.product_id, t.amount::text, t.currency, t.payment_method, t.status,
           t.occurred_at, t.last_event_at
    FROM commerce.transactions t
    JOIN commerce.products p USING (product_key)
    LEFT JOIN commerce.users u USING (user_key)
    WHERE starts_with(t.transaction_id, $1)
"""


def table(session: Session, prefix: str) -> dict[str, tuple[Any, ...]]:
    return {row[0]: row[1:] for row in session.rows(READ, prefix)}


def outcomes(counts: LoadCounts) -> Counter[str]:
    named = asdict(counts)
    return Counter({name: named[name] for name in named if name != "received" and named[name]})


def history(rng: random.Random, prefix: str) -> list[Txn]:
    """A few ids and many rows of them: few distinct values, so that repeats and ties are common."""
    rows = [
        Txn(
            id=f"{prefix}{rng.randrange(4)}",
            hours=rng.choice([0, 1, 1, 5, 23, 30, 60]),
            status=rng.choice(sorted(RANKS)),
            amount=rng.choice(["10.0000", "12.5000"]),
            user=rng.choice([None, "U1", "U2"]),
            product=rng.choice(["P1", "P2"]),
        )
        for _ in range(rng.randrange(1, 14))
    ]
    return rows + [replace(row, hours=row.hours + rng.choice([0, 0, 2])) for row in rng.choices(rows, k=len(rows) // 2)]


def cut(rng: random.Random, rows: Sequence[Txn]) -> list[list[Txn]]:
    ends = sorted(rng.sample(range(1, len(rows)), k=min(len(rows) - 1, rng.randrange(4)))) if len(rows) > 1 else []
    return [list(rows[a:b]) for a, b in zip([0, *ends], [*ends, len(rows)], strict=True)]


@pytest.mark.parametrize("block", range(4))
def test_counts_and_table_equal_a_plain_model(session: Session, block: int) -> None:
    for seed in range(block * HISTORIES // 4, (block + 1) * HISTORIES // 4):
        rng, model = random.Random(seed), Model()  # noqa: S311 (histories, not secrets)
        prefix = f"H{seed}-"
        for number, rows in enumerate(cut(rng, history(rng, prefix))):
            counts = load(session, *rows)
            assert outcomes(counts) == model.load(number, rows), f"seed {seed}, chunk {number}"
            assert counts.received == len(rows) == outcomes(counts).total()
        assert table(session, prefix) == model.business_columns(), f"seed {seed}"


@pytest.mark.parametrize("block", range(4))
def test_business_columns_do_not_depend_on_order_cut_or_repeats(session: Session, block: int) -> None:
    for seed in range(block * HISTORIES // 4, (block + 1) * HISTORIES // 4):
        rng = random.Random(seed)  # noqa: S311 (histories, not secrets)
        rows = history(rng, "x-")
        for delivery in range(2):
            prefix = f"{seed}-{delivery}-"
            mine = [replace(row, id=row.id.replace("x-", prefix)) for row in rows]
            expected = final_columns(mine)
            rng.shuffle(mine)
            for part in cut(rng, mine):
                load(session, *part)
                if rng.random() < 0.3:
                    load(session, *part)
            found = table(session, prefix)
            assert {id_: found[id_] for id_ in expected} == expected, f"seed {seed}, delivery {delivery}"


def test_a_repeated_chunk_answers_with_its_first_counts(session: Session) -> None:
    chunk = facts("transactions", 2)
    data = transactions([Txn("A"), Txn("B")])
    first = load_chunk(session, chunk, data)
    load(session, Txn("A", hours=3, amount="11.0000"))
    assert first[0]
    assert load_chunk(session, chunk, data) == (False, first[1])
