"""`python -m local.warehouse --home DIR --port P [--storage URL]`: the BigQuery stand-in as a program."""

from __future__ import annotations

import argparse
import json
import logging
import os
import signal
import socket
import sys
from pathlib import Path

import uvicorn

from local.warehouse.http import build
from local.warehouse.loads import MOST_CSV_BYTES
from local.warehouse.service import Limits, Warehouse


class Server(uvicorn.Server):
    """Says on stdout that it is ready, once it is."""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Bind, then print the one line that starters wait for."""
        await super().startup(sockets)
        if sockets and self.started:
            sys.stdout.write(json.dumps({"ready": True, "port": sockets[0].getsockname()[1]}) + "\n")
            sys.stdout.flush()


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m local.warehouse", description=__doc__)
    parser.add_argument("--home", type=Path, required=True, help="folder of the DuckDB file")
    parser.add_argument("--port", type=int, required=True, help="0 takes a free port")
    parser.add_argument(
        "--storage", default=os.environ.get("STORAGE_EMULATOR_HOST", ""), help="URL of the storage server"
    )
    parser.add_argument("--memory", default="1GB", help="DuckDB's memory limit")
    parser.add_argument("--threads", type=int, default=1, help="DuckDB's threads; 1 leaves each query to its own")
    parser.add_argument("--slots", type=int, default=4, help="queries that run at once; the others wait")
    parser.add_argument(
        "--csv-bytes",
        type=int,
        default=MOST_CSV_BYTES,
        help="largest CSV that is packed or may have line ends in quotes",
    )
    return parser.parse_args()


def main() -> None:
    """Serve until SIGTERM or SIGINT."""
    given = arguments()
    logging.basicConfig(
        stream=sys.stderr, level=logging.WARNING, format="%(asctime)s %(name)s %(levelname)s %(message)s"
    )
    warehouse = Warehouse(given.home, given.storage, Limits(given.memory, given.threads, given.slots, given.csv_bytes))
    # the protocol is named because asyncio sets TCP_NODELAY only then; without it every answer waits 40 ms
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", given.port))
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: None)  # uvicorn raises the signal again once it has stopped
    config = uvicorn.Config(build(warehouse), log_config=None, access_log=False, timeout_graceful_shutdown=5)
    try:
        Server(config).run(sockets=[listener])
    finally:
        warehouse.close()


if __name__ == "__main__":
    main()
