"""A PostgreSQL server of the local cloud, from the binaries of a pip wheel.

initdb and postgres are called directly, in the foreground sense: no service, no system user is added, nothing outside
the home folder is touched unless the server could not reach it (`local.postgres_home`).

Commits are flushed (fsync and synchronous_commit stay on): kill -9 of the server loses nothing that was acknowledged.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil
from pg8000.exceptions import DatabaseError  # type: ignore[import-untyped]

from local.postgres_home import Account, server_account, server_binaries, server_folder
from shared.adapters.postgres import connect
from shared.errors import ConfigError, DependencyUnavailable

ROLE = DATABASE = "sluice"
READY_SECONDS = 60.0
STOP_SECONDS = 30.0
OPTIONS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "shared_buffers": "128MB",
    "work_mem": "32MB",
    "maintenance_work_mem": "128MB",
    "max_wal_size": "4GB",
    "wal_buffers": "16MB",
    "checkpoint_timeout": "15min",
    "random_page_cost": "1.1",
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "max_connections": "200",  # a worker keeps a session for each function
}


@dataclass(frozen=True)
class _Server:
    """The server, for its administrator."""

    database_url: str
    cloudsql_instance: str = ""
    cloudsql_user: str = ""
    cloudsql_database: str = ""


@dataclass(frozen=True)
class Running:
    """A live server of this data folder, as its postmaster.pid tells it."""

    process: psutil.Process
    port: int
    ready: bool


class LocalPostgres:
    """Starts a server for a home folder, or finds the one that another process started there."""

    def __init__(self, options: Mapping[str, str] | None = None) -> None:
        self._options = OPTIONS | dict(options or {})
        self._home: Path | None = None
        self._data: Path | None = None
        self._port: int | None = None
        self._launched: subprocess.Popen[bytes] | None = None

    def start(self, home: Path, port: int | None = None) -> str:
        """Return the URL of a ready database. With DATABASE_URL set that one is used and none is started."""
        if given := os.environ.get("DATABASE_URL"):
            return given
        return self._start(home, port)

    def restart(self) -> str:
        """Start again after `kill`, on the same port."""
        assert self._home is not None, "it was not started here"
        return self._start(self._home, self._port)

    def _start(self, home: Path, port: int | None) -> str:
        account = server_account()
        folder = server_folder(home.absolute(), account)
        binaries = server_binaries(folder, account)
        self._home, self._data = home, folder / "data"
        if not (self._data / "PG_VERSION").exists():
            _initialise(binaries, self._data, account)
        deadline = time.monotonic() + READY_SECONDS
        while True:
            running = _running(self._data)
            if running and port not in (None, running.port):
                self.stop()
                running = None
            chosen = running.port if running else port or _free_port()
            if running is None:
                if self._launched:
                    self._launched.wait(STOP_SECONDS)  # it is dying of a signal or dead
                self._launched = _launch(binaries, self._data, chosen, account, self._options)
            try:
                _create_database(chosen)
            except (DatabaseError, DependencyUnavailable) as exc:  # still recovering, or dying of a signal just sent
                if time.monotonic() > deadline:
                    raise DependencyUnavailable(f"PostgreSQL does not answer; see {folder}/postgres.log.") from exc
                time.sleep(0.05)
            else:
                self._port = chosen
                return f"{_url(chosen)}/{DATABASE}"

    def stop(self) -> None:
        """Stop the server, whoever started it: open transactions are rolled back, everything committed is kept."""
        running = _running(self._data) if self._data else None
        if running is None:
            return
        running.process.send_signal(signal.SIGINT)
        try:
            running.process.wait(STOP_SECONDS)
        except psutil.TimeoutExpired:
            running.process.send_signal(signal.SIGQUIT)
            running.process.wait(STOP_SECONDS)
        if self._launched:
            self._launched.wait()

    def kill(self) -> None:
        """kill -9 to the server and all of its processes at once, as when the machine fails."""
        running = _running(self._data) if self._data else None
        if running is None:
            return
        for process in [running.process, *running.process.children(recursive=True)]:
            with suppress(psutil.NoSuchProcess):
                process.kill()
        if self._launched:
            self._launched.wait()


# A program of its own changes the account: Popen(user=…) would fork this process instead, and a fork of a process with
# gRPC clients can die before it has become anything else.
_BECOME = (
    "import os, sys; os.setgroups([]); os.setgid(int(sys.argv[2])); os.setuid(int(sys.argv[1])); "
    "os.execv(sys.argv[3], sys.argv[3:])"
)


def _command(arguments: list[str], account: Account, log: Path, cwd: Path) -> subprocess.Popen[bytes]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PG")} | {"LC_ALL": "C"}
    if account.switch:
        arguments = [sys.executable, "-IS", "-c", _BECOME, str(account.uid), str(account.gid), *arguments]
    with log.open("ab") as out:
        return subprocess.Popen(
            arguments,
            cwd=cwd,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            start_new_session=True,
        )


def _initialise(binaries: Path, data: Path, account: Account) -> None:
    """initdb into a folder beside, then rename: a first start that was killed leaves nothing half made."""
    partial, log = data.with_name("data.partial"), data.with_name("initdb.log")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(mode=0o700)
    if account.switch:
        os.chown(partial, account.uid, account.gid)
    initdb = [str(binaries / "initdb"), "-D", str(partial), "-U", ROLE, "-A", "trust", "-E", "UTF8", "--locale=C"]
    process = _command([*initdb, "--no-sync", "--no-instructions"], account, log, partial)
    if process.wait() != 0:
        raise ConfigError(f"initdb failed for {data}; its own words are in {log}.")
    partial.rename(data)


def _running(data: Path) -> Running | None:
    """The live postmaster of the folder. A pid that another program got after a crash is not taken for it."""
    try:
        lines = (data / "postmaster.pid").read_text().splitlines()
        process = psutil.Process(int(lines[0]))
        if process.status() == psutil.STATUS_ZOMBIE or Path(process.cwd()) != data.resolve():
            return None
        return Running(process, int(lines[3]), ready=len(lines) > 7 and lines[7].strip() == "ready")
    except (OSError, IndexError, ValueError, psutil.Error):
        return None


def _launch(
    binaries: Path, data: Path, port: int, account: Account, settings: Mapping[str, str]
) -> subprocess.Popen[bytes]:
    """Start the server; after kill -9 its orphans may hold the shared memory for a moment, so try again for a while."""
    options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
    log = data.with_name("postgres.log")
    deadline = time.monotonic() + READY_SECONDS
    while True:
        (data / "postmaster.pid").unlink(missing_ok=True)
        process = _command([str(binaries / "postgres"), "-D", str(data), "-p", str(port), *options], account, log, data)
        while process.poll() is None:
            running = _running(data)
            if running and running.process.pid == process.pid and running.ready:
                return process
            if time.monotonic() > deadline:
                process.send_signal(signal.SIGQUIT)
                raise DependencyUnavailable(f"PostgreSQL was not ready after {READY_SECONDS:.0f} s; see {log}.")
            time.sleep(0.01)
        if time.monotonic() > deadline or "pre-existing shared memory" not in _tail(log):
            raise DependencyUnavailable(
                f"PostgreSQL ended at its start; its own words are in {log}: {_tail(log)[-300:]}"
            )
        time.sleep(0.2)


def _tail(log: Path) -> str:
    return log.read_text(errors="replace")[-2000:]


def _create_database(port: int) -> None:
    session = connect(_Server(f"{_url(port)}/postgres"), "sluice-local")
    try:
        if not session.rows("SELECT datname FROM pg_database WHERE datname = $1", DATABASE):
            session.rows(f"CREATE DATABASE {DATABASE}")
    finally:
        session.close()


def _url(port: int) -> str:
    return f"postgresql://{ROLE}@127.0.0.1:{port}"


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
