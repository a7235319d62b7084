"""The one DuckDB file and the ways in: many readers, one writer.

A write lock held for a whole transaction makes DuckDB's optimistic conflicts impossible; slots bound how many
queries share the memory limit at once, as BigQuery's own queue does.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

from local.warehouse.sql import SESSION_SETUP

Cursor = duckdb.DuckDBPyConnection

FILE = (
    "_bigquery.duckdb"  # DuckDB names the database after its file; a dataset called `warehouse` must not clash with it
)
GROUPS_BITS = 17
"""Keys within so many bits are grouped by place, not by hash; that takes a megabyte for each 8 bytes a group keeps."""
TABLES = """
CREATE SCHEMA IF NOT EXISTS _bq;
CREATE TABLE IF NOT EXISTS _bq.dataset (project VARCHAR, name VARCHAR, body VARCHAR);
CREATE TABLE IF NOT EXISTS _bq.relation (
  project VARCHAR, dataset VARCHAR, name VARCHAR, version BIGINT, body VARCHAR
);
CREATE TABLE IF NOT EXISTS _bq.job (project VARCHAR, job_id VARCHAR, created TIMESTAMPTZ, body VARCHAR);
"""


class Engine:
    """Owns the connection; hands out cursors, the write lock and query slots."""

    def __init__(self, home: Path, *, memory: str, threads: int, slots: int) -> None:
        home.mkdir(parents=True, exist_ok=True)
        self._spill = home / "spill"
        self._root = duckdb.connect(
            str(home / FILE),
            config={
                "memory_limit": memory,
                "threads": threads,
                "temp_directory": str(self._spill),
                "allow_persistent_secrets": False,
                "autoinstall_known_extensions": False,
                "autoload_known_extensions": False,
                "default_null_order": "nulls_first_on_asc_last_on_desc",
                "perfect_ht_threshold": GROUPS_BITS,
            },
        )
        for setting in SESSION_SETUP:
            self._root.execute(setting.replace("SET ", "SET GLOBAL ", 1))
        self._root.execute(TABLES)
        self._writing = threading.RLock()
        self._slots = threading.BoundedSemaphore(slots)

    @contextmanager
    def reading(self) -> Iterator[Cursor]:
        """A cursor of its own, outside any transaction."""
        cursor = self._root.cursor()
        try:
            yield cursor
        finally:
            cursor.close()

    @contextmanager
    def slot(self) -> Iterator[None]:
        """A place among the running queries."""
        with self._slots:
            yield

    @contextmanager
    def write_lock(self) -> Iterator[None]:
        """The right to write, for those who run their own transactions (scripts)."""
        with self._writing:
            yield

    @contextmanager
    def writing(self) -> Iterator[Cursor]:
        """A cursor in a transaction of its own: all of it happens, or none."""
        with self._writing, self.reading() as cursor:
            cursor.execute("BEGIN TRANSACTION")
            try:
                yield cursor
            except BaseException:
                cursor.execute("ROLLBACK")
                raise
            cursor.execute("COMMIT")

    def close(self) -> None:
        """Write everything into the file and let go of it."""
        with self._writing:
            self._root.execute("CHECKPOINT")
            self._root.close()
