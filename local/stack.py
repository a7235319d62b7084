"""The whole local cloud of one home folder: which servers run, where, and how they are started and stopped.

Where a variable such as STORAGE_EMULATOR_HOST is already set, that server is used and none is started. The endpoints
are kept in `cloud.json`, so that the commands of another terminal find a running cloud, and each server gets its
earlier port again.
"""

from __future__ import annotations

import contextlib
import json
import os
import socket
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from local.postgres import LocalPostgres
from local.process import ServerProcess, end_leftovers
from local.product_api.server import MOUNT

PROJECT = "sluice-local"
BUCKETS = {
    "LANDING_BUCKET": "sluice-landing",
    "LAKE_BUCKET": "sluice-lake",
    "QUARANTINE_BUCKET": "sluice-quarantine",
}
PRODUCT_DATA = "simulation/products.ndjson"
DATABASE_USERS = "FUNCTION_DATABASE_USERS"
"""Set for the functions host where the database is our own: each function logs in as a user of its own."""


@dataclass(frozen=True)
class Options:
    """What can be chosen for a local cloud."""

    workers: int = (os.cpu_count() or 1) + 1  # one more than cores: a worker waits while the database works
    backoff_scale: float = 0.02
    duplicate_rate: float = 0.01
    postgres: Mapping[str, str] = field(default_factory=dict)
    """Settings of the database server beside our own."""


@dataclass(frozen=True)
class Endpoints:
    """Where the servers answer; what `sluice up --json` prints."""

    storage: str
    pubsub: str
    warehouse: str
    postgres: str
    functions: str
    product_api: str
    scheduler: str

    def environment(self) -> dict[str, str]:
        """The variables by which functions, clients and the command line find this cloud."""
        return {
            "GOOGLE_CLOUD_PROJECT": PROJECT,
            "STORAGE_EMULATOR_HOST": self.storage,
            "PUBSUB_EMULATOR_HOST": self.pubsub,
            "BIGQUERY_EMULATOR_HOST": self.warehouse,
            "DATABASE_URL": self.postgres,
            "FUNCTIONS_URL": self.functions,
            "PRODUCT_API_URL": self.product_api,
            "SCHEDULER_URL": self.scheduler,
            "PRODUCT_API_DATA": f"gs://{BUCKETS['LAKE_BUCKET']}/{PRODUCT_DATA}",
            "OPERATORS": os.environ.get("OPERATORS", "operator@localhost"),
            "BASE_CURRENCY": os.environ.get("BASE_CURRENCY", "GBP"),
            "ALERT_WEBHOOK_URL": os.environ.get("ALERT_WEBHOOK_URL", ""),
            **BUCKETS,
        }


