"""HTTP around the function: a request gets the function's own answer or a fault, which happens on the wire.

`/product_api/simulation` is the control: GET tells the plan and what was served, PUT takes a plan, DELETE clears both.
"""

from __future__ import annotations

import socket
import struct
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import msgspec

from local.product_api.plan import BadPlan, Plan, check
from local.product_api.schedule import Schedule
from local.product_api.schema import changed
from local.product_api.served import Served

MOUNT = "/product_api"
CONTROL = f"{MOUNT}/simulation"
Ask = Callable[[str], tuple[int, bytes]]
"""Asks the function for a path with its query: status and body."""


class _Body(msgspec.Struct):
    items: list[msgspec.Raw]
    page: int
    pages: int
    total: int


class Simulation:
    """The state behind the server; a lock keeps it whole, as each connection has a thread."""

    def __init__(self, ask: Ask) -> None:
        self.ask = ask
        self.lock = threading.Lock()
        self.set_plan(Plan())

    def set_plan(self, plan: Plan) -> None:
        """Follow another plan, with nothing served yet."""
        self.plan, self.schedule, self.served = plan, Schedule(plan), Served()

    def body(self, raw: bytes, outcome: str) -> bytes:
        """The function's answer with the plan's schema, and a wrong total where that is the fault."""
        if not self.plan.schema and outcome != "wrong_total":
            return raw
        told = msgspec.json.decode(raw, type=_Body)
        told.items = [msgspec.Raw(changed(bytes(item), self.plan.schema)) for item in told.items]
        told.total += outcome == "wrong_total"
        return msgspec.json.encode(told)


class Handler(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    simulation: Simulation

    def do_GET(self) -> None:
        """A page, or what was served."""
        simulation = self.simulation
        if self.path == CONTROL:
            with simulation.lock:
                self._json(200, {"plan": simulation.plan, "served": simulation.served.summary()})
            return
        status, raw = simulation.ask(self.path.removeprefix(MOUNT))
        if status != 200:
            self._send(status, raw)
            return
        page = parse_qs(urlsplit(self.path).query).get("page", ["1"])[0]
        with simulation.lock:
            outcome = simulation.schedule.next()
            code = simulation.schedule.server_error() if outcome == "5xx" else 200
            run = self.headers.get("X-Extraction-Run", "-")
            simulation.served.asked(run, int(page), outcome, datetime.now(UTC))
            body, plan = simulation.body(raw, outcome), simulation.plan
        self._answer(outcome, code, body, plan)

    def do_PUT(self) -> None:
        """Take a plan."""
        raw = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        try:
            plan = msgspec.json.decode(raw, type=Plan)
            check(plan)
        except (msgspec.DecodeError, BadPlan) as exc:
            self._json(400, {"error": str(exc)})
            return
        self._follow(plan)

    def do_DELETE(self) -> None:
        """All is well again."""
        self._follow(Plan())

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # named by http.server
        """The function logs each call."""

    def _follow(self, plan: Plan) -> None:
        if self.path != CONTROL:
            self._json(404, {"error": f"not found; the control is {CONTROL}"})
            return
        with self.simulation.lock:
            self.simulation.set_plan(plan)
        self._json(200, {"plan": plan})

    def _answer(self, outcome: str, code: int, body: bytes, plan: Plan) -> None:
        if outcome == "429":
            with self.simulation.lock:
                self.simulation.served.close_until(datetime.now(UTC) + timedelta(seconds=plan.retry_after))
            self._send(429, b'{"error":"too many requests"}', {"Retry-After": f"{plan.retry_after:g}"})
        elif outcome == "5xx":
            self._send(code, b'{"error":"simulated"}')
        elif outcome == "not_json":
            self._send(200, b"<html><body>Bad gateway</body></html>")
        elif outcome == "truncate":
            self._send(200, body[: len(body) // 2], length=len(body))
            self.close_connection = True
        elif outcome == "reset":
            self._reset()
        elif outcome == "timeout":
            time.sleep(plan.hang_seconds)
            self.close_connection = True
        else:
            self._send(200, body)

    def _reset(self) -> None:
        """Closed with unsent data thrown away, the system sends RST."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close_connection = True
        self.rfile.close()
        self.connection.close()

    def _json(self, status: int, body: dict[str, Any]) -> None:
        self._send(status, msgspec.json.encode(body))

    def _send(self, status: int, body: bytes, headers: dict[str, str] | None = None, length: int | None = None) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body) if length is None else length))
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)


def server(port: int, ask: Ask) -> ThreadingHTTPServer:
    """A server on 127.0.0.1, with nothing going wrong yet."""
    handler = type("SimulationHandler", (Handler,), {"simulation": Simulation(ask)})
    made = ThreadingHTTPServer(("127.0.0.1", port), handler)
    made.daemon_threads = True
    return made
