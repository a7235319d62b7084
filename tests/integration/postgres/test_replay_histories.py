"""Random histories of loads, replays, discards, holds and decisions, in any order and each delivered more than once."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import pytest

from shared.adapters.loading import ChunkFacts, hold_chunk, load_chunk, replay_rows
from shared.adapters.postgres import Session
from shared.adapters.queries import query, rows_of
from tests.integration.postgres.rows import RANKS, Txn, bad_rows, facts
from tests.integration.postgres.test_replay import at_lines
from tests.long import size

STEPS = 70
ACCOUNT = """
    SELECT count(*) FROM pipeline.chunk
    WHERE received <> inserted + updated + unchanged + superseded + quarantined + held
       OR quarantined <> (SELECT count(*) FROM pipeline.quarantined_row q WHERE q.chunk_key = chunk.chunk_key)
"""
CONTENT = "SELECT transaction_id, amount, status, last_event_at, version FROM commerce.transactions ORDER BY 1"
OPEN = """
    SELECT c.chunk_id, q.attempt, array_agg(q.line ORDER BY q.line)
    FROM pipeline.quarantined_row q JOIN pipeline.chunk c USING (chunk_key)
    GROUP BY 1, 2 ORDER BY 1, 2
"""


@dataclass
class Walk:
    """One history; `sent` are the deliveries so far, to be repeated at random."""

    session: Session
    rng: random.Random
    chunks: dict[str, ChunkFacts] = field(default_factory=dict)
    sent: list[Callable[[], object]] = field(default_factory=list)

    def row(self) -> Txn:
        rng = self.rng
        return Txn(
            id=f"T{rng.randrange(size(4, 24))}", hours=rng.choice([0, 1, 1, 5, 30]), status=rng.choice(sorted(RANKS)),
            amount=rng.choice(["10.0000", "12.5000"]),
        )  # fmt: skip

    def deliver(self, delivery: Callable[[], object]) -> None:
        self.sent.append(delivery)
        delivery()

    def load(self) -> None:
        lines = range(1, self.rng.randrange(2, 9))
        bad = [line for line in lines if self.rng.random() < 0.4]
        good = at_lines([(line, self.row()) for line in lines if line not in bad])
        chunk = facts("transactions", len(lines))
        self.chunks[chunk.chunk_id] = chunk
        self.deliver(lambda: load_chunk(self.session, chunk, good, bad_rows(bad)))

    def hold(self) -> None:
        chunk = facts("transactions", 4)
        self.chunks[chunk.chunk_id] = chunk
        self.deliver(lambda: hold_chunk(self.session, chunk, 1, {}))
        rows = at_lines([(line, self.row()) for line in (1, 2)])
        released, rejected = (replace(chunk, decision=d) for d in ("released", "rejected"))
        self.sent.append(lambda: load_chunk(self.session, released, rows, bad_rows([3, 4])))
        self.sent.append(lambda: load_chunk(self.session, rejected, at_lines([]), bad_rows([1, 2, 3, 4])))

    def decide(self) -> None:
        held = self.session.rows("SELECT chunk_id FROM pipeline.chunk WHERE state = 'held'")
        if held:
            chunk, decision = self.rng.choice(held)[0], self.rng.choice(["released", "rejected"])
            rows_of(self.session, "decide_chunk", chunk_id=chunk, decision=decision, operator="tests")

    def replay(self) -> None:
        groups = self.session.rows(OPEN)
        if not groups:
            return
        chunk_id, attempt, lines = self.rng.choice(groups)
        some = self.rng.sample(lines, k=self.rng.randrange(1, len(lines) + 1))
        bad = [line for line in some if self.rng.random() < 0.3]
        good = at_lines([(line, self.row()) for line in some if line not in bad])
        chunk = self.chunks[chunk_id]
        self.deliver(lambda: replay_rows(self.session, chunk, good, bad_rows(bad), attempt, 0))

    def discard(self) -> None:
        chunk, line = self.rng.choice(sorted(self.chunks)), self.rng.randrange(1, 6)
        none = {"source": None, "reason": None, "file": None, "day": None}
        rows_of(self.session, "discard_rows", **none, chunk_id=chunk, line=line, operator="tests", why="why")

    def repeat(self) -> None:
        self.rng.choice(self.sent)()


@pytest.mark.parametrize("seed", range(6))
def test_the_equation_holds_after_every_step(session: Session, seed: int) -> None:
    walk = Walk(session, random.Random(seed))  # noqa: S311 (histories, not secrets)
    walk.load()
    for step in range(STEPS):
        action = walk.rng.choice(
            ["load", "hold", "decide", "replay", "replay", "replay", "discard", "repeat", "repeat"]
        )
        getattr(walk, action)()
        where = f"seed {seed}, step {step}, {action}"
        assert session.row(ACCOUNT) == (0,), where
        assert session.row("SELECT count(*) FROM pipeline.quarantined_row WHERE line < 1") == (0,), where
        assert all(row[3] for row in session.rows(query("verify_tables").sql)), where
    for delivery in walk.sent:
        delivery()
    settled, account = session.rows(CONTENT), session.rows(OPEN)
    for delivery in walk.rng.sample(walk.sent, k=len(walk.sent)):
        delivery()
    assert (session.rows(CONTENT), session.rows(OPEN)) == (settled, account), "everything once more changes nothing"
