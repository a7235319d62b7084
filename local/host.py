"""The functions host: every function of functions.yaml under one port, each by functions-framework.

    python -m local.host --port 0 --workers 4 [--only NAME,… | --except NAME,…]

Function F answers at /F/. A worker is one process that takes one request at a time, as an instance with concurrency 1
does; what finds no free worker waits in the accept queue. The host prints one JSON line with its port when it is ready.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import sys
from collections.abc import Callable, Iterable
from typing import Any

import functions_framework
from gunicorn.app.base import BaseApplication  # type: ignore[import-untyped]
from werkzeug.middleware.dispatcher import DispatcherMiddleware

from local.database_users import as_own_user
from local.stack import DATABASE_USERS
from local.table import Function, read_table

WsgiApp = Callable[..., Iterable[bytes]]


def application(functions: Iterable[Function]) -> WsgiApp:
    """All functions under one WSGI application."""
    return DispatcherMiddleware(_nothing_here, {f"/{function.name}": _mounted(function) for function in functions})


def _mounted(function: Function) -> WsgiApp:
    app: WsgiApp = functions_framework.create_app(  # type: ignore[no-untyped-call]
        function.entry_point, str(function.source), "http"
    )
    own = DATABASE_USERS in os.environ and "database_client" in function.roles
    return as_own_user(app, function.name) if own else app


def _nothing_here(_: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    start_response("404 Not Found", [("Content-Type", "text/plain")])
    return [b"no function at this path; functions answer at /<name>/\n"]


class Host(BaseApplication):  # type: ignore[misc]
    """gunicorn with plain worker processes; the functions are loaded once, before the workers fork."""

    def __init__(self, app: WsgiApp, port: int, workers: int) -> None:
        self._app = app
        self._options = {
            "bind": f"127.0.0.1:{port}",
            "workers": workers,
            "worker_class": "sync",
            "preload_app": True,
            "timeout": 0,
            "backlog": 2048,
            "accesslog": None,
            "loglevel": "warning",
            "when_ready": _ready,
            "control_socket_disable": True,
        }
        super().__init__()

    def load_config(self) -> None:
        for name, value in self._options.items():
            if name in self.cfg.settings:
                self.cfg.set(name, value)

    def load(self) -> WsgiApp:
        """What was loaded is left alone by the collector: the workers share it, and end without taking it down."""
        gc.freeze()
        return self._app


def _ready(server: Any) -> None:
    port = server.LISTENERS[0].sock.getsockname()[1]
    sys.stdout.write(json.dumps({"ready": True, "port": port}) + "\n")
    sys.stdout.flush()


def main() -> None:
    """Parse the command line and serve until a signal."""
    parser = argparse.ArgumentParser(prog="python -m local.host", description=__doc__.split("\n", 1)[0])
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--workers", type=int, default=4)
    parser.add_argument("--only", default="", help="names, comma separated")
    parser.add_argument("--except", dest="without", default="", help="names, comma separated")
    options = parser.parse_args()
    only, without = set(filter(None, options.only.split(","))), set(filter(None, options.without.split(",")))
    chosen = [f for f in read_table().functions if (not only or f.name in only) and f.name not in without]
    Host(application(chosen), options.port, options.workers).run()


if __name__ == "__main__":
    main()
