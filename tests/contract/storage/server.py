"""The storage server as a program of its own, started, killed and started again by tests."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]


class StorageServer:
    """One `python -m local.storage` on a free port, with the same home folder and port over all its starts."""

    def __init__(self, home: Path, pubsub: str | None = None) -> None:
        self._home = home
        self._pubsub = [] if pubsub is None else ["--pubsub", pubsub]
        self._port = 0
        self._process: subprocess.Popen[str] | None = None

    @property
    def url(self) -> str:
        """What STORAGE_EMULATOR_HOST would hold."""
        return f"http://127.0.0.1:{self._port}"

    def start(self) -> None:
        """Start and wait for the ready line."""
        command = [sys.executable, "-m", "local.storage", "--home", str(self._home), "--port", str(self._port)]
        self._process = subprocess.Popen(command + self._pubsub, cwd=ROOT, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line, "the server ended before it was ready; its log is above"
        self._port = json.loads(line)["port"]

    def kill(self) -> None:
        """End it at once, as a power switch would."""
        self._end(self._process.kill if self._process else None)

    def stop(self) -> int | None:
        """Ask it to stop, and return how it ended."""
        return self._end(self._process.terminate if self._process else None)

    def _end(self, how: object) -> int | None:
        process = self._process
        if process is None or not callable(how):
            return None
        how()
        code = process.wait(timeout=20)
        if process.stdout is not None:
            process.stdout.close()
        self._process = None
        return code
