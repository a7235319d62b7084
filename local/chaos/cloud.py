"""The local cloud of a chaos run: the functions see every server through a proxy, and are seen through one."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from local.chaos.load import CHUNK_ROWS
from local.chaos.points import Points
from local.chaos.proxies import Proxies
from local.chaos.webhook import Webhook
from local.pubsub.control import ControlRefused, PubSubControl, SubscriptionStats
from local.resources import create_all
from local.stack import Endpoints, LocalCloud, Options
from shared.adapters.postgres import Session, connect
from shared.adapters.warehouse import BigQueryWarehouse
from shared.settings import Settings, load_settings

SERVERS = ("postgres", "storage", "pubsub", "warehouse")
"""What is killed and started again; the functions host dies at its kill points."""
GIVEN = ("STORAGE_EMULATOR_HOST", "PUBSUB_EMULATOR_HOST", "BIGQUERY_EMULATOR_HOST", "DATABASE_URL")
BACKOFF_SCALE = 0.01
"""Pub/Sub's backoff of 10 to 600 s becomes 0.1 to 6 s; the twenty attempts then last about 80 s."""
WORKERS = 3
POSTGRES = {"max_connections": "60"}
"""Few, so that taking all of them is quick; a worker keeps a session for each function."""
CONTROL_SECONDS = 20.0


class ChaosCloud(LocalCloud):
    """A local cloud with a chaos host behind proxies."""

    def __init__(self, home: Path, proxies: Proxies, webhook: Webhook) -> None:
        super().__init__(home, Options(WORKERS, BACKOFF_SCALE, duplicate_rate=0.0, postgres=POSTGRES))
        self._proxies = proxies
        self.webhook = webhook
        self.points = Points(home / "chaos")

    def _host_program(self) -> tuple[str, ...]:
        folder, workers = str(self.home / "chaos"), str(self._options.workers)
        return "local.chaos.host", "--folder", folder, "--without", "product_api", "--workers", workers

    def _host_sees(self, environment: dict[str, str]) -> dict[str, str]:
        between = self._proxies.between
        return {
            **super()._host_sees(environment),
            "STORAGE_EMULATOR_HOST": between("storage", environment["STORAGE_EMULATOR_HOST"]),
            "BIGQUERY_EMULATOR_HOST": between("warehouse", environment["BIGQUERY_EMULATOR_HOST"]),
            "PUBSUB_EMULATOR_HOST": between("pubsub", environment["PUBSUB_EMULATOR_HOST"], http=False),
            "DATABASE_URL": between("postgres", environment["DATABASE_URL"], http=False),
            "PRODUCT_API_URL": between("product_api", environment["PRODUCT_API_URL"]),
            "ALERT_WEBHOOK_URL": between("webhook", self.webhook.url),
            "CHUNK_ROWS": str(CHUNK_ROWS),
        }


class Running:
    """A started cloud with the driver's own clients, which go to the servers without a proxy."""

    def __init__(self, cloud: ChaosCloud, endpoints: Endpoints, proxies: Proxies) -> None:
        self.cloud, self.endpoints, self.proxies = cloud, endpoints, proxies
        self.settings: Settings = load_settings(endpoints.environment())
        self.warehouse = BigQueryWarehouse(self.settings)
        self._session: Session | None = None

    def session(self) -> Session:
        """The driver's session, renewed after the database was killed."""
        if self._session is None:
            self._session = connect(self.settings, "sluice-chaos")
        return self._session

    def forget_session(self) -> None:
        """Close the driver's session; the next question opens another."""
        if self._session is not None:
            self._session.close()
            self._session = None

    def kill(self, server: str) -> float:
        """kill -9, and start again at once; how long it was away."""
        started = time.monotonic()
        if server == "postgres":
            self.forget_session()
        self.cloud.kill(server)
        self.cloud.restart(server)
        return time.monotonic() - started

    def control(self) -> PubSubControl:
        """The control service of Pub/Sub."""
        return PubSubControl(self.endpoints.pubsub)

    def stats(self) -> dict[str, SubscriptionStats]:
        """Each subscription by its short name."""

        def ask() -> dict[str, SubscriptionStats]:
            with self.control() as control:
                return {name.rpartition("/")[2]: stats for name, stats in control.stats().items()}

        return patiently(ask)


def patiently(ask: Callable[[], dict[str, SubscriptionStats]]) -> dict[str, SubscriptionStats]:
    """Pub/Sub may have been started a moment ago."""
    deadline = time.monotonic() + CONTROL_SECONDS
    while True:
        try:
            return ask()
        except ControlRefused:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)


@contextmanager
def running(home: Path, seed: str) -> Iterator[Running]:
    """A cloud of its own in `home` for the length of the `with`, whatever servers the environment names."""
    kept = dict(os.environ)
    for name in GIVEN:
        os.environ.pop(name, None)
    try:
        with Proxies(seed) as proxies, Webhook() as webhook:
            cloud = ChaosCloud(home, proxies, webhook)
            endpoints = cloud.start()
            try:
                os.environ.update(endpoints.environment())
                pushed = replace(endpoints, functions=proxies.between("functions", endpoints.functions))
                create_all(pushed)
                system = Running(cloud, endpoints, proxies)
                try:
                    yield system
                finally:
                    system.forget_session()
            finally:
                cloud.stop()
    finally:
        os.environ.clear()
        os.environ.update(kept)
