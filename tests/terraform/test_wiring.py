"""The wiring that is tested on a laptop is the wiring that is deployed, but for what is named here with its reason."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from deploy.planned import Plan
from local.resources import create_buckets, create_topics, create_warehouse
from local.stack import Endpoints
from local.table import read_table
from shared.adapters.warehouse import bigquery_client
from tests.contract.adapters.servers import Servers, settings_for
from tests.terraform.wiring import Wiring, wiring_here, wiring_of

FUNCTIONS = "http://127.0.0.1:8080"

DEPLOYED_ONLY = {
    "raw-transactions": "the stream as it came, by a Cloud Storage subscription, which the local Pub/Sub has not",
    "raw-transactions-dead": "its dead letters",
}


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Wiring]:
    """What the local cloud makes of functions.yaml and sql/bigquery, on servers of its own."""
    servers = Servers(tmp_path_factory.mktemp("wiring"))
    try:
        pubsub, warehouse = (f"127.0.0.1:{servers.get(name).port}" for name in ("pubsub", "warehouse"))
        storage = f"http://127.0.0.1:{servers.get('storage', '--pubsub', pubsub).port}"
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("PUBSUB_EMULATOR_HOST", pubsub)
            patch.setenv("STORAGE_EMULATOR_HOST", storage)
            patch.setenv("BIGQUERY_EMULATOR_HOST", f"http://{warehouse}")
            create_topics(Endpoints(storage, pubsub, warehouse, "", FUNCTIONS, "", ""))
            create_buckets()
            client = bigquery_client(settings_for(""))
            create_warehouse(client)
            yield wiring_here(client, FUNCTIONS)
            client.close()  # type: ignore[no-untyped-call]
    finally:
        servers.stop()


@pytest.fixture(scope="module")
def deployed(plan: Plan) -> Wiring:
    return wiring_of(plan)


def test_topics_are_the_same(here: Wiring, deployed: Wiring) -> None:
    assert deployed.topics - here.topics == {name for name in DEPLOYED_ONLY if name.endswith("-dead")}
    assert here.topics <= deployed.topics


@pytest.mark.parametrize("topic", read_table().topics)
def test_a_topic_is_read_the_same_way(topic: str, here: Wiring, deployed: Wiring) -> None:
    """Name, function, ack deadline, backoff, attempts, dead-letter topic and retention of each of its subscriptions."""
    expected = {name: read for name, read in here.subscriptions.items() if read.topic == topic}
    found = {name: read for name, read in deployed.subscriptions.items() if read.topic == topic}
    assert expected, "nothing reads it"
    assert {name: read for name, read in found.items() if name not in DEPLOYED_ONLY} == expected


def test_dead_letters_are_kept_the_same_way(here: Wiring, deployed: Wiring) -> None:
    """Pulled; the time to acknowledge is the operator's command's own, and differs."""
    expected = {n: replace(r, ack_deadline_seconds=0) for n, r in here.subscriptions.items() if r.function is None}
    found = {n: replace(r, ack_deadline_seconds=0) for n, r in deployed.subscriptions.items() if r.function is None}
    assert {name: read for name, read in found.items() if name not in DEPLOYED_ONLY} == expected


def test_only_what_is_named_is_deployed_and_not_here(here: Wiring, deployed: Wiring) -> None:
    assert deployed.subscriptions.keys() - here.subscriptions.keys() == DEPLOYED_ONLY.keys()


def test_schedules_and_their_retries_are_the_same(here: Wiring, deployed: Wiring) -> None:
    assert deployed.schedules == here.schedules


def test_the_landing_bucket_tells_the_same_topic_in_the_same_form(here: Wiring, deployed: Wiring) -> None:
    assert deployed.notifications == here.notifications


def test_datasets_are_the_same(here: Wiring, deployed: Wiring) -> None:
    assert deployed.datasets == here.datasets


def test_tables_and_views_are_the_same(here: Wiring, deployed: Wiring) -> None:
    assert deployed.tables.keys() == here.tables.keys()
    for name, table in here.tables.items():
        assert deployed.tables[name] == table, name
