"""How messages, calls and tables are wired, in one form for a plan and for the local cloud."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from google.cloud import bigquery, pubsub_v1, storage  # type: ignore[attr-defined]  # mypy sees one part

from deploy.planned import Plan, Resource
from deploy.policies.calls import target
from local.scheduler import RETRIES, Scheduler
from local.stack import BUCKETS, PROJECT

STANDARD = {"INTEGER": "INT64", "FLOAT": "FLOAT64", "BOOLEAN": "BOOL"}
"""BigQuery answers with the older names of types."""


@dataclass(frozen=True)
class Read:
    """A subscription: `function` is whom it pushes to; None where it is pulled."""

    topic: str
    function: str | None
    ack_deadline_seconds: int
    min_backoff_seconds: int | None
    max_backoff_seconds: int | None
    attempts: int | None
    dead_letter_topic: str | None
    retention_seconds: int


@dataclass(frozen=True)
class Table:
    """A table or view of the warehouse: columns as (name, type, mode, description)."""

    columns: tuple[tuple[str, str, str, str], ...]
    partition: str | None
    filtered: bool
    cluster: tuple[str, ...]
    view: str | None


@dataclass(frozen=True)
class Wiring:
    """All of it. `schedules`: function => cron in UTC, retries. `notifications`: bucket => topic, events, format."""

    topics: frozenset[str]
    subscriptions: dict[str, Read]
    schedules: dict[str, tuple[str, int]]
    notifications: dict[str, tuple[str, tuple[str, ...], str]]
    datasets: dict[str, tuple[str, int | None]]
    tables: dict[str, Table]


def wiring_of(plan: Plan) -> Wiring:
    """What a settled plan deploys."""
    return Wiring(
        topics=frozenset(str(topic.at("name")) for topic in plan.of("google_pubsub_topic")),
        subscriptions={str(s.at("name")): _planned_read(plan, s) for s in plan.of("google_pubsub_subscription")},
        schedules={
            str(_function(plan, job.at("http_target.uri"))): (job.at("schedule"), job.at("retry_config.retry_count"))
            for job in plan.of("google_cloud_scheduler_job")
            if job.at("time_zone") == "Etc/UTC"
        },
        notifications={
            _purpose(n.at("bucket")): (_topic(plan, n.at("topic")), tuple(n.all("event_types")), n.at("payload_format"))
            for n in plan.of("google_storage_notification")
        },
        datasets={
            d.at("dataset_id"): (d.at("location"), d.at("default_table_expiration_ms"))
            for d in plan.of("google_bigquery_dataset")
        },
        tables={
            f"{t.at('dataset_id')}.{t.at('table_id')}": _planned_table(t) for t in plan.of("google_bigquery_table")
        },
    )


def wiring_here(client: bigquery.Client, functions_url: str) -> Wiring:
    """What is on the running local servers, read by Google's clients."""
    with pubsub_v1.SubscriberClient() as subscriber:
        found = list(subscriber.list_subscriptions(project=f"projects/{PROJECT}"))
    topics = pubsub_v1.PublisherClient().list_topics(project=f"projects/{PROJECT}")
    buckets = storage.Client(project=PROJECT)
    tables = [table for dataset in client.list_datasets() for table in client.list_tables(dataset)]
    return Wiring(
        topics=frozenset(_last(topic.name) for topic in topics),
        subscriptions={_last(s.name): _local_read(s, functions_url) for s in found},
        schedules={name: (f.schedules[0], RETRIES) for name, f in Scheduler(functions_url).jobs.items()},
        notifications={
            _purpose(bucket): (note.topic_name, tuple(note.event_types), note.payload_format)
            for bucket in BUCKETS.values()
            for note in buckets.bucket(bucket).list_notifications()
        },
        datasets={
            d.dataset_id: (d.location, d.default_table_expiration_ms)
            for d in (client.get_dataset(listed.reference) for listed in client.list_datasets())
        },
        tables={f"{t.dataset_id}.{t.table_id}": _local_table(client.get_table(t.reference)) for t in tables},
    )


def _planned_read(plan: Plan, subscription: Resource) -> Read:
    dead = subscription.at("dead_letter_policy.dead_letter_topic")
    return Read(
        topic=_topic(plan, subscription.at("topic")),
        function=_function(plan, subscription.at("push_config.push_endpoint")),
        ack_deadline_seconds=subscription.at("ack_deadline_seconds"),
        min_backoff_seconds=_seconds(subscription.at("retry_policy.minimum_backoff")),
        max_backoff_seconds=_seconds(subscription.at("retry_policy.maximum_backoff")),
        attempts=subscription.at("dead_letter_policy.max_delivery_attempts"),
        dead_letter_topic=_topic(plan, dead) if dead else None,
        retention_seconds=_seconds(subscription.at("message_retention_duration")) or 0,
    )


def _local_read(found: Any, functions_url: str) -> Read:
    retry, dead = found.retry_policy, found.dead_letter_policy
    endpoint = found.push_config.push_endpoint
    return Read(
        topic=_last(found.topic),
        function=endpoint.removeprefix(functions_url).strip("/") or None,
        ack_deadline_seconds=found.ack_deadline_seconds,
        min_backoff_seconds=retry.minimum_backoff.seconds if retry else None,
        max_backoff_seconds=retry.maximum_backoff.seconds if retry else None,
        attempts=dead.max_delivery_attempts if dead else None,
        dead_letter_topic=_last(dead.dead_letter_topic) if dead else None,
        retention_seconds=int(found.message_retention_duration.total_seconds()),
    )


def _planned_table(table: Resource) -> Table:
    columns = json.loads(table.at("schema"))
    return Table(
        columns=tuple(
            (c["name"], _type(c["type"]), c.get("mode", "NULLABLE"), c.get("description", "")) for c in columns
        ),
        partition=table.at("time_partitioning.field"),
        filtered=bool(table.at("require_partition_filter")),
        cluster=tuple(table.all("clustering")),
        view=table.at("view.query"),
    )


def _local_table(table: bigquery.Table) -> Table:
    return Table(
        columns=tuple((f.name, _type(f.field_type), f.mode, f.description or "") for f in table.schema),
        partition=table.time_partitioning.field if table.time_partitioning else None,
        filtered=bool(table.require_partition_filter),
        cluster=tuple(table.clustering_fields or ()),
        view=table.view_query,
    )


def _type(name: str) -> str:
    return STANDARD.get(name, name)


def _function(plan: Plan, url: str | None) -> str | None:
    """The function's name as functions.yaml has it."""
    found = target(plan, url or "")
    return str(found.at("name")).replace("-", "_") if found else None


def _topic(plan: Plan, reference: str) -> str:
    found = plan.find("google_pubsub_topic", reference)
    return str(found.at("name")) if found else reference


def _seconds(duration: str | None) -> int | None:
    return int(duration.removesuffix("s")) if duration else None


def _purpose(bucket: str) -> str:
    return bucket.rpartition("-")[2]


def _last(path: str) -> str:
    return path.rpartition("/")[2]
