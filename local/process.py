"""One child process of the local cloud: started, watched, measured and always stopped."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, Protocol

import psutil

READY_SECONDS = 60.0
STOP_SECONDS = 10.0


class StartFailed(Exception):
    """A server did not come up; the message ends with the end of its log."""


class Program(Protocol):
    """A running program, as much of subprocess.Popen as a server needs."""

    pid: int
    stdout: IO[bytes] | None

    def poll(self) -> object:
        """None while it runs."""

    def wait(self, timeout: float) -> object:
        """Until it has ended. Raises TimeoutExpired."""


def launch(args: Sequence[str], env: Mapping[str, str], log: IO[bytes]) -> Program:
    """Start a module with its arguments in a session of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", *args],
        stdout=subprocess.PIPE,
        stderr=log,
        stdin=subprocess.DEVNULL,
        env=env,
        start_new_session=True,
    )


class ServerProcess:
    """A program of the local cloud. It prints one JSON line with its port when it is ready."""

    def __init__(self, name: str, args: Sequence[str], env: Mapping[str, str], logs: Path) -> None:
        self.name = name
        self._args = args
        self.env = {**os.environ, **env}
        self._log = logs / f"{name}.log"
        self._process: Program | None = None
        self.port = 0

    def start(self) -> int:
        """Start and wait until it is ready; its port. A later start asks for the same port again."""
        args = [*self._args, "--port", str(self.port)]
        with self._log.open("ab") as log:
            self._process = launch(args, self.env, log)
        line = self._first_line(self._process)
        if not line:
            self.stop()
            tail = self._log.read_text(errors="replace")[-2000:]
            raise StartFailed(f"{self.name} did not start; the end of {self._log}:\n{tail}")
        self.port = int(json.loads(line)["port"])
        return self.port

    @staticmethod
    def _first_line(process: Program) -> bytes:
        assert process.stdout is not None
        watchdog = time.monotonic() + READY_SECONDS
        os.set_blocking(process.stdout.fileno(), False)
        line = b""
        while not line.endswith(b"\n") and time.monotonic() < watchdog:
            part = process.stdout.read() or b""
            line += part
            if not part:
                if process.poll() is not None:
                    return b""
                time.sleep(0.01)
        return line

    @property
    def pid(self) -> int:
        """The process id, 0 before the first start."""
        return self._process.pid if self._process else 0

    def alive(self) -> bool:
        """Whether the program runs."""
        return self._process is not None and self._process.poll() is None

    def stop(self) -> None:
        """Ask it to end, then insist. The children go with it."""
        self._signal(signal.SIGTERM)
        if self._process is not None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(STOP_SECONDS)
        self.kill()

    def kill(self) -> None:
        """kill -9 to the program and its children, at once."""
        self._signal(signal.SIGKILL)
        if self._process is not None:
            self._process.wait(STOP_SECONDS)
            if self._process.stdout:
                self._process.stdout.close()

    def _signal(self, number: signal.Signals) -> None:
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, number)

    def rss_mb(self) -> list[float]:
        """Resident memory of the program and of each of its children, in MB (10^6 bytes)."""
        sizes: list[float] = []
        with contextlib.suppress(psutil.Error):
            program = psutil.Process(self.pid)
            sizes.append(program.memory_info().rss / 1e6)
            for child in program.children(recursive=True):
                with contextlib.suppress(psutil.Error):
                    sizes.append(child.memory_info().rss / 1e6)
        return sizes


def end_leftovers(pids: Sequence[int]) -> None:
    """End what an earlier cloud of the same home left running (its starter was killed); only our own programs."""
    for pid in pids:
        with contextlib.suppress(psutil.Error, ProcessLookupError):
            command = psutil.Process(pid).cmdline()
            if any(part.startswith("local.") for part in command):
                os.killpg(pid, signal.SIGKILL)
