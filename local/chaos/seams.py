"""Puts a kill point before and after each durable step, at the seams, so that production code knows nothing of it.

The seams are the classes by which every function writes: objects, messages, statements, warehouse jobs. A point is
named `<function>.<step>.before` or `.after`; the function is the one that the boundary has bound to the log. Steps are
named from what they do (a topic, a query file, the words of an object's name), so a new function brings its own points.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, BinaryIO

import structlog

from local.chaos.points import Points
from shared.adapters.postgres import Session
from shared.adapters.pubsub import CloudPublisher
from shared.adapters.queries import FOLDER, query
from shared.adapters.storage import CloudStorage
from shared.adapters.warehouse import BigQueryWarehouse
from shared.domain.sources import SOURCES

READING = ("any", "count", "find", "follow", "last", "list", "read", "show", "sum", "total", "verify")
LOCKING = ("await", "lock", "unlock")
VARYING = frozenset({*SOURCES, "full", "changes"})
"""Words in names that depend on the data; the step is the same."""
ALONG = "raise_alert"
"""What is written along with something else: the commit has the name of the other."""
_WORD = re.compile(r"[a-z_]{2,}")
_DIGEST = re.compile(r"[0-9a-f]{8,}")


def words(name: str) -> str:
    """What stays of an object's or a job's name without ids, numbers, digests and the source."""
    parts = (part for part in re.split(r"[/.\-]", name) if not _DIGEST.fullmatch(part))
    return "_".join(part for part in parts if _WORD.fullmatch(part) and part not in VARYING)


def is_write(query_name: str) -> bool:
    """Whether a query changes what stays: its verb says so."""
    return query_name.partition("_")[0] not in (*READING, *LOCKING)


def replace(owner: type, **methods: Callable[..., Any]) -> None:
    """Put other methods into a class."""
    for name, method in methods.items():
        setattr(owner, name, method)


class Seams:
    """The wrapped methods; `install` puts them in place for the rest of the process."""

    def __init__(self, points: Points) -> None:
        self._points = points
        self._names = {query(path.stem).sql: path.stem for path in sorted(FOLDER.glob("*.sql"))}
        self._open: dict[int, list[str]] = {}
        """For each session within a transaction, the writing queries it ran."""

    def install(self) -> None:
        """Wrap the seams, once."""
        self._wrap_storage()
        self._wrap_publisher()
        self._wrap_warehouse()
        self._wrap_postgres()

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """A durable step of the function that runs now."""
        self._reach(f"{name}.before")
        yield
        self._reach(f"{name}.after")

    def _reach(self, place: str) -> None:
        function = structlog.contextvars.get_contextvars().get("function")
        if function:  # else nobody has been invoked
            self._points.reach(f"{function}.{place}")

    def _wrap_storage(self) -> None:
        write_once, open_once, delete = CloudStorage.write_once, CloudStorage.open_once, CloudStorage.delete

        def write(
            store: CloudStorage, bucket: str, name: str, data: bytes, *, metadata: Mapping[str, str] | None = None
        ) -> bool:
            with self.step(f"write_{words(name)}"):
                return write_once(store, bucket, name, data, metadata=metadata)

        @contextmanager
        def opened(store: CloudStorage, bucket: str, name: str) -> Iterator[BinaryIO]:
            step = f"write_{words(name)}"
            with open_once(store, bucket, name) as out:
                yield out
                self._reach(f"{step}.before")  # it is there once it is closed
            self._reach(f"{step}.after")

        def remove(store: CloudStorage, bucket: str, name: str) -> None:
            with self.step(f"delete_{words(name)}"):
                delete(store, bucket, name)

        replace(CloudStorage, write_once=write, open_once=opened, delete=remove)

    def _wrap_publisher(self) -> None:
        publish = CloudPublisher.publish

        def send(publisher: CloudPublisher, topic: str, messages: Sequence[Any]) -> None:
            with self.step(f"publish_{topic}"):
                publish(publisher, topic, messages)

        replace(CloudPublisher, publish=send)

    def _wrap_warehouse(self) -> None:
        load_csv, run = BigQueryWarehouse.load_csv, BigQueryWarehouse.run

        def load(
            warehouse: BigQueryWarehouse, table: str, uris: list[str], schema: Sequence[Mapping[str, Any]], job_id: str,
            **more: Any,
        ) -> int:  # fmt: skip
            with self.step(f"job_{_job(job_id)}"):
                return load_csv(warehouse, table, uris, schema, job_id, **more)

        def job(
            warehouse: BigQueryWarehouse, sql: str, params: Mapping[str, Any], job_id: str | None = None, **more: Any
        ) -> list[Mapping[str, Any]]:
            if job_id is None:
                return run(warehouse, sql, params, **more)
            with self.step(f"job_{_job(job_id)}"):
                return run(warehouse, sql, params, job_id, **more)

        replace(BigQueryWarehouse, load_csv=load, run=job)

    def _wrap_postgres(self) -> None:
        rows, prepared, roll_back = Session.rows, Session.prepared_row, Session._roll_back

        def rolled_back(session: Session) -> None:
            self._open.pop(id(session), None)
            roll_back(session)

        replace(Session, rows=self._statement(rows), prepared_row=self._statement(prepared), _roll_back=rolled_back)

    def _statement(self, run: Callable[..., Any]) -> Callable[..., Any]:
        def statement(session: Session, sql: str, *params: object) -> Any:
            with self._durable(session, sql):
                return run(session, sql, *params)

        return statement

    @contextmanager
    def _durable(self, session: Session, sql: str) -> Iterator[None]:
        """A write outside of a transaction is durable by itself; within one, the COMMIT is."""
        name, key = self._names.get(sql, ""), id(session)
        if sql.startswith("BEGIN"):
            self._open[key] = []
        if sql == "COMMIT":
            with self.step(f"commit_{(self._open.pop(key, None) or [ALONG])[-1]}"):
                yield
        elif not name or not is_write(name):
            yield
        elif key in self._open:
            if name != ALONG:
                self._open[key].append(name)
            yield
        else:
            with self.step(name):
                yield


def _job(job_id: str) -> str:
    """A job's name with its table, without its number."""
    return "_".join(part for part in re.split(r"[/.\-]", job_id) if _WORD.fullmatch(part))
