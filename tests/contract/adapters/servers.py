"""The local servers as programs, and a port at which nothing answers."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from local.process import ServerProcess
from shared.settings import Settings, load_settings

BUCKET = "contract"
PROJECT = "sluice-local"


class Servers:
    """Each server of the local cloud, started when it is asked for."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self._running: dict[str, ServerProcess] = {}

    def get(self, name: str, *options: str) -> ServerProcess:
        """The server of this name (`storage`, `pubsub`, `warehouse`)."""
        if name not in self._running:
            self._running[name] = self.new(name, name, *options)
        return self._running[name]

    def new(self, name: str, folder: str, *options: str) -> ServerProcess:
        """A server that a test may stop; the caller stops it."""
        logs = self._home / "logs"
        logs.mkdir(exist_ok=True)
        server = ServerProcess(name, [f"local.{name}", "--home", str(self._home / folder), *options], {}, logs)
        server.start()
        return server

    def stop(self) -> None:
        for server in self._running.values():
            server.stop()


def settings_for(database_url: str) -> Settings:
    """Settings of a function on the local servers."""
    return load_settings(
        {
            "GOOGLE_CLOUD_PROJECT": PROJECT,
            "LANDING_BUCKET": BUCKET,
            "LAKE_BUCKET": BUCKET,
            "QUARANTINE_BUCKET": BUCKET,
            "DATABASE_URL": database_url,
            "BIGQUERY_EMULATOR_HOST": "local",
        }
    )


@contextmanager
def nobody_listens() -> Iterator[str]:
    """`host:port` of a port that is taken but refuses every connection: a server that is stopped."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield f"127.0.0.1:{held.getsockname()[1]}"
