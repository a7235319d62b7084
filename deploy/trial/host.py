"""The functions host made of bundles: each is started by functions-framework at its first request, as from zero.

    python -m deploy.trial.host --installed FILE --port 0

Function F answers at /F/, as in local.host. GET /_calls tells what was asked of each, what it answered, and its memory.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import psutil

from deploy.trial.environments import Installed, clean, read_installed

START_SECONDS = 120.0
ANSWER_SECONDS = 1800.0
GIVEN = (
    "GOOGLE_CLOUD_PROJECT", "STORAGE_EMULATOR_HOST", "PUBSUB_EMULATOR_HOST", "BIGQUERY_EMULATOR_HOST", "DATABASE_URL",
    "PRODUCT_API_URL", "PRODUCT_API_DATA", "OPERATORS", "BASE_CURRENCY", "ALERT_WEBHOOK_URL", "LANDING_BUCKET",
    "LAKE_BUCKET", "QUARANTINE_BUCKET",
)  # fmt: skip
"""The settings of the local cloud that a function is given, as its deployment would."""


class Instance:
    """One bundle, in a process of its own with one thread."""

    def __init__(self, installed: Installed) -> None:
        self.installed = installed
        self.answers: Counter[str] = Counter()
        self.last: dict[str, str] = {}
        self.loaded_mb = 0.0
        self._process: subprocess.Popen[bytes] | None = None
        self._port = 0
        self._lock = threading.Lock()

    def port(self) -> int:
        """Where it answers, once it does; started unless it runs."""
        with self._lock:
            if self._process is None or self._process.poll() is not None:
                self._start()
            return self._port

    def _start(self) -> None:
        folder = Path(self.installed.folder)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self._port = free.getsockname()[1]
        program = [self.installed.python, "-m", "functions_framework", "--source", "main.py", "--host", "127.0.0.1"]
        given = {name: os.environ[name] for name in GIVEN if name in os.environ}
        self._process = subprocess.Popen(
            [*program, "--target", self.installed.entry_point, "--port", str(self._port)],
            cwd=folder, env=clean(folder, {**given, "THREADS": "1"}), stdout=sys.stderr,
        )  # fmt: skip
        deadline = time.monotonic() + START_SECONDS
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"{self.installed.function} did not start")
            time.sleep(0.05)
        self.loaded_mb = self.resident_mb()

    def _answers(self) -> bool:
        """Whether main.py is loaded: the framework answers this path itself, and only then."""
        try:
            connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=START_SECONDS)
            connection.request("GET", "/favicon.ico")
            return connection.getresponse().status == 404
        except OSError:
            return False

    def resident_mb(self) -> float:
        """Resident memory of the worker, in MB (10^6 bytes)."""
        if self._process is None or self._process.poll() is not None:
            return 0.0
        children = psutil.Process(self._process.pid).children()
        return max((child.memory_info().rss / 1e6 for child in children), default=0.0)

    def told(self) -> dict[str, object]:
        """What became of its requests."""
        memory = {"loaded_mb": round(self.loaded_mb, 1), "used_mb": round(self.resident_mb(), 1)}
        return {"answers": dict(self.answers), "last": self.last, **memory}


class Gateway(BaseHTTPRequestHandler):
    """Hands a request to the instance of its function."""

    instances: dict[str, Instance]

    def handle_any(self) -> None:
        """Forward it as it is, and keep what triggered it with the status of the answer."""
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.path == "/_calls":
            told = {name: one.told() for name, one in self.instances.items()}
            return self._send(200, json.dumps(told).encode(), "application/json")
        name, _, rest = self.path.removeprefix("/").partition("/")
        if name not in self.instances:
            return self._send(404, b"no function at this path\n", "text/plain")
        instance = self.instances[name]
        connection = http.client.HTTPConnection("127.0.0.1", instance.port(), timeout=ANSWER_SECONDS)
        headers = {key: value for key, value in self.headers.items() if key.lower() not in ("host", "connection")}
        connection.request(self.command, f"/{rest}", body, headers)
        answer = connection.getresponse()
        text = answer.read()
        connection.close()
        trigger = trigger_of(self.headers.get("X-CloudScheduler-JobName"), body)
        instance.answers[f"{trigger} {answer.status}"] += 1
        instance.last[trigger] = text[:200].decode(errors="replace")
        return self._send(answer.status, text, answer.getheader("Content-Type", "text/plain"))

    do_GET = do_POST = handle_any  # noqa: N815  # named by http.server

    def _send(self, status: int, body: bytes, kind: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """The function logs each call."""


def trigger_of(job: str | None, body: bytes) -> str:
    """What a request comes from: `schedule`, the subscription of a push, or `http`."""
    if job:
        return "schedule"
    try:
        return str(json.loads(body)["subscription"]).rpartition("/")[2]
    except (ValueError, KeyError, TypeError):
        return "http"


def main() -> None:
    """Parse the command line and serve until a signal; the instances are in the process group that ends with it."""
    parser = argparse.ArgumentParser(prog="python -m deploy.trial.host", description=__doc__)
    parser.add_argument("--installed", type=Path, required=True)
    parser.add_argument("--port", type=int, default=0)
    options = parser.parse_args()
    instances = {one.function: Instance(one) for one in read_installed(options.installed)}
    handler = type("BoundGateway", (Gateway,), {"instances": instances})
    server = ThreadingHTTPServer(("127.0.0.1", options.port), handler)
    server.daemon_threads = True
    sys.stdout.write(json.dumps({"ready": True, "port": server.server_port}) + "\n")
    sys.stdout.flush()
    server.serve_forever()


if __name__ == "__main__":
    main()
