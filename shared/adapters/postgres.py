"""Postgres by pg8000: one way to connect, one thin session, and every foreign error mapped here.

The session runs in autocommit and opens a transaction only where it is asked to, so a single statement (a message of
a few rows) costs no BEGIN and COMMIT. It belongs to one thread: functions that use it run with concurrency 1.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, BinaryIO, Protocol, cast
from urllib.parse import SplitResult, parse_qs, unquote, urlsplit

import pg8000.dbapi  # type: ignore[import-untyped]
from pg8000.converters import make_params  # type: ignore[import-untyped]
from pg8000.exceptions import DatabaseError, InterfaceError  # type: ignore[import-untyped]

from shared.adapters.ports import Sink
from shared.errors import ConfigError, DependencyUnavailable, LockTimeout

LOCK_STATES = frozenset({"40001", "40P01", "55P03"})  # serialisation failure, deadlock, lock_timeout
GONE_STATES = ("08", "57P", "53300")  # connection, shutdown or crash of the server, too many connections
CONNECT_SECONDS = 10.0
SLACK_SECONDS = 10.0
KEEPALIVE = {"TCP_KEEPIDLE": 30, "TCP_KEEPINTVL": 10, "TCP_KEEPCNT": 3, "TCP_USER_TIMEOUT": 60_000}
"""A peer that vanished without a word is noticed within a minute (TCP_USER_TIMEOUT counts milliseconds)."""
CANCELLED = "57014"  # statement_timeout


class DatabaseSettings(Protocol):
    """The settings that `connect` reads; shared.settings.Settings has them."""

    @property
    def database_url(self) -> str: ...
    @property
    def cloudsql_instance(self) -> str: ...
    @property
    def cloudsql_user(self) -> str: ...
    @property
    def cloudsql_database(self) -> str: ...


@dataclass(frozen=True)
class Timeouts:
    """Limits of a session, in milliseconds; a function that is stuck frees its locks before it is asked again."""

    statement: int = 480_000
    lock: int = 60_000
    idle_in_transaction: int = 60_000

    @property
    def answer_seconds(self) -> float | None:
        """When a server that is silent is gone: it would have ended the statement itself before. None: no limit."""
        return self.statement / 1000 + SLACK_SECONDS if self.statement else None


LIMITS = Timeouts()


@dataclass(frozen=True)
class _Prepared:
    name: bytes
    columns: Any
    readers: Any


@dataclass
class Session:
    """One connection. Rows come back as tuples; errors come back as those of shared.errors where they are known."""

    connection: Any
    staged: set[str] = field(default_factory=set)
    _prepared: dict[str, _Prepared] = field(default_factory=dict)

    def rows(self, sql: str, *params: object) -> list[tuple[Any, ...]]:
        """Run one statement with $1, $2 … and return its rows (none for a statement that gives none)."""
        with mapped_errors():
            core = self.connection
            context = core.execute_unnamed(sql, vals=params) if params else core.execute_simple(sql)
            return [tuple(row) for row in context.rows or ()]

    def row(self, sql: str, *params: object) -> tuple[Any, ...]:
        """The one row of a statement that always gives one."""
        (found,) = self.rows(sql, *params)
        return found

    def prepared_row(self, sql: str, *params: object) -> tuple[Any, ...]:
        """Like `row`, in one round trip: the statement is prepared at its first use in this session."""
        with mapped_errors():
            core = self.connection
            if sql not in self._prepared:
                self._prepared[sql] = _Prepared(*core.prepare_statement(sql, ()))
            known = self._prepared[sql]
            texts = tuple(make_params(core.py_types, params))
            context = core.execute_named(known.name, texts, known.columns, known.readers, sql)
            (found,) = context.rows
            return tuple(found)

    def copy_in(self, sql: str, stream: BinaryIO) -> None:
        """COPY … FROM STDIN from a readable stream."""
        with mapped_errors():
            self.connection.execute_unnamed(sql, stream=stream)

    def copy_out(self, sql: str, stream: Sink) -> int:
        """COPY … TO STDOUT; the number of rows. Each is written by itself, as the server sends it, the header too."""
        with mapped_errors():
            return cast(int, self.connection.execute_unnamed(sql, stream=stream).row_count)

    @contextmanager
    def transaction(self, mode: str = "") -> Iterator[None]:
        """BEGIN (with a mode, such as `ISOLATION LEVEL REPEATABLE READ`), then COMMIT, or ROLLBACK on any error."""
        self.rows(f"BEGIN {mode}")
        try:
            yield
        except BaseException:
            self._roll_back()
            raise
        self.rows("COMMIT")

    def close(self) -> None:
        """End the session; a connection that is gone already is closed too."""
        plain = self.connection._usock
        with suppress(InterfaceError, DatabaseError, OSError):
            self.connection.close()
        _release(plain)

    def _roll_back(self) -> None:
        try:
            self.connection.execute_simple("ROLLBACK")
        except Exception:  # of any kind: an answer that is not the one to this, where a COPY was left half read
            self.close()  # the server rolls back what it has lost the client of


def connect(settings: DatabaseSettings, application_name: str, timeouts: Timeouts | None = None) -> Session:
    """Open a session: by the Cloud SQL connector when an instance is named, else by DATABASE_URL."""
    limits = timeouts or LIMITS
    startup = {
        "TimeZone": "UTC",
        "statement_timeout": str(limits.statement),
        "lock_timeout": str(limits.lock),
        "idle_in_transaction_session_timeout": str(limits.idle_in_transaction),
    }
    with mapped_errors():
        opened = _cloud_sql if settings.cloudsql_instance else _direct
        connection = opened(settings, application_name, startup)
        connection.autocommit = True
        _bound(connection._usock, limits)
        return Session(connection)


def _bound(plain: socket.socket, limits: Timeouts) -> None:
    """A server that hangs, or vanished without a word, must not keep the worker for ever."""
    plain.settimeout(limits.answer_seconds)
    if plain.family != socket.AF_UNIX:
        plain.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        for name, value in KEEPALIVE.items():
            if hasattr(socket, name):  # not every system has all of them
                plain.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)


def _cloud_sql(settings: DatabaseSettings, application_name: str, startup: dict[str, str]) -> pg8000.dbapi.Connection:
    """Cloud SQL with IAM authentication. Imported here: it costs half a second that no other path should pay."""
    from google.cloud.sql.connector import Connector

    # For this one connection, which outlives it: a connector that is kept holds a thread and an HTTP client.
    # No background refresh: a function has no CPU between requests.
    with Connector(refresh_strategy="lazy") as connector:
        return connector.connect(
            settings.cloudsql_instance,
            "pg8000",
            user=settings.cloudsql_user,
            db=settings.cloudsql_database,
            enable_iam_auth=True,
            ip_type="private",  # the instance has no other address
            application_name=application_name,
            startup_params=startup,
        )


def _direct(settings: DatabaseSettings, application_name: str, startup: dict[str, str]) -> pg8000.dbapi.Connection:
    if not settings.database_url:
        raise ConfigError("Neither DATABASE_URL nor CLOUDSQL_INSTANCE is set; there is no database to connect to.")
    url = urlsplit(settings.database_url)
    plain = _socket(url)
    try:
        return pg8000.dbapi.connect(
            user=unquote(url.username or "sluice"),
            password=unquote(url.password) if url.password else None,
            database=url.path.lstrip("/") or "sluice",
            sock=plain,
            application_name=application_name,
            startup_params=startup,
        )
    except BaseException:
        _release(plain)
        raise


def _release(plain: socket.socket | None) -> None:
    """Close a socket that the driver reads by a file: `close` leaves it open while anything refers to that file."""
    if plain is not None and (descriptor := plain.detach()) >= 0:
        with suppress(OSError):
            os.close(descriptor)


def _socket(url: SplitResult) -> socket.socket:
    """A Unix socket where the URL names its folder (?host=/run/postgresql), else TCP without Nagle's algorithm.

    The driver leaves that on when it opens the connection itself; it costs 40 ms a COPY.
    """
    port = url.port or 5432
    if folder := parse_qs(url.query).get("host", [""])[0]:
        plain = socket.socket(socket.AF_UNIX)
        try:
            plain.connect(f"{folder}/.s.PGSQL.{port}")
        except BaseException:
            plain.close()
            raise
        return plain
    plain = socket.create_connection((url.hostname or "127.0.0.1", port), timeout=CONNECT_SECONDS)
    plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return plain


@contextmanager
def mapped_errors() -> Iterator[None]:
    """Turn what pg8000 raises into shared.errors by SQLSTATE; what is not known is raised through."""
    try:
        yield
    except DatabaseError as exc:
        state, message = error_facts(exc)
        if state in LOCK_STATES or state == CANCELLED:
            raise LockTimeout(f"Postgres gave up waiting ({state}): {message}") from exc
        if state.startswith(GONE_STATES):
            raise DependencyUnavailable(f"Postgres is not available ({state}): {message}") from exc
        raise
    except (InterfaceError, OSError) as exc:
        raise DependencyUnavailable(f"The connection to Postgres failed: {type(exc).__name__}") from exc


def error_facts(exc: Exception) -> tuple[str, str]:
    """SQLSTATE and primary message of a database error; never its detail, which may quote a row."""
    facts: Sequence[Any] = exc.args
    if facts and isinstance(facts[0], dict):
        return str(facts[0].get("C", "")), str(facts[0].get("M", ""))
    return "", type(exc).__name__
