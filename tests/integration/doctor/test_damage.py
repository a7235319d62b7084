"""The local cloud is broken on purpose: the doctor finds exactly that and says what to do.

Each test mends what it broke; that the next one finds nothing but its own damage shows that it was the cause.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest
from google.cloud import pubsub_v1, storage  # type: ignore[attr-defined]
from google.protobuf.duration_pb2 import Duration
from google.pubsub_v1.types import DeadLetterPolicy, RetryPolicy, Subscription

from cli.doctor.checkup import CANARY, STEPS
from cli.doctor.installation import Installation
from cli.doctor.steps import Result, run_steps
from cli.jobs import LocalJobs
from local.resources import create_all, create_warehouse
from local.stack import BUCKETS, PROJECT
from shared.adapters.warehouse import bigquery_client
from shared.domain.redriving import REDRIVES
from shared.settings import load_settings
from tests.integration.pipeline.harness import Pipeline, wait_until

LOCAL_HAS_NONE = {"credentials", "apis", "agents", "secrets"}


def look() -> dict[str, Result]:
    """What the doctor says of each step, without a canary."""
    patient = Installation(dict(os.environ), None)
    try:
        return {result.step: result for result in run_steps(STEPS, patient, {CANARY})}
    finally:
        patient.close()


@contextmanager
def broken(step: str, found: str, advice: str, skipped: set[str] | None = None) -> Iterator[None]:
    """When the block has run, exactly this step fails and these are skipped; the caller mends it afterwards.

    A job that its schedule happened to run meanwhile may have failed for the same cause: that is true as well.
    """
    yield
    steps = look()
    failed = [name for name, one in steps.items() if one.verdict == "failed"]
    if step != "scheduler" and steps["scheduler"].found.startswith("the last attempt of"):
        failed.remove("scheduler")
    assert failed == [step], steps
    wanted = LOCAL_HAS_NONE | {CANARY} | (skipped or set())
    assert {name for name, one in steps.items() if one.verdict == "skipped"} == wanted
    assert found in steps[step].found
    assert advice in steps[step].advice


@pytest.fixture(autouse=True)
def no_job_of_an_earlier_test_failed(running: Pipeline) -> None:
    for job in LocalJobs(running.scheduler).list():
        if job.failed:
            running.sluice("trigger", job.name)


@pytest.fixture
def subscriber() -> Iterator[pubsub_v1.SubscriberClient]:
    with pubsub_v1.SubscriberClient() as client:
        yield client


def name_of(subscription: str) -> str:
    return f"projects/{PROJECT}/subscriptions/{subscription}"


def backoff(least: int, most: int) -> RetryPolicy:
    return RetryPolicy(minimum_backoff=Duration(seconds=least), maximum_backoff=Duration(seconds=most))


def given_up(attempts: int, topic: str) -> DeadLetterPolicy:
    return DeadLetterPolicy(dead_letter_topic=f"projects/{PROJECT}/topics/{topic}", max_delivery_attempts=attempts)


def again(running: Pipeline) -> None:
    """What `sluice up` does at its start."""
    assert running.run.cloud.endpoints
    create_all(running.run.cloud.endpoints)


def test_a_deleted_subscription(running: Pipeline, subscriber: pubsub_v1.SubscriberClient) -> None:
    with broken("subscriptions", "load_postgres-validated is not there", "start it again"):
        subscriber.delete_subscription(subscription=name_of("load_postgres-validated"))
    again(running)


@pytest.mark.parametrize(
    ("field", "damage", "told"),
    [
        ("ack_deadline_seconds", {"ack_deadline_seconds": 10}, "ack deadline is 10, not 600"),
        ("retry_policy", {"retry_policy": backoff(11, 600)}, "least backoff is 11, not 10"),
        ("retry_policy", {"retry_policy": backoff(10, 60)}, "most backoff is 60, not 600"),
        ("dead_letter_policy", {"dead_letter_policy": given_up(5, "validate-chunks-dead")}, "attempts is 5, not 20"),
        (
            "dead_letter_policy",
            {"dead_letter_policy": given_up(20, "notify-alerts-dead")},
            f"dead-letter topic is projects/{PROJECT}/topics/notify-alerts-dead, not",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_subscription_that_is_not_as_the_house_has_it(
    field: str, damage: dict[str, Any], told: str, subscriber: pubsub_v1.SubscriberClient
) -> None:
    name = name_of("validate-chunks")
    whole = subscriber.get_subscription(subscription=name)

    def put(changed: Subscription) -> None:
        subscriber.update_subscription(request={"subscription": changed, "update_mask": {"paths": [field]}})

    with broken("subscriptions", f"validate-chunks: {told}", "delete subscription validate-chunks"):
        put(Subscription(name=name, **damage))
    put(whole)


def test_a_push_to_nowhere(running: Pipeline, subscriber: pubsub_v1.SubscriberClient) -> None:
    with broken("subscriptions", "notify-alerts: push endpoint is http://127.0.0.1:1/x, not http", "delete"):
        subscriber.modify_push_config(
            subscription=name_of("notify-alerts"), push_config={"push_endpoint": "http://127.0.0.1:1/x"}
        )
    again(running)


def test_a_deleted_topic(running: Pipeline, subscriber: pubsub_v1.SubscriberClient) -> None:
    publisher = pubsub_v1.PublisherClient()
    with broken("topics", "topic alerts is not there", "start it again", {"subscriptions", "deadletters"}):
        publisher.delete_topic(topic=f"projects/{PROJECT}/topics/alerts")
    subscriber.delete_subscription(subscription=name_of("notify-alerts"))  # it would keep the topic that is gone
    again(running)


def test_dead_letters_that_nobody_keeps(running: Pipeline, subscriber: pubsub_v1.SubscriberClient) -> None:
    told = "topic validate-chunks-dead has no subscription validate-chunks-dead"
    with broken("deadletters", told, "start it again"):
        subscriber.delete_subscription(subscription=name_of("validate-chunks-dead"))
    again(running)


def test_a_dead_letter(running: Pipeline, subscriber: pubsub_v1.SubscriberClient) -> None:
    publisher = pubsub_v1.PublisherClient()
    often = {REDRIVES: str(load_settings().redrive_guard)}  # redrive, which may run just now, leaves it there
    with (
        running.control() as control,
        broken("backlog", "1 dead letters in notify-alerts-dead", "sluice deadletter list"),
    ):
        usual = control.faults().duplicate_rate
        control.set_faults(duplicate_rate=0.0)  # a copy would be counted
        publisher.publish(f"projects/{PROJECT}/topics/notify-alerts-dead", b"{}", **often).result()
        control.set_faults(duplicate_rate=usual)
    dead = name_of("notify-alerts-dead")

    def taken() -> bool:
        found = subscriber.pull(subscription=dead, max_messages=10, timeout=5).received_messages
        if found:
            subscriber.acknowledge(subscription=dead, ack_ids=[one.ack_id for one in found])
        return bool(found)

    wait_until(taken, "the dead letter is taken")


def test_a_landing_bucket_that_tells_nobody(running: Pipeline) -> None:
    landing = storage.Client(project=PROJECT).bucket(BUCKETS["LANDING_BUCKET"])
    with broken("buckets", "sends no OBJECT_FINALIZE to topic uploads", "sluice trigger reconcile"):
        for notification in landing.list_notifications():
            notification.delete()
    again(running)


def test_a_dropped_view(running: Pipeline) -> None:
    with broken("warehouse", "view marts.customer_cohorts is not there", "start it again"):
        running.warehouse.run("DROP VIEW marts.customer_cohorts", {})
    create_warehouse(bigquery_client(load_settings()))


def test_a_table_of_another_shape(running: Pipeline) -> None:
    client = bigquery_client(load_settings())
    told = "table sales.close_lines: column entry is missing"
    with broken("warehouse", told, "another release"):
        client.delete_table("sales.close_lines")
        running.warehouse.run("CREATE TABLE sales.close_lines (period DATE, sale_date DATE)", {})
    client.delete_table("sales.close_lines")
    create_warehouse(client)


def test_a_migration_that_is_not_applied(running: Pipeline) -> None:
    (row,) = running.sql("DELETE FROM schema_migration WHERE version = 24 RETURNING version, name, checksum")
    with broken("migrations", "0024_create_query_stat.sql is pending", "apply the migrations", {"feed"}):
        pass
    running.sql("INSERT INTO schema_migration (version, name, checksum) VALUES ($1, $2, $3)", *row)


def test_a_migration_that_was_changed_afterwards(running: Pipeline) -> None:
    (checksum,) = running.sql("SELECT checksum FROM schema_migration WHERE version = 3")[0]
    with broken("migrations", "0003_create_identity.sql is not what was applied", "new migration", {"feed"}):
        running.sql("UPDATE schema_migration SET checksum = 'x' WHERE version = 3")
    running.sql("UPDATE schema_migration SET checksum = $1 WHERE version = 3", checksum)


def test_a_migration_of_a_newer_release(running: Pipeline) -> None:
    with broken("migrations", "0999_fly.sql is not of this release", "a newer one", {"feed"}):
        running.sql("INSERT INTO schema_migration (version, name, checksum) VALUES (999, '0999_fly.sql', 'x')")
    running.sql("DELETE FROM schema_migration WHERE version = 999")


def test_a_feed_position_of_another_cluster(running: Pipeline) -> None:
    running.sluice("trigger", "enrich")  # the first feed takes the position
    (here,) = running.sql("SELECT system_identifier FROM pipeline.feed_position")[0]
    with broken("feed", "a restore, a clone or a promotion", "sluice refeed"):
        running.sql("UPDATE pipeline.feed_position SET system_identifier = 7")
    running.sql("UPDATE pipeline.feed_position SET system_identifier = $1", here)


def test_a_job_that_is_switched_off(running: Pipeline) -> None:
    with broken("scheduler", "job enrich is PAUSED", "enrich:resume"):
        httpx.post(f"{running.scheduler}/v1/jobs/enrich:pause").raise_for_status()
    httpx.post(f"{running.scheduler}/v1/jobs/enrich:resume").raise_for_status()


def test_functions_that_do_not_answer_and_a_job_that_failed_meanwhile(running: Pipeline) -> None:
    running.run.cloud.kill("functions")
    with broken("functions", "receive_upload does not answer (ConnectError)", "a-function-keeps-failing"):
        pass
    httpx.post(f"{running.scheduler}/v1/jobs/redrive:run", timeout=60)
    running.run.cloud.restart("functions")
    with broken("scheduler", "the last attempt of redrive failed (status 0", "sluice trigger redrive"):
        pass
    running.sluice("trigger", "redrive")


def test_a_database_that_is_down(running: Pipeline) -> None:
    running.run.cloud.kill("postgres")
    with broken("postgres", "The connection to Postgres failed", "reach-postgres", {"migrations", "feed"}):
        pass
    running.run.cloud.restart("postgres")


def test_a_variable_that_is_missing_stops_everything_and_the_command_says_so(
    running: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LAKE_BUCKET", "")
    told = running.sluice("doctor", exit_code=1)
    assert told["sound"] is False
    first, *rest = told["steps"]
    assert (first["step"], first["verdict"]) == ("settings", "failed")
    assert "LAKE_BUCKET is not set" in first["found"]
    assert "terraform" in first["advice"]
    assert {one["verdict"] for one in rest} == {"skipped"}


def test_only_some_steps_are_looked_at_when_they_are_named(running: Pipeline) -> None:
    told = running.sluice("doctor", "--only", "feed")
    assert [one["step"] for one in told["steps"]] == ["settings", "credentials", "postgres", "migrations", "feed"]
    assert running.sluice("doctor", "--only", "nothing", exit_code=2) is None
    told = running.sluice("doctor", "--only", "feed", "--leave-out", "postgres")
    assert [(one["step"], one["verdict"]) for one in told["steps"] if one["step"] in ("postgres", "feed")] == [
        ("postgres", "skipped"), ("feed", "ok"),
    ]  # fmt: skip
    assert running.sluice("doctor", "--leave-out", "nothing", exit_code=2) is None
