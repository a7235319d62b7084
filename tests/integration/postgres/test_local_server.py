"""The local server: killed or stopped, it comes back with everything that was committed."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from local.postgres import LocalPostgres
from shared.adapters.postgres import connect
from tests.integration.postgres.target import Target


@pytest.fixture(autouse=True)
def no_given_server(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DATABASE_URL", raising=False)


def value(url: str) -> object:
    session = connect(Target(url), "tests")
    try:
        return session.row("SELECT max(a) FROM kept")[0]
    finally:
        session.close()


def test_a_killed_server_loses_nothing_and_a_foreign_pid_is_not_taken_for_it(tmp_path: Path) -> None:
    server = LocalPostgres()
    try:  # a folder of pytest is closed to other users: as root the data lies elsewhere
        url = server.start(tmp_path)
        session = connect(Target(url), "tests")
        session.rows("CREATE TABLE kept (a int)")
        session.rows("INSERT INTO kept VALUES (41)")
        data = Path(session.row("SHOW data_directory")[0])
        pid_file = data / "postmaster.pid"
        lines = pid_file.read_text().splitlines()
        psutil.Process(int(lines[0])).send_signal(signal.SIGKILL)
        session.close()
        url = server.start(tmp_path)
        assert value(url) == 41
        server.stop()
        with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as other:
            pid_file.write_text("\n".join([str(other.pid), *lines[1:]]) + "\n")
            assert value(server.start(tmp_path)) == 41
        assert LocalPostgres().start(tmp_path) == server.start(tmp_path), "another process finds the running server"
    finally:
        server.stop()
        if (tmp_path / "elsewhere").is_symlink():
            shutil.rmtree((tmp_path / "elsewhere").resolve())


def test_a_given_database_is_used_and_nothing_is_started(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://somewhere/else")
    server = LocalPostgres()
    assert server.start(tmp_path) == "postgresql://somewhere/else"
    server.stop()
    assert list(tmp_path.iterdir()) == []
