"""The program: `python -m local.storage --home DIR --port P [--pubsub host:port]`.

Prints one JSON line when it is ready, logs to stderr, stops on SIGTERM and keeps everything under --home.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import signal
import socket
import sys
from functools import partial
from pathlib import Path

import uvicorn

from local.storage.app import create_app
from local.storage.outbox import Outbox, publisher
from local.storage.service import Service


class Server(uvicorn.Server):
    """Uvicorn, saying on stdout when it listens."""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Announce the port once connections are accepted."""
        await super().startup(sockets)
        if sockets and not self.should_exit:
            port = sockets[0].getsockname()[1]
            sys.stdout.write(json.dumps({"ready": True, "port": port}) + "\n")
            sys.stdout.flush()


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="local.storage", description="A stand-in for Cloud Storage.")
    parser.add_argument("--home", type=Path, required=True, help="folder that keeps all objects")
    parser.add_argument("--port", type=int, default=0, help="port on 127.0.0.1; 0 takes a free one")
    parser.add_argument(
        "--pubsub",
        default=os.environ.get("PUBSUB_EMULATOR_HOST"),
        help="host:port that gets notifications (default: PUBSUB_EMULATOR_HOST)",
    )
    return parser.parse_args()


def main() -> None:
    """Bind, open the home folder, serve until a signal."""
    options = arguments()
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(asctime)s %(name)s %(levelname)s %(message)s")
    # asyncio sets TCP_NODELAY only on sockets that name TCP; without it every answer waits 40 ms for an ACK
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", options.port))
    base = f"http://127.0.0.1:{listener.getsockname()[1]}"
    connect = partial(Outbox, connect_publisher=partial(publisher, options.pubsub)) if options.pubsub else None
    app = create_app(Service.open(options.home, base, connect))
    config = uvicorn.Config(
        app, log_config=None, access_log=False, timeout_keep_alive=120, timeout_graceful_shutdown=5, backlog=512
    )
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))  # uvicorn raises the signal again when it has shut down
    Server(config).run(sockets=[listener])


if __name__ == "__main__":
    main()
