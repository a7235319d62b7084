"""The ways that files and messages take: buckets, topics, subscriptions, dead letters, and what waits in them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from google.api_core import exceptions as gax
from google.pubsub_v1.types import CloudStorageConfig, Subscription

from cli.doctor.installation import RAW_COPY, Installation
from cli.doctor.steps import Fault, Found
from local.pubsub.control import PubSubControl
from local.resources import ACK_DEADLINE_SECONDS, ATTEMPTS, MAX_BACKOFF_SECONDS, MIN_BACKOFF_SECONDS
from shared.domain.redriving import is_dead_letter_subscription

ARRIVAL = "OBJECT_FINALIZE"
LONGEST_WAIT = 300.0
LONGEST_KEPT = 900.0
"""Seconds: what waits longer is critical, as the alert on the oldest unacknowledged message has it. A message of the
raw copy waits until its file is written, every five minutes."""
STORING = CloudStorageConfig.State
UNSTORED = {
    STORING.PERMISSION_DENIED: "see the step `agents`: the bucket's grants to Pub/Sub's agent, or the key's",
    STORING.NOT_FOUND: "the bucket is gone: make it again within 7 days, as long as the messages wait",
    STORING.IN_TRANSIT_LOCATION_RESTRICTION: "the topic's regions (message_storage_policy) must have the bucket's",
}
"""What to do where a subscription writes nothing to its bucket; the messages wait for 7 days."""
LOOK_BACK = timedelta(minutes=10)
WAITING = "num_undelivered_messages"
OLDEST = "oldest_unacked_message_age"


def check_buckets(patient: Installation) -> Found:
    """The buckets are there, and the landing bucket tells topic uploads of each new object."""
    settings = patient.settings
    faults = []
    for variable, name in (
        ("LANDING_BUCKET", settings.landing_bucket), ("LAKE_BUCKET", settings.lake_bucket),
        ("QUARANTINE_BUCKET", settings.quarantine_bucket),
    ):  # fmt: skip
        if patient.storage.lookup_bucket(name) is None:
            faults.append(Fault(f"bucket {name} ({variable}) is not there", patient.made_by))
    if not faults and not _notified(patient):
        told = f"bucket {settings.landing_bucket} sends no {ARRIVAL} to topic uploads: files that land are not seen"
        faults.append(Fault(told, f"{patient.made_by}; `sluice trigger reconcile` names the files that were missed"))
    return Found("3 buckets, arrivals go to topic uploads", faults)


def _notified(patient: Installation) -> bool:
    landing = patient.storage.bucket(patient.settings.landing_bucket)
    return any(
        one.topic_name == "uploads"
        and (one.event_types is None or ARRIVAL in one.event_types)
        and one.payload_format == "JSON_API_V1"
        for one in landing.list_notifications()
    )


def check_topics(patient: Installation) -> Found:
    """Every topic of functions.yaml is there, and a dead-letter topic for each function on it."""
    wanted = [*patient.topics, *(f"{name}-dead" for name in patient.deliveries)]
    faults = []
    for name in wanted:
        try:
            patient.publisher.get_topic(topic=patient.topic(name))
        except gax.NotFound:
            faults.append(Fault(f"topic {name} is not there", patient.made_by))
    return Found(f"{len(wanted)} topics", faults)


def check_subscriptions(patient: Installation) -> Found:
    """Each function has its subscription on each of its topics, exactly as functions.yaml and the house say."""
    found = _subscriptions(patient)
    faults = []
    for function, topic in patient.pairs:
        name = f"{function}-{topic}"
        if name not in found:
            told = f"{name} is not there: what is published to {topic} does not reach {function}"
            faults.append(Fault(told, patient.made_by))
            continue
        wrong = [*_differences(patient, name, topic, found[name]), *_push(patient, function, found[name])]
        if wrong:
            faults.append(Fault(f"{name}: {', '.join(wrong)}", _set_right(patient, found[name])))
    if patient.api:
        faults += _raw_copy(patient, found.get(RAW_COPY))
    return Found(f"{len(patient.deliveries)} subscriptions, as functions.yaml says", faults)


def _raw_copy(patient: Installation, found: Subscription | None) -> Iterator[Fault]:
    """The stream as it came is kept in a bucket, by a subscription of its own."""
    if found is None or not found.cloud_storage_config.bucket:
        yield Fault(f"{RAW_COPY} does not keep the messages of topic transactions in a bucket", patient.made_by)
        return
    if wrong := list(_differences(patient, RAW_COPY, "transactions", found)):
        yield Fault(f"{RAW_COPY}: {', '.join(wrong)}", _set_right(patient, found))
    bucket, state = found.cloud_storage_config.bucket, found.cloud_storage_config.state
    if state != STORING.ACTIVE:
        yield Fault(f"{RAW_COPY} writes nothing to {bucket}: {state.name}", UNSTORED.get(state, patient.made_by))


def _set_right(patient: Installation, found: Subscription) -> str:
    """Terraform puts a setting right; nothing attaches a subscription again, and what waited in it is gone."""
    if patient.api and not found.detached:
        return patient.made_by
    return f"delete subscription {found.name.rpartition('/')[2]}, then {patient.made_by}"


def _push(patient: Installation, function: str, found: Subscription) -> Iterator[str]:
    push, endpoint = found.push_config, patient.function_urls[function].rstrip("/")
    yield from _told(("push endpoint", push.push_endpoint.rstrip("/"), endpoint))
    if patient.api:
        yield from _told(("OIDC audience", push.oidc_token.audience.rstrip("/"), endpoint))
        if not push.oidc_token.service_account_email:
            yield "no OIDC account signs its pushes"


def _differences(patient: Installation, name: str, topic: str, found: Subscription) -> Iterator[str]:
    policy, retry = found.dead_letter_policy, found.retry_policy
    if found.detached:
        yield "it is detached from its topic and gets nothing"
    if found.state == Subscription.State.RESOURCE_ERROR:
        yield "its state is RESOURCE_ERROR: it cannot deliver"
    yield from _told(
        ("topic", found.topic, patient.topic(topic)),
        ("ack deadline", found.ack_deadline_seconds, ACK_DEADLINE_SECONDS),
        ("dead-letter topic", policy.dead_letter_topic, patient.topic(f"{name}-dead")),
        ("attempts", policy.max_delivery_attempts, ATTEMPTS),
        ("least backoff", _seconds(retry.minimum_backoff), MIN_BACKOFF_SECONDS),
        ("most backoff", _seconds(retry.maximum_backoff), MAX_BACKOFF_SECONDS),
    )


def _told(*settings: tuple[str, object, object]) -> Iterator[str]:
    for what, is_now, wanted in settings:
        if is_now != wanted:
            yield f"{what} is {is_now or 'none'}, not {wanted}"


def _seconds(duration: Any) -> int:
    """The client gives a duration as a timedelta, whatever its types say."""
    return int(duration.total_seconds())


def check_dead_letters(patient: Installation) -> Found:
    """Each dead-letter topic has a subscription: without one what is given up is lost."""
    found = _subscriptions(patient)
    faults = [
        Fault(f"topic {dead} has no subscription {dead}: dead letters would be lost", patient.made_by)
        for dead in (f"{name}-dead" for name in patient.deliveries)
        if dead not in found or found[dead].topic != patient.topic(dead)
    ]
    return Found(f"{len(patient.deliveries)} dead-letter subscriptions", faults)


def check_backlog(patient: Installation) -> Found:
    """Nothing lies in a dead-letter subscription, and no message waits for long."""
    waiting, oldest = _measured(patient) if patient.api else _local(os.environ["PUBSUB_EMULATOR_HOST"])
    faults = [
        Fault(f"{number:,} dead letters in {name}", "sluice deadletter list; runbook: dead-letters")
        for name, number in sorted(waiting.items())
        if is_dead_letter_subscription(name) and number
    ]
    faults += [
        Fault(f"a message of {name} waits for {age:,.0f} s", "runbook: a-backlog-grows, a-function-keeps-failing")
        for name, age in sorted(oldest.items())
        if not is_dead_letter_subscription(name) and age > (LONGEST_KEPT if name == RAW_COPY else LONGEST_WAIT)
    ]
    return Found(f"{sum(waiting.values()):,} messages wait, no dead letters", faults)


def _local(host: str) -> tuple[dict[str, int], dict[str, float]]:
    with PubSubControl(host) as control:
        stats = {name.rpartition("/")[2]: one for name, one in control.stats().items()}
    return (
        {name: one.undelivered + one.outstanding for name, one in stats.items()},
        {name: one.oldest_unacked_seconds for name, one in stats.items()},
    )


def _measured(patient: Installation) -> tuple[dict[str, int], dict[str, float]]:
    """Cloud Monitoring's newest values; they are one to four minutes old
    (https://cloud.google.com/monitoring/api/metrics_gcp_p_z#gcp-pubsub)."""
    waiting = {name: int(value) for name, value in _metric(patient, WAITING)}
    return waiting, {name: float(value) for name, value in _metric(patient, OLDEST)}


def _metric(patient: Installation, metric: str) -> Iterator[tuple[str, str]]:
    now = datetime.now(UTC)
    series = patient.cloud.pages(
        "monitoring", f"v3/projects/{patient.settings.project}/timeSeries", "timeSeries",
        filter=f'metric.type = "pubsub.googleapis.com/subscription/{metric}"',
        **{"interval.startTime": (now - LOOK_BACK).isoformat(), "interval.endTime": now.isoformat()},
    )  # fmt: skip
    for one in series:
        if points := one.get("points"):
            yield one["resource"]["labels"]["subscription_id"], points[0]["value"]["int64Value"]


def _subscriptions(patient: Installation) -> dict[str, Subscription]:
    listed = patient.subscriber.list_subscriptions(project=f"projects/{patient.settings.project}")
    return {one.name.rpartition("/")[2]: one for one in listed}
