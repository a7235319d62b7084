"""Subscriptions as Pub/Sub describes them: as Terraform makes them, then one broken in a way that only Google knows."""

from __future__ import annotations

import json
from collections.abc import Callable
from types import SimpleNamespace

import pytest
from google.protobuf.duration_pb2 import Duration
from google.pubsub_v1.types import (
    CloudStorageConfig,
    DeadLetterPolicy,
    PushConfig,
    RetryPolicy,
    Subscription,
)

from cli.doctor.access import PUBLISHER, RAW_WRITER, SIGNER, SUBSCRIBER, check_agents
from cli.doctor.installation import RAW_COPY, TERRAFORM, Installation
from cli.doctor.messaging import check_subscriptions
from local.table import read_table
from tests.integration.doctor.google import Answer, Google

AGENT = "serviceAccount:service-1@gcp-sa-pubsub.iam.gserviceaccount.com"
STORAGE = "serviceAccount:service-1@gs-project-accounts.iam.gserviceaccount.com"
CALLER, RAW = "push@shop.iam.gserviceaccount.com", "shop-raw"
Damage = Callable[[Subscription], None]


def subscription(name: str, topic: str, **delivered: object) -> Subscription:
    return Subscription(
        name=f"projects/shop/subscriptions/{name}", topic=f"projects/shop/topics/{topic}", ack_deadline_seconds=600,
        state=Subscription.State.ACTIVE,
        retry_policy=RetryPolicy(minimum_backoff=Duration(seconds=10), maximum_backoff=Duration(seconds=600)),
        dead_letter_policy=DeadLetterPolicy(
            dead_letter_topic=f"projects/shop/topics/{name}-dead", max_delivery_attempts=20
        ),
        **delivered,
    )  # fmt: skip


@pytest.fixture
def subscriptions() -> dict[str, Subscription]:
    """All of an installation, as they should be."""
    made = {}
    for function in read_table().functions:
        url = f"https://{function.name}.run.app"
        push = PushConfig(push_endpoint=url, oidc_token={"service_account_email": CALLER, "audience": url})
        for topic in function.topics:
            made[f"{function.name}-{topic}"] = subscription(f"{function.name}-{topic}", topic, push_config=push)
    stored = CloudStorageConfig(bucket=RAW, state=CloudStorageConfig.State.ACTIVE)
    return made | {RAW_COPY: subscription(RAW_COPY, "transactions", cloud_storage_config=stored)}


@pytest.fixture
def patient(documented: Google, subscriptions: dict[str, Subscription]) -> Installation:
    """An installation that has these subscriptions, and no keys."""
    environ = {
        "GOOGLE_CLOUD_PROJECT": "shop", "LANDING_BUCKET": "shop-landing", "LAKE_BUCKET": "shop-lake",
        "QUARANTINE_BUCKET": "shop-quarantine",
        "FUNCTION_URLS": json.dumps({one.name: f"https://{one.name}.run.app" for one in read_table().functions}),
    }  # fmt: skip
    made = Installation(environ, documented.api())
    made.__dict__ |= {
        "subscriber": SimpleNamespace(list_subscriptions=lambda **_: iter(subscriptions.values())),
        "publisher": SimpleNamespace(list_topics=lambda **_: iter(())),
        "storage": SimpleNamespace(get_bucket=lambda _: SimpleNamespace(default_kms_key_name=None)),
    }
    return made


def test_subscriptions_as_terraform_makes_them_are_sound(patient: Installation) -> None:
    assert check_subscriptions(patient).faults == []


@pytest.mark.parametrize(
    ("state", "advice"),
    [
        ("PERMISSION_DENIED", "see the step `agents`"),
        ("NOT_FOUND", "the bucket is gone"),
        ("IN_TRANSIT_LOCATION_RESTRICTION", "message_storage_policy"),
        ("SCHEMA_MISMATCH", TERRAFORM),
        ("STATE_UNSPECIFIED", TERRAFORM),
    ],
)
def test_a_raw_copy_that_writes_nothing_is_told_with_what_to_do(
    patient: Installation, subscriptions: dict[str, Subscription], state: str, advice: str
) -> None:
    subscriptions[RAW_COPY].cloud_storage_config.state = getattr(CloudStorageConfig.State, state)
    (fault,) = check_subscriptions(patient).faults
    assert fault.told == f"{RAW_COPY} writes nothing to {RAW}: {state}"
    assert advice in fault.advice


def detach(one: Subscription) -> None:
    one.detached = True


def stop(one: Subscription) -> None:
    one.state = Subscription.State.RESOURCE_ERROR  # type: ignore[assignment]  # its types say int


def give_up_elsewhere(one: Subscription) -> None:
    one.dead_letter_policy.dead_letter_topic = "projects/shop/topics/other-dead"


def never_give_up(one: Subscription) -> None:
    one.dead_letter_policy = DeadLetterPolicy()


@pytest.mark.parametrize("name", ["validate-transactions", RAW_COPY])
@pytest.mark.parametrize(
    ("damage", "told"),
    [
        (detach, "it is detached from its topic and gets nothing"),
        (stop, "its state is RESOURCE_ERROR: it cannot deliver"),
        (give_up_elsewhere, "dead-letter topic is projects/shop/topics/other-dead, not"),
        (never_give_up, "dead-letter topic is none, not"),
    ],
)
def test_what_cannot_deliver_or_loses_what_it_gives_up_is_told(
    patient: Installation, subscriptions: dict[str, Subscription], name: str, damage: Damage, told: str
) -> None:
    damage(subscriptions[name])
    (fault,) = check_subscriptions(patient).faults
    assert fault.told.startswith(f"{name}: {told}")
    assert (f"delete subscription {name}, then" in fault.advice) == (damage is detach)


def test_a_raw_copy_without_a_bucket_keeps_nothing(
    patient: Installation, subscriptions: dict[str, Subscription]
) -> None:
    subscriptions[RAW_COPY].cloud_storage_config = CloudStorageConfig()
    (fault,) = check_subscriptions(patient).faults
    assert "does not keep the messages of topic transactions in a bucket" in fault.told


def granted(*members: tuple[str, str]) -> Answer:
    return {"bindings": [{"role": role, "members": [member]} for role, member in members]}


def test_the_bucket_of_the_raw_copy_is_asked_for_the_grants_to_pubsub(
    patient: Installation, documented: Google
) -> None:
    documented.answers |= {
        "GET v3/projects/shop": {"name": "projects/1"},
        "POST v3/projects/shop:getIamPolicy": granted(
            (PUBLISHER, AGENT), (SUBSCRIBER, AGENT), (PUBLISHER, STORAGE), (SIGNER, AGENT)
        ),
        f"GET storage/v1/b/{RAW}/iam": granted(*((role, AGENT) for role in RAW_WRITER)),
    }  # fmt: skip
    assert check_agents(patient).faults == []
    documented.answers[f"GET storage/v1/b/{RAW}/iam"] = granted((RAW_WRITER[1], AGENT))
    (fault,) = check_agents(patient).faults
    assert fault.told.endswith(f"has no roles/storage.objectCreator on {RAW}")
