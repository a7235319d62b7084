"""Many writers on the same ids, and connections that die in the middle."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable
from functools import partial

import pytest

from shared.adapters.loading import LoadCounts, load_chunk
from shared.adapters.postgres import Session, Timeouts, connect
from shared.adapters.queries import query
from shared.errors import DependencyUnavailable, LockTimeout
from tests.integration.postgres.model import columns, final_columns
from tests.integration.postgres.rows import RANKS, Txn, User, at, facts, load, load_users, transactions
from tests.integration.postgres.target import Target

WRITERS = 8


def in_threads(jobs: list[Callable[[], None]]) -> list[BaseException]:
    errors: list[BaseException] = []

    def guarded(job: Callable[[], None]) -> None:
        try:
            job()
        except BaseException as exc:
            errors.append(exc)

    threads = [threading.Thread(target=guarded, args=(job,)) for job in jobs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return errors


def load_all(session: Session, chunks: list[list[Txn]], counts: list[LoadCounts]) -> None:
    counts.extend(load(session, *chunk) for chunk in chunks)


def load_users_often(session: Session, first_hours: float, rows: list[User]) -> None:
    for n in range(4):
        load_users(session, first_hours + n, *rows)


def test_eight_writers_on_overlapping_ids_do_not_deadlock(open_session: Callable[[], Session]) -> None:
    everything: list[Txn] = []
    jobs: list[Callable[[], None]] = []
    counts: list[LoadCounts] = []
    for writer in range(WRITERS):
        rng = random.Random(writer)  # noqa: S311 (rows, not secrets)
        chunks = [
            [
                Txn(
                    f"T{rng.randrange(80)}",
                    hours=rng.randrange(1_000_000) / 100,
                    status=rng.choice(sorted(RANKS)),
                    user=f"U{rng.randrange(30)}",
                    product=f"P{rng.randrange(30)}",
                )
                for _ in range(120)
            ]
            for _ in range(6)
        ]
        everything += [row for chunk in chunks for row in chunk]

        jobs.append(partial(load_all, open_session(), chunks, counts))
    assert in_threads(jobs) == []
    session = open_session()
    found = session.rows(
        "SELECT transaction_id, user_id, product_id, amount::text, currency, payment_method, status, occurred_at, "
        "last_event_at FROM commerce.transactions JOIN commerce.users USING (user_key) "
        "JOIN commerce.products USING (product_key)"
    )
    expected = final_columns(everything)
    assert {row[0]: row[1:] for row in found if row[0] in expected} == expected
    assert sum(count.received for count in counts) == len(everything)
    assert sum(count.inserted for count in counts) == len(found)


def test_the_same_chunk_delivered_eight_times_at_once_is_loaded_once(open_session: Callable[[], Session]) -> None:
    chunk, data = facts("transactions", 50), transactions([Txn(f"T{n}") for n in range(50)])
    results: list[tuple[bool, LoadCounts]] = []

    def job(session: Session) -> Callable[[], None]:
        return lambda: results.append(load_chunk(session, chunk, data))

    assert in_threads([job(open_session()) for _ in range(WRITERS)]) == []
    assert [now for now, _ in results].count(True) == 1
    assert {counts.inserted for _, counts in results} == {50}


def test_writers_of_users_and_transactions_do_not_deadlock(open_session: Callable[[], Session]) -> None:
    jobs: list[Callable[[], None]] = []
    for n in range(4):
        chunks = [[Txn(f"T{n}-{part}-{m}", user=f"U{m % 40}") for m in range(100)] for part in range(4)]
        jobs.append(partial(load_all, open_session(), chunks, []))
        users = [User(f"U{m}", country=["GB", "FR"][n % 2]) for m in range(40)]
        jobs.append(partial(load_users_often, open_session(), n * 10, users))
    assert in_threads(jobs) == []
    assert open_session().row("SELECT count(*) FROM commerce.users WHERE NOT inferred") == (40,)


def test_a_connection_lost_between_claim_and_commit_leaves_nothing_and_the_retry_loads(
    open_session: Callable[[], Session],
) -> None:
    chunk, data = facts("transactions", 1), transactions([Txn(hours=2)])
    lost, admin = open_session(), open_session()
    claim = query("claim_chunk")
    lost.rows("BEGIN")
    lost.rows(claim.sql, *claim.values({name: getattr(chunk, name) for name in claim.names}))
    admin.rows("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE state = 'idle in transaction'")
    with pytest.raises(DependencyUnavailable):
        lost.rows("COMMIT")
    assert admin.row("SELECT count(*) FROM pipeline.chunk") == (0,)
    retry = open_session()
    assert load_chunk(retry, chunk, data)[1].inserted == 1
    row = Txn(hours=2)
    assert columns(row, at(2), at(2)) == final_columns([row])["T1"]


def test_waiting_for_a_lock_ends_as_a_transient_error(session: Session, target: Target) -> None:
    load(session, Txn())
    impatient = connect(target, "tests", Timeouts(lock=100))
    with session.transaction():
        session.rows("UPDATE commerce.transactions SET flags = 1")
        with pytest.raises(LockTimeout, match="55P03"):
            load(impatient, Txn(hours=5, amount="11.0000"))
    assert load(impatient, Txn(hours=5, amount="11.0000")).updated == 1
    impatient.close()