class LocalCloud:
    """Starts, watches and stops the servers of one home."""

    def __init__(self, home: Path, options: Options | None = None) -> None:
        self.home = home
        self._options = options or Options()
        self._file = home / "cloud.json"
        self._postgres: LocalPostgres | None = None
        self.servers: dict[str, ServerProcess] = {}
        self.endpoints: Endpoints | None = None

    def start(self) -> Endpoints:
        """Start what is not running yet; ready to use when it returns."""
        (self.home / "logs").mkdir(parents=True, exist_ok=True)
        earlier = self._earlier()
        end_leftovers(list(earlier.get("pids", {}).values()))
        ports: Mapping[str, int] = earlier.get("ports", {})
        try:
            return self._start(ports)
        except BaseException:
            self.stop()
            raise

    def _start(self, ports: Mapping[str, int]) -> Endpoints:
        """Each server as soon as the addresses that it needs are known; what is independent starts side by side."""
        scale, duplicates = str(self._options.backoff_scale), str(self._options.duplicate_rate)
        with ThreadPoolExecutor() as pool:
            database = pool.submit(
                lambda: os.environ.get("DATABASE_URL") or self._start_postgres(ports.get("postgres"))
            )
            pubsub = os.environ.get("PUBSUB_EMULATOR_HOST") or self._server(
                "pubsub", ports, "local.pubsub", "--home", self._home("pubsub"), "--backoff-scale", scale,
                "--duplicate-rate", duplicates,
            )  # fmt: skip
            storage = os.environ.get("STORAGE_EMULATOR_HOST") or "http://" + self._server(
                "storage", ports, "local.storage", "--home", self._home("storage"), "--pubsub", pubsub
            )
            simulation = Endpoints(storage, pubsub, "", "", "", "", "").environment()
            simulated = pool.submit(self._server, "product_api", ports, "local.product_api", env=simulation)
            warehouse = os.environ.get("BIGQUERY_EMULATOR_HOST") or "http://" + self._server(
                "warehouse", ports, "local.warehouse", "--home", self._home("warehouse"), "--storage", storage
            )
            api = f"http://{simulated.result()}{MOUNT}"
            known = Endpoints(storage, pubsub, warehouse, database.result(), "", api, "")
        seen = self._host_sees(known.environment())
        functions = "http://" + self._server("functions", ports, *self._host_program(), env=seen)
        scheduler = "http://" + self._server("scheduler", ports, "local.scheduler", "--functions-url", functions)
        self.endpoints = replace(known, functions=functions, scheduler=scheduler)
        self._save()
        return self.endpoints

    def _host_program(self) -> tuple[str, ...]:
        """The program of the functions host with its options."""
        return "local.host", "--except", "product_api", "--workers", str(self._options.workers)

    def _host_sees(self, environment: dict[str, str]) -> dict[str, str]:
        """The environment of the functions host."""
        return {**environment, DATABASE_USERS: "1"} if self._postgres else environment

    def _start_postgres(self, port: int | None) -> str:
        self._postgres = LocalPostgres(self._options.postgres)
        return self._postgres.start(self.home / "postgres", port)

    def _home(self, name: str) -> str:
        return str(self.home / name)

    def _server(self, name: str, ports: Mapping[str, int], *args: str, env: Mapping[str, str] | None = None) -> str:
        server = ServerProcess(name, args, env or {}, self.home / "logs")
        self.servers[name] = server
        server.port = _free_or(ports.get(name, 0))
        return f"127.0.0.1:{server.start()}"

    def kill(self, name: str) -> None:
        """kill -9 to a server with its children; `postgres` is one too."""
        if name == "postgres":
            assert self._postgres is not None, "it was not started here"
            self._postgres.kill()
        else:
            self.servers[name].kill()

    def restart(self, name: str) -> None:
        """Start a server again after it ended or was killed; it takes its earlier port."""
        if name == "postgres":
            assert self._postgres is not None, "it was not started here"
            self._postgres.restart()
        else:
            self.servers[name].start()
            self._save()

    def revive(self) -> list[str]:
        """Start again what has ended by itself; the names."""
        ended = [name for name, server in self.servers.items() if not server.alive()]
        for name in ended:
            self.servers[name].kill()
            self.restart(name)
        return ended

    def stop(self) -> None:
        """Stop everything that this object started: what calls others first, then the rest side by side."""
        callers = [server for name, server in self.servers.items() if name in ("scheduler", "functions")]
        rest = [server.stop for server in self.servers.values() if server not in callers]
        if self._postgres is not None:
            rest.append(self._postgres.stop)
        with ThreadPoolExecutor() as pool:
            for group in ([server.stop for server in callers], rest):
                for stopped in [pool.submit(stop) for stop in group]:
                    stopped.result()
        self._save(running=False)

    def rss_mb(self) -> dict[str, float]:
        """Resident memory now, in MB: each server, and each worker of the functions host by itself."""
        sizes: dict[str, float] = {}
        for name, server in self.servers.items():
            for index, size in enumerate(server.rss_mb()):
                sizes[name if index == 0 else f"{name}_worker_{index}"] = round(size, 1)
        return sizes

    def _earlier(self) -> dict[str, dict[str, int]]:
        with contextlib.suppress(FileNotFoundError, ValueError):
            kept: dict[str, dict[str, int]] = json.loads(self._file.read_text(encoding="utf-8"))
            return kept
        return {}

    def _save(self, running: bool = True) -> None:
        ports = {name: server.port for name, server in self.servers.items()}
        if self.endpoints is not None:
            ports["postgres"] = int(self.endpoints.postgres.rpartition(":")[2].partition("/")[0] or 0)
        known = {
            "ports": ports,
            "pids": {name: server.pid for name, server in self.servers.items()} if running else {},
            "endpoints": asdict(self.endpoints) if self.endpoints and running else {},
        }
        partial = self._file.with_suffix(".partial")
        partial.write_text(json.dumps(known, indent=2), encoding="utf-8")
        partial.replace(self._file)


def running_cloud(home: Path) -> Endpoints | None:
    """The endpoints of the cloud that runs in this home, as another process started it; None where none does."""
    try:
        known = json.loads((home / "cloud.json").read_text(encoding="utf-8"))
        return Endpoints(**known["endpoints"])
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return None


def _free_or(port: int) -> int:
    """The port if nothing listens there, else 0: choose another."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return 0
    return port
