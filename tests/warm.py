"""Servers of the local cloud, forked for the tests from a process that has loaded what they import.

Importing is most of a server's start, and a run of all tests starts more than a hundred of them. The process that they
are forks of has no thread, no connection and no client. A fork runs the program that `python -m` runs elsewhere, in a
session of its own, with its own environment, output and log. What `sluice up` and `sluice demo` start in a process of
their own, and what the contract tests start, starts afresh in tests too.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import runpy
import select
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from threading import Lock
from typing import IO, Any, NoReturn

from local.table import ROOT
from shared.adapters.tls import certificates

LOADED = (
    "local.chaos.host", "local.host", "local.product_api.__main__", "local.pubsub.__main__", "local.scheduler",
    "local.storage.__main__", "local.warehouse.__main__", "shared.adapters.deadletters", "shared.adapters.warehouse",
    "google.cloud.pubsub_v1", "google.cloud.storage", "functions_framework", "uvicorn.lifespan.on",
    "uvicorn.loops.auto", "uvicorn.protocols.http.auto",
)  # fmt: skip
LONGEST = 1 << 17


class Forked:
    """A server; the process that forked it takes notice of its end, we see it at its descriptor."""

    def __init__(self, pid: int, descriptor: int, stdout: IO[bytes]) -> None:
        self.pid, self._descriptor = pid, descriptor
        self.stdout: IO[bytes] | None = stdout

    def poll(self) -> object:
        """None while it runs."""
        return self._ended(0) or None

    def wait(self, timeout: float | None = None) -> object:
        """Until it has ended. Raises TimeoutExpired."""
        if not self._ended(timeout):
            raise subprocess.TimeoutExpired(f"server {self.pid}", timeout or 0)
        return True

    def _ended(self, seconds: float | None) -> bool:
        if self._descriptor >= 0:
            ended = select.poll()  # select knows no descriptor above 1023
            ended.register(self._descriptor, select.POLLIN)
            if ended.poll(None if seconds is None else seconds * 1000):
                os.close(self._descriptor)
                self._descriptor = -1
        return self._descriptor < 0


class Nursery:
    """Starts the process that servers are forked from when the first one is wanted."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._socket: socket.socket | None = None
        self._process: subprocess.Popen[bytes] | None = None

    def launch(self, args: Sequence[str], env: Mapping[str, str], log: IO[bytes]) -> Forked:
        """Start a module with its arguments in a session of its own."""
        reading, writing = os.pipe()
        with self._lock:
            orders = self._socket = self._socket or self._start()
            socket.send_fds(orders, [json.dumps([args, dict(env)]).encode()], [writing, log.fileno()])
            os.close(writing)
            told, (descriptor,), _, _ = socket.recv_fds(orders, LONGEST, 1)
        return Forked(int(told), descriptor, os.fdopen(reading, "rb"))

    def _start(self) -> socket.socket:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            command = [sys.executable, "-m", "tests.warm"]
            self._process = subprocess.Popen(command, stdin=theirs.fileno(), cwd=ROOT, start_new_session=True)
        return ours

    def close(self) -> None:
        """Fork no more; what was forked goes on."""
        if self._socket and self._process:
            self._socket.close()
            self._process.wait()


def main() -> None:
    """Load everything, then fork a server for each order until nobody can order any more."""
    for name in LOADED:
        importlib.import_module(name)
    certificates()
    gc.collect()
    gc.freeze()
    orders = socket.socket(fileno=os.dup(0))
    living: list[Any] = []
    while True:
        ready = select.select([orders, *living], [], [])[0]
        for ended in [each for each in living if each in ready]:
            os.waitid(os.P_PIDFD, ended, os.WEXITED)
            os.close(ended)
            living.remove(ended)
        if orders in ready:
            order, descriptors, _, _ = socket.recv_fds(orders, LONGEST, 2)
            if not order:
                return
            living.append(_fork(orders, order, descriptors))


def _fork(orders: socket.socket, order: bytes, descriptors: list[int]) -> int:
    """A server, told to who ordered it; the descriptor of its process."""
    pid = os.fork()
    if pid == 0:
        orders.close()
        _become(*json.loads(order), *descriptors)
    process = os.pidfd_open(pid)
    socket.send_fds(orders, [str(pid).encode()], [process])
    for each in descriptors:
        os.close(each)
    return process


def _become(args: list[str], env: dict[str, str], out: int, log: int) -> None:
    os.setsid()
    Path("/proc/self/comm").write_text(args[0].removeprefix("local.")[:15])  # what `ps` and `top` show
    nothing = os.open(os.devnull, os.O_RDONLY)
    for given, number in ((nothing, 0), (out, 1), (log, 2)):
        os.dup2(given, number)
        os.close(given)
    os.environ.clear()
    os.environ.update(env)
    sys.argv = list(args)
    with suppress(SystemExit):
        runpy.run_module(args[0], run_name="__main__", alter_sys=True)
    _leave()


def _leave() -> NoReturn:
    """End without taking down, object by object, what the servers share."""
    sys.stdout.flush()
    os._exit(0)


if __name__ == "__main__":
    main()
    _leave()
