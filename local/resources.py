"""What Terraform makes in a real project, made in the local cloud: buckets, topics, subscriptions, datasets, tables."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import yaml
from google.api_core import exceptions as gax
from google.cloud import bigquery, pubsub_v1, storage  # type: ignore[attr-defined]  # mypy sees one part
from google.protobuf.duration_pb2 import Duration
from google.pubsub_v1.types import DeadLetterPolicy, PushConfig, RetryPolicy, Subscription

from local.database_users import make_users
from local.stack import BUCKETS, PROJECT, Endpoints
from local.table import ROOT, read_table
from shared.adapters.migrations import migrate
from shared.adapters.postgres import connect
from shared.adapters.warehouse import bigquery_client
from shared.settings import load_settings

ACK_DEADLINE_SECONDS = 600
MIN_BACKOFF_SECONDS = 10
MAX_BACKOFF_SECONDS = 600
ATTEMPTS = 20
TABLES = ROOT / "sql" / "bigquery"
LOCATION = "EU"


def create_all(endpoints: Endpoints) -> None:
    """Create what is missing; what is there is brought up to date. Safe to run at every start."""
    create_topics(endpoints)
    create_buckets()
    create_warehouse(bigquery_client(load_settings(endpoints.environment())))
    session = connect(load_settings(endpoints.environment()), application_name="sluice-migrate")
    try:
        migrate(session)
        make_users(session)
    finally:
        session.close()


def create_topics(endpoints: Endpoints) -> None:
    """Create the topics, and for each function and topic a push subscription with its dead letters."""
    publisher, subscriber = pubsub_v1.PublisherClient(), pubsub_v1.SubscriberClient()
    wiring = read_table()
    with subscriber:
        for topic in wiring.topics:
            _create_topic(publisher, topic)
        for function in wiring.functions:
            for topic in function.topics:
                dead = f"{function.name}-{topic}-dead"
                _create_topic(publisher, dead)
                _create_subscription(subscriber, Subscription(name=_subscription(dead), topic=_topic(dead)))
                _create_subscription(
                    subscriber,
                    Subscription(
                        name=_subscription(f"{function.name}-{topic}"),
                        topic=_topic(topic),
                        ack_deadline_seconds=ACK_DEADLINE_SECONDS,
                        push_config=PushConfig(push_endpoint=f"{endpoints.functions}/{function.name}/"),
                        retry_policy=RetryPolicy(
                            minimum_backoff=Duration(seconds=MIN_BACKOFF_SECONDS),
                            maximum_backoff=Duration(seconds=MAX_BACKOFF_SECONDS),
                        ),
                        dead_letter_policy=DeadLetterPolicy(
                            dead_letter_topic=_topic(dead), max_delivery_attempts=ATTEMPTS
                        ),
                    ),
                )


def _topic(name: str) -> str:
    return f"projects/{PROJECT}/topics/{name}"


def _subscription(name: str) -> str:
    return f"projects/{PROJECT}/subscriptions/{name}"


def _create_topic(publisher: pubsub_v1.PublisherClient, name: str) -> None:
    try:
        publisher.create_topic(name=_topic(name))
    except gax.AlreadyExists:
        return


def _create_subscription(subscriber: pubsub_v1.SubscriberClient, wanted: Subscription) -> None:
    """Where it is there, only the push endpoint can have moved."""
    try:
        subscriber.create_subscription(request=wanted)
    except gax.AlreadyExists:
        if wanted.push_config.push_endpoint:
            subscriber.modify_push_config(subscription=wanted.name, push_config=wanted.push_config)


def create_buckets() -> None:
    """Create the buckets; the landing bucket tells the topic `uploads` of each object."""
    client = storage.Client(project=PROJECT)
    for name in BUCKETS.values():
        try:
            client.create_bucket(name)
        except gax.Conflict:
            continue
    landing = client.bucket(BUCKETS["LANDING_BUCKET"])
    if not list(landing.list_notifications()):
        landing.notification(
            topic_name="uploads", topic_project=PROJECT, event_types=["OBJECT_FINALIZE"], payload_format="JSON_API_V1"
        ).create()


def create_warehouse(client: bigquery.Client) -> None:
    """Create the datasets, tables and views that are missing; every view is replaced by what its folder says now."""
    for folder in sorted(
        path for path in TABLES.iterdir() if path.name == "staging" or any(path.glob("*/schema.json"))
    ):
        dataset = bigquery.Dataset(f"{PROJECT}.{folder.name}")
        dataset.location = LOCATION
        if folder.name == "staging":
            dataset.default_table_expiration_ms = 24 * 3600 * 1000
        client.create_dataset(dataset, exists_ok=True)
        for schema in sorted(folder.glob("*/schema.json")):
            if not is_view(schema.parent):
                client.create_table(table_of(schema.parent), exists_ok=True)
    for sql in sorted(TABLES.glob("*/*/view.sql")):
        _replace_view(client, sql.parent)


def _replace_view(client: bigquery.Client, folder: Path) -> None:
    """BigQuery takes the descriptions of columns only for a view that is there."""
    view = bigquery.Table(f"{PROJECT}.{folder.parent.name}.{folder.name}")
    view.view_query = (folder / "view.sql").read_text(encoding="utf-8")
    client.create_table(view, exists_ok=True)
    view.description = _metadata(folder)["description"]
    view.schema = _schema(folder)
    client.update_table(view, ["view_query", "description", "schema"])


def is_view(folder: Path) -> bool:
    """Whether a folder `<dataset>/<table>` describes a view: its schema.json says what view.sql gives."""
    return (folder / "view.sql").exists()


def table_of(folder: Path) -> bigquery.Table:
    """The table that a folder `<dataset>/<table>` with schema.json and metadata.yaml describes."""
    metadata = _metadata(folder)
    table = bigquery.Table(f"{PROJECT}.{folder.parent.name}.{folder.name}", _schema(folder))
    table.description = metadata["description"]
    if partition := metadata.get("partition"):
        table.time_partitioning = bigquery.TimePartitioning(type_="DAY", field=partition)
        table.require_partition_filter = True
    if cluster := metadata.get("cluster"):
        table.clustering_fields = cluster
    return table


def _metadata(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((folder / "metadata.yaml").read_text(encoding="utf-8"))
    return found


def _schema(folder: Path) -> list[bigquery.SchemaField]:
    fields: list[dict[str, Any]] = json.loads((folder / "schema.json").read_text(encoding="utf-8"))
    return [bigquery.SchemaField.from_api_repr(field) for field in fields]
