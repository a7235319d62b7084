"""The functions host of a chaos run: the same functions, with kill points at their seams, back at once when killed.

    python -m local.chaos.host --folder DIR --port 0 --workers 3 --without product_api

The functions are loaded once into a process that does nothing else. Each life of the host is a fork of it, in a process
group of its own, as an instance is that the platform starts in the place of one that died: it has no memory of the
earlier one, and it is there in a tenth of a second, so that a run can afford hundreds of deaths.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import signal
import socket
import sys
import time
from pathlib import Path
from types import FrameType

from local.chaos.points import Points
from local.chaos.seams import Seams
from local.host import Host, WsgiApp, application
from local.table import read_table
from shared.adapters import postgres
from shared.adapters.postgres import Timeouts
from shared.adapters.pubsub import CloudPublisher
from shared.adapters.storage import CloudStorage
from shared.adapters.warehouse import BigQueryWarehouse

CALL_SECONDS = 3.0
"""How long a call may stay unanswered in a chaos run; 60 s elsewhere."""
LIMITS = Timeouts(statement=10_000, lock=5_000, idle_in_transaction=10_000)
"""A session's limits in a chaos run, in milliseconds; 480, 60 and 60 s elsewhere."""
REBIND_SECONDS = 10.0


def shorten_patience() -> None:
    """What hangs is given up soon: the declared scale of a chaos run, in one place."""
    CloudStorage.call_seconds = CloudPublisher.call_seconds = BigQueryWarehouse.call_seconds = CALL_SECONDS
    postgres.LIMITS = LIMITS


def live(app: WsgiApp, folder: Path, port: int, workers: int) -> None:
    """One life of the host, in the forked process."""
    os.setpgid(0, 0)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    Seams(Points(folder)).install()
    shorten_patience()
    Host(app, port, workers).run()


def lives(app: WsgiApp, folder: Path, port: int, workers: int) -> None:
    """One life after the other, until a signal."""
    now = 0

    def end(_: int, __: FrameType | None) -> None:
        if now:
            os.killpg(now, signal.SIGKILL)
        os._exit(0)

    signal.signal(signal.SIGTERM, end)
    while True:
        _wait_for_port(port)
        now = os.fork()
        if now == 0:
            live(app, folder, port, workers)
            os._exit(0)
        os.waitpid(now, 0)
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(now, signal.SIGKILL)  # the workers of a host that ended in another way


def _wait_for_port(port: int) -> None:
    deadline = time.monotonic() + REBIND_SECONDS
    while time.monotonic() < deadline:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                time.sleep(0.01)
            else:
                return


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def main() -> None:
    """Parse the command line and serve until a signal."""
    parser = argparse.ArgumentParser(prog="python -m local.chaos.host", description=__doc__.split("\n", 1)[0])
    parser.add_argument("--folder", type=Path, required=True, help="where kill points are named and armed")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--workers", type=int, default=3)
    parser.add_argument("--without", default="", help="names, comma separated")
    options = parser.parse_args()
    without = set(filter(None, options.without.split(",")))
    app = application(f for f in read_table().functions if f.name not in without)
    sys.stdout.flush()
    lives(app, options.folder, options.port or _free_port(), options.workers)


if __name__ == "__main__":
    main()
