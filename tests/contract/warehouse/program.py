"""Local servers as programs of their own, started, killed and started again by tests."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]


class Program:
    """One `python -m <module>` on a free port, with the same home folder and port over all its starts."""

    def __init__(self, module: str, home: Path, *options: str) -> None:
        self._command = [sys.executable, "-m", module, "--home", str(home), *options]
        self._port = 0
        self._process: subprocess.Popen[str] | None = None

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self._port}"

    def start(self) -> None:
        """Start and wait for the ready line."""
        command = [*self._command, "--port", str(self._port)]
        self._process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line, "the server ended before it was ready; its log is above"
        self._port = json.loads(line)["port"]

    def kill(self) -> None:
        """End it at once, as a power switch would."""
        if self._process is not None:
            self._process.kill()
            self._wait(self._process)

    def stop(self) -> int | None:
        """Ask it to stop, and return how it ended."""
        if self._process is None:
            return None
        self._process.terminate()
        return self._wait(self._process)

    def _wait(self, process: subprocess.Popen[str]) -> int:
        code = process.wait(timeout=30)
        if process.stdout is not None:
            process.stdout.close()
        self._process = None
        return code
