"""The empty database cluster that each server of the tests begins with: initdb makes one, the others are copies.

A run of all tests starts about thirty servers, and initdb takes half a second of a processor each time. All copies have
one system identifier; a test that needs another cluster writes another identifier.
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from pathlib import Path
from threading import Lock

from local import postgres
from local.postgres_home import Account

initdb = postgres._initialise


class Clusters:
    """What stands for initdb in one process of the tests."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._kept: Path | None = None

    def initialise(self, binaries: Path, data: Path, account: Account) -> None:
        """A new cluster in `data`, of its account."""
        with self._lock:
            if self._kept is None:
                initdb(binaries, data, account)
                self._kept = Path(tempfile.mkdtemp(prefix="sluice-test-cluster-"))
                _copy(data, self._kept / "data")
            else:
                partial = data.with_name("data.partial")
                shutil.rmtree(partial, ignore_errors=True)
                _copy(self._kept / "data", partial)
                partial.rename(data)

    def close(self) -> None:
        """Keep none."""
        if self._kept is not None:
            shutil.rmtree(self._kept)


def _copy(source: Path, target: Path) -> None:
    """With its owner: PostgreSQL takes no folder that is another's."""
    subprocess.run(["cp", "-a", str(source), str(target)], check=True)  # noqa: S607 (wherever the machine has it)
