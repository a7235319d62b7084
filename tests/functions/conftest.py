"""One local cloud for all tests of the functions, each of which is called through functions-framework."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import functions_framework
import pytest
from flask.testing import FlaskClient
from google.cloud.pubsub_v1 import SubscriberClient  # type: ignore[import-untyped]
from google.pubsub_v1.types import Subscription
from werkzeug.test import TestResponse

from local.pubsub.control import PubSubControl
from local.resources import create_all
from local.stack import PROJECT, Endpoints, LocalCloud, Options
from local.table import read_table
from shared.adapters import deadletters, pubsub, sessions, storage
from shared.adapters.postgres import Session, connect
from shared.settings import Settings, load_settings
from tests.functions.harness import Cloud


def _forget_clients() -> None:
    storage.client.cache_clear()
    pubsub.client.cache_clear()
    deadletters.subscriber.cache_clear()
    while sessions._kept:
        sessions._kept.popitem()[1].close()


@pytest.fixture(scope="package")
def endpoints() -> Iterator[Endpoints]:
    """A cloud with its resources and with nothing that acts by itself: no scheduler, no host, no push."""
    home = Path(tempfile.mkdtemp(prefix="sluice-test-"))
    home.chmod(0o755)  # the database server may run as another user
    local = LocalCloud(home, Options(workers=2, duplicate_rate=0))
    try:
        started = local.start()
        for name in ("scheduler", "functions"):
            local.servers[name].stop()
        with pytest.MonkeyPatch.context() as patch:
            for name, value in started.environment().items():
                patch.setenv(name, value)
            _forget_clients()
            create_all(started)
            with PubSubControl(started.pubsub) as control:
                for subscription in control.stats():
                    control.pause(subscription)
            yield started
            _forget_clients()
    finally:
        local.stop()
        shutil.rmtree(home, ignore_errors=True)


@pytest.fixture(scope="package")
def clients() -> dict[str, FlaskClient]:
    """Every function of functions.yaml behind functions-framework, as it is deployed."""
    return {
        function.name: functions_framework.create_app(  # type: ignore[no-untyped-call]
            function.entry_point, str(function.source), "http"
        ).test_client()
        for function in read_table().functions
    }


@pytest.fixture(scope="package")
def subscriber(endpoints: Endpoints) -> Iterator[SubscriberClient]:
    """A subscription of the tests' own on each topic."""
    assert endpoints.pubsub
    with SubscriberClient() as made:
        for topic in read_table().topics:
            name = f"projects/{PROJECT}/subscriptions/tests-{topic}"
            made.create_subscription(request=Subscription(name=name, topic=f"projects/{PROJECT}/topics/{topic}"))
        yield made


@pytest.fixture
def session(endpoints: Endpoints) -> Iterator[Session]:
    """A session of the test's own."""
    opened = connect(load_settings(endpoints.environment()), "tests")
    yield opened
    opened.close()


@pytest.fixture
def cloud_settings(endpoints: Endpoints) -> Settings:
    """The settings that the functions have."""
    return load_settings(endpoints.environment())


@pytest.fixture
def cloud(session: Session, subscriber: SubscriberClient, clients: dict[str, FlaskClient]) -> Cloud:
    def post(function: str, body: dict[str, Any]) -> TestResponse:
        return clients[function].post("/", json=body)

    def get(function: str, path: str, **options: Any) -> TestResponse:
        return clients[function].get(path, **options)

    return Cloud(session, subscriber, post, get)


@pytest.fixture(scope="package")
def product_api_url(endpoints: Endpoints) -> str:
    """Where the simulated product API of the local cloud answers."""
    return endpoints.product_api
