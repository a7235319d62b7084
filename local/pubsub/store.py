"""The durable side: one SQLite file, written by one thread that commits for everybody at once.

A publish waits for its commit; an acknowledgement does not, because a lost one only means a redelivery. So the thread
gathers what has queued up into one transaction (many publishes, one fsync), and lets acknowledgements on their own
wait a moment for company.
"""

import asyncio
import logging
import math
import queue
import sqlite3
import threading
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

log = logging.getLogger(__name__)

SCHEMA = """
CREATE TABLE IF NOT EXISTS topic (name TEXT PRIMARY KEY, resource BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS subscription (number INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT UNIQUE NOT NULL,
                                         resource BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS message (number INTEGER PRIMARY KEY AUTOINCREMENT, published REAL NOT NULL,
                                    body BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS delivery (subscription INTEGER NOT NULL, message INTEGER NOT NULL, attempts INTEGER NOT NULL,
                                     PRIMARY KEY (subscription, message)) WITHOUT ROWID;
"""
LAZY_SECONDS = 0.02
BATCH_LIMIT = 5_000


@dataclass(frozen=True, slots=True)
class Statement:
    sql: str
    rows: Sequence[tuple[Any, ...]]


@dataclass(frozen=True, slots=True)
class Write:
    """Statements that commit together; `done` is set when somebody waits for the commit."""

    statements: Sequence[Statement]
    done: "asyncio.Future[None] | None" = None


@dataclass(slots=True)
class Stored:
    """What was in the file when the program started."""

    topics: list[tuple[str, bytes]] = field(default_factory=list)
    subscriptions: list[tuple[int, str, bytes]] = field(default_factory=list)
    deliveries: list[tuple[int, int, int, float, int]] = field(default_factory=list)
    last_message: int = 0
    last_subscription: int = 0


class Store:
    """The file; `write` and `write_soon` belong to the event loop, the connection behind them to the thread."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._queue: queue.SimpleQueue[Write | None] = queue.SimpleQueue()
        self._reader = self._connect()
        self._reader.execute("PRAGMA auto_vacuum = INCREMENTAL")
        self._reader.execute("PRAGMA journal_mode = WAL")
        self._reader.executescript(SCHEMA)
        self._loop = asyncio.get_running_loop()
        self._thread = threading.Thread(target=self._run, name="pubsub-store", daemon=True)

    def open(self) -> Stored:
        """Read what is there, forget messages nobody waits for, and start writing."""
        self._reader.execute("DELETE FROM delivery WHERE subscription NOT IN (SELECT number FROM subscription)")
        self._reader.execute("DELETE FROM message WHERE number NOT IN (SELECT message FROM delivery)")
        self._reader.execute("PRAGMA incremental_vacuum").fetchall()
        last = dict(self._reader.execute("SELECT name, seq FROM sqlite_sequence").fetchall())
        stored = Stored(
            topics=self._reader.execute("SELECT name, resource FROM topic").fetchall(),
            subscriptions=self._reader.execute("SELECT number, name, resource FROM subscription").fetchall(),
            deliveries=self._reader.execute(
                "SELECT d.subscription, d.message, d.attempts, m.published, length(m.body)"
                " FROM delivery d JOIN message m ON m.number = d.message ORDER BY d.message"
            ).fetchall(),
            last_message=last.get("message", 0),
            last_subscription=last.get("subscription", 0),
        )
        self._thread.start()
        return stored

    def close(self) -> None:
        """Commit what is queued and stop."""
        self._queue.put(None)
        self._thread.join()
        self._reader.close()

    async def write(self, *statements: Statement) -> None:
        """Return when the statements are on disk; raises sqlite3.Error when they could not be."""
        done: asyncio.Future[None] = self._loop.create_future()
        self._queue.put(Write(statements, done))
        await done

    def write_soon(self, *statements: Statement) -> None:
        """Queue statements whose loss in a crash costs no more than a redelivery."""
        self._queue.put(Write(statements))

    def body(self, message: int) -> bytes:
        row = self._reader.execute("SELECT body FROM message WHERE number = ?", (message,)).fetchone()
        return bytes(row[0])

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self._path, isolation_level=None, check_same_thread=False)
        connection.execute("PRAGMA busy_timeout = 10000")
        connection.execute("PRAGMA synchronous = FULL")
        return connection

    def _run(self) -> None:
        connection = self._connect()
        running = True
        while running:
            batch, running = self._gather()
            failure = self._commit(connection, batch)
            waiting = [write.done for write in batch if write.done is not None]
            if waiting:
                self._loop.call_soon_threadsafe(_settle, waiting, failure)
        connection.close()

    def _gather(self) -> tuple[list[Write], bool]:
        """Everything queued by now; nothing but lazy writes waits a moment for a publish to share its commit."""
        batch: list[Write] = []
        until, urgent = math.inf, False
        while len(batch) < BATCH_LIMIT:
            try:
                write = self._queue.get(timeout=_patience(until, urgent=urgent))
            except queue.Empty:
                break
            if write is None:
                return batch, False
            until = min(until, time.monotonic() + LAZY_SECONDS)
            urgent = urgent or write.done is not None
            batch.append(write)
        return batch, True

    def _commit(self, connection: sqlite3.Connection, batch: Iterable[Write]) -> sqlite3.Error | None:
        try:
            connection.execute("BEGIN IMMEDIATE")
            for write in batch:
                for statement in write.statements:
                    connection.executemany(statement.sql, statement.rows)
            connection.execute("COMMIT")
        except sqlite3.Error as error:
            log.error("could not write %s: %s; publishes are refused until it can be written", self._path, error)
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            return error
        return None


def _patience(until: float, *, urgent: bool) -> float | None:
    """How long to wait for one more write: for ever for the first, not at all once somebody waits for the commit."""
    if until == math.inf:
        return None
    return 0.0 if urgent else max(until - time.monotonic(), 0.0)


def _settle(waiting: list["asyncio.Future[None]"], failure: sqlite3.Error | None) -> None:
    for done in waiting:
        if done.done():
            continue
        if failure is None:
            done.set_result(None)
        else:
            done.set_exception(failure)
