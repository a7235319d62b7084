"""What was set aside is mended with one command, and every row stays accounted for whatever is sent twice or killed."""

from __future__ import annotations

import base64
import json
import random
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from google.api_core.exceptions import DeadlineExceeded
from google.cloud import pubsub_v1  # type: ignore[attr-defined]
from typer.testing import CliRunner

from cli.main import app
from local.stack import PROJECT
from shared.settings import DEFAULT_PAYMENT_METHODS
from tests.integration.pipeline.harness import Pipeline, pipeline, row, wait_until

CONTENT = """
    SELECT t.transaction_id, t.amount, t.currency, t.payment_method, t.status, t.version, t.last_event_at
    FROM commerce.transactions t ORDER BY 1
"""
TABLES = ("users", "user_version", "products", "product_version", "inventory_level", "fx_rates")
ACCOUNT = "SELECT sum(received)::int, sum(inserted)::int, sum(quarantined)::int, sum(held)::int FROM pipeline.chunk"


@pytest.fixture(scope="module")
def running() -> Iterator[Pipeline]:
    """A pipeline, fed and quiet after the tests."""
    with pipeline() as started:
        yield started


def lines(*rows: bytes) -> bytes:
    return b"".join(text + b"\n" for text in rows)


def equation(running: Pipeline) -> None:
    """It holds for what is loaded or held; nothing else is there."""
    wrong = running.one(
        """SELECT count(*) FROM pipeline.chunk c WHERE state <> 'registered' AND (
           received <> inserted + updated + unchanged + superseded + quarantined + held OR quarantined
           <> (SELECT count(*) FROM pipeline.quarantined_row q WHERE q.chunk_key = c.chunk_key))"""
    )
    assert wrong == 0


def snapshot(running: Pipeline) -> list[Any]:
    """The business tables, without lineage and bookkeeping."""
    leave = "ARRAY['change_seq', 'source_chunk', 'source_line', 'version', 'flags']"
    others = [running.sql(f"SELECT (to_jsonb(t) - {leave})::text FROM commerce.{name} t ORDER BY 1") for name in TABLES]
    return [running.sql(CONTENT), *others, running.sql("SELECT user_key, email FROM identity.contact ORDER BY 1")]


def again(running: Pipeline, topic: str, messages: list[bytes], seed: int = 1) -> None:
    """Deliver messages twice more, shuffled."""
    publisher = pubsub_v1.PublisherClient()
    twice = [*messages, *messages]
    random.Random(seed).shuffle(twice)  # noqa: S311 (an order, not a secret)
    for data in twice:
        publisher.publish(f"projects/{PROJECT}/topics/{topic}", data).result(timeout=30)
    running.quiet()


class Listening:
    """Keeps what goes over some topics, to deliver it again."""

    def __init__(self, running: Pipeline, *topics: str) -> None:
        self._running = running
        self._client = pubsub_v1.SubscriberClient()
        self._names = {t: f"projects/{PROJECT}/subscriptions/listening-{t}" for t in topics}

    def __enter__(self) -> Listening:
        for topic, name in self._names.items():
            self._client.create_subscription(name=name, topic=f"projects/{PROJECT}/topics/{topic}")
        return self

    def __exit__(self, *_: object) -> None:
        for name in self._names.values():
            self._client.delete_subscription(subscription=name)
        self._client.close()

    def heard(self, topic: str) -> list[bytes]:
        found: list[bytes] = []
        while True:
            try:
                got = self._client.pull(subscription=self._names[topic], max_messages=100, timeout=0.3, retry=None)
            except DeadlineExceeded:
                return found
            if not got.received_messages:
                return found
            ids = [each.ack_id for each in got.received_messages]
            self._client.acknowledge(subscription=self._names[topic], ack_ids=ids)
            found += [each.message.data for each in got.received_messages]


def test_one_replay_command_empties_the_quarantine_of_a_reason_and_twice_changes_nothing(running: Pipeline) -> None:
    good = [row(f"good-{n}") for n in range(5)]
    bad = [row(f"mend-{n}", currency="QQQ") for n in range(7)]
    identity = running.load("transactions/mend.ndjson", lines(*good, *bad, b"{broken"))
    assert running.reasons(identity) == {"unknown_currency": 7, "malformed_json": 1}
    words = (
        "quarantine",
        "replay",
        "--source",
        "transactions",
        "--reason",
        "unknown_currency",
        "--set",
        "currency=GBP",
    )
    assert running.sluice(*words, "--dry-run")["rows"] == 7
    assert running.one("SELECT count(*) FROM audit.operator_action") == 0
    with Listening(running, "chunks", "validated") as listening:
        done = running.sluice(*words, "--wait")
        assert (done["rows"], done["chunks"]) == (7, 1)
        assert running.reasons(identity) == {"malformed_json": 1}
        assert running.counts(identity) == {"received": 13, "inserted": 12, "quarantined": 1}
        before = snapshot(running), running.sql(ACCOUNT)
        for topic in ("chunks", "validated"):
            again(running, topic, listening.heard(topic))
    assert (snapshot(running), running.sql(ACCOUNT)) == before
    ((operator, details),) = running.sql("SELECT operator, details FROM audit.operator_action")
    assert operator.endswith("@cli")
    assert details["set"] == {"currency": "GBP"}
    assert running.sluice(*words)["rows"] == 0
    running.feed()
    assert running.findings() == []


def test_rows_that_stay_bad_are_replayed_until_the_guard(running: Pipeline) -> None:
    identity = running.load("transactions/guard.ndjson", lines(row("g-1"), row("g-2", status="lost")))
    words = ("quarantine", "replay", "--file", "guard.ndjson")
    for attempt in range(2, 6):
        assert running.sluice(*words, "--wait")["rows"] == 1
        assert running.sluice("quarantine", "list", "--file", "guard.ndjson")[0]["attempt"] == attempt
    assert running.sluice(*words) | {"action_id": 0} == {
        "action_id": 0, "rows": 0, "chunks": 0, "guarded": 1, "unreadable": 0, "not_set": 0
    }  # fmt: skip
    assert running.sluice(*words, "--force", "--wait")["rows"] == 1
    assert running.counts(identity) == {"received": 2, "inserted": 1, "quarantined": 1}
    assert running.sluice("quarantine", "discard", "--file", "guard.ndjson", "--why", "an exporter's test")["rows"] == 1
    assert running.sluice("quarantine", "list", "--file", "guard.ndjson") == []
    assert running.sluice(*words, "--force")["rows"] == 0
    assert running.counts(identity) == {"received": 2, "inserted": 1, "quarantined": 1}


def test_users_and_conflicts_and_messages_of_the_stream_are_replayed_too(running: Pipeline) -> None:
    people = b"user_id,email,country\nv1,a@example.com,GB\nv2,b@example.com,Atlantis\n"
    identity = running.load("users/people.csv", people)
    shown = running.sluice("quarantine", "list", "--file", "people.csv")[0]
    words = ("quarantine", "replay", "--source", "users", "--chunk", shown["chunk_id"], "--line", str(shown["line"]))
    assert running.sluice(*words, "--set", "country=FR", "--wait")["rows"] == 1
    assert running.counts(identity) == {"received": 2, "inserted": 2}
    details = running.sql("SELECT details ->> 'set' FROM audit.operator_action ORDER BY action_id DESC LIMIT 1")
    assert details == [('["country"]',)], "no value of a person's field"

    other = running.load("transactions/conflict.ndjson", lines(row("k-1"), row("k-1", amount="6.00")))
    assert running.reasons(other) == {"conflicting_duplicate": 1}
    chosen = ("--source", "transactions", "--reason", "conflicting_duplicate")
    later = "timestamp=2026-03-02T11:00:00Z"
    running.sluice("quarantine", "replay", "--file", "conflict.ndjson", *chosen, "--set", later, "--wait")
    assert running.one("SELECT amount FROM commerce.transactions WHERE transaction_id = 'k-1'") == 6
    assert running.counts(other) == {"received": 2, "inserted": 1, "updated": 1}

    again(running, "transactions", [row("k-1", amount="7.00", timestamp="2026-03-02T11:00:00Z")])
    assert (
        running.sluice("quarantine", "replay", "--file", "stream", *chosen, "--set", "amount=6", "--wait")["rows"] == 2
    )
    assert running.sluice("quarantine", "list", "--file", "stream") == []
    equation(running)
    running.feed()
    assert running.findings() == []


def test_the_functions_host_killed_during_a_replay_loses_and_doubles_nothing(running: Pipeline) -> None:
    rows = [row(f"kill-{n}", currency="QQQ" if n % 2 else "GBP") for n in range(8_000)]
    identity = running.load("transactions/killed.ndjson", lines(*rows))
    assert running.reasons(identity) == {"unknown_currency": 4_000}
    words = ("--source", "transactions", "--file", "killed.ndjson", "--set", "currency=GBP")
    running.sluice("quarantine", "replay", *words)
    for _ in range(2):
        running.run.cloud.servers["functions"].kill()
        equation(running)
        running.run.cloud.restart("functions")
    wait_until(lambda: not running.reasons(identity), "the quarantine is empty")
    running.quiet()
    assert running.counts(identity) == {"received": 8_000, "inserted": 8_000}
    running.feed()
    assert running.findings() == []


@pytest.mark.parametrize("action", ["release", "reject"])
def test_a_wrong_export_is_held_and_the_decision_balances_also_when_delivered_twice(
    running: Pipeline, action: str
) -> None:
    rows = [row(f"{action}-{n}", currency="QQQ" if n % 3 else "GBP") for n in range(300)]
    with Listening(running, "chunks", "validated") as listening:
        identity = running.load(f"transactions/{action}.ndjson", lines(*rows))
        originals = {topic: listening.heard(topic) for topic in ("chunks", "validated")}
        assert running.counts(identity) == {"received": 300, "held": 300}
        (held,) = running.sluice("held", "list", "--file", f"{action}.ndjson")
        assert (held["received"], held["bad"], held["decision"]) == (300, 200, None)
        assert running.one("SELECT kind FROM pipeline.alert WHERE subject = $1", held["chunk_id"]) == "chunk_held"
        words = ("held", action, "--chunk", held["chunk_id"])
        assert running.sluice(*words, "--dry-run") == {"dry_run": True, "chunks": 1, "rows": 300}
        assert running.sluice(*words, "--wait")["chunks"] == 1
        running.quiet()
        good = {"received": 300, "inserted": 100, "quarantined": 200}
        assert running.counts(identity) == (good if action == "release" else {"received": 300, "quarantined": 300})
        before = snapshot(running), running.sql(ACCOUNT)
        for topic, messages in originals.items():
            again(running, topic, messages + listening.heard(topic))
    assert (snapshot(running), running.sql(ACCOUNT)) == before
    assert running.reasons(identity) == (
        {"unknown_currency": 200} if action == "release" else {"operator_rejected": 300}
    )  # fmt: skip
    running.sluice("held", "reject" if action == "release" else "release", "--chunk", held["chunk_id"], exit_code=2)
    if action == "reject":
        mend = ("--source", "transactions", "--reason", "operator_rejected", "--set", "currency=GBP", "--wait")
        assert running.sluice("quarantine", "replay", *mend)["rows"] == 300
        assert running.counts(identity) == {"received": 300, "inserted": 300}
    running.feed()
    assert running.findings() == []


def dead(subscription: str, data: bytes) -> str:
    """A dead letter, as Pub/Sub forwards it; its message id."""
    attributes = {
        "CloudPubSubDeadLetterSourceSubscription": subscription.removesuffix("-dead"),
        "CloudPubSubDeadLetterSourceTopicPublishTime": "2026-03-02T12:00:00Z",
        "CloudPubSubDeadLetterSourceDeliveryCount": "20",
    }
    publisher = pubsub_v1.PublisherClient()
    topic = f"projects/{PROJECT}/topics/{subscription}"
    return str(publisher.publish(topic, data, **attributes).result(timeout=30))


def test_dead_letters_are_pending_until_they_are_sent_again_with_their_identity(running: Pipeline) -> None:
    with Listening(running, "chunks") as listening:
        running.load("transactions/dead.ndjson", lines(row("d-1"), row("d-2")))
        (chunk,) = set(listening.heard("chunks"))
    running.feed()
    before = running.sql(ACCOUNT)[0]
    dead("validate-chunks-dead", chunk)
    message = dead("validate-transactions-dead", row("d-3"))
    not_balanced = running.sluice("verify", exit_code=1)
    assert [f["kind"] for f in not_balanced["findings"]] == ["pending", "pending"]
    listed = running.sluice("deadletter", "list")
    assert [(each["function"], each["topic"], each["attempts"]) for each in listed] == [
        ("validate", "chunks", 20), ("validate", "transactions", 20)
    ]  # fmt: skip
    assert listed[0]["about"] == json.loads(chunk)["chunk_id"]
    assert listed[1]["about"] == message
    assert "payload" not in listed[1]
    same = running.sluice("deadletter", "list")
    assert [each["message_id"] for each in same] == [each["message_id"] for each in listed], "looking takes nothing"
    assert running.sluice("deadletter", "replay", "--topic", "chunks", "--dry-run")["messages"] == 1
    done = running.sluice("deadletter", "replay")
    assert (done["messages"], done["left"]) == (2, 0)
    running.quiet()
    assert running.sql("SELECT day::text, inserted FROM pipeline.chunk WHERE chunk_id = $1", message) == [
        ("2026-03-02", 1)
    ]
    assert running.sql(ACCOUNT)[0] == (before[0] + 1, before[1] + 1, *before[2:])
    running.feed()
    assert running.sluice("verify") == {"balanced": True, "findings": []}


def order(
    running: Pipeline, key: str, body: dict[str, Any], email: str | None = "operator@localhost"
) -> httpx.Response:
    """An order by HTTP, with the token that Cloud Run would have verified."""
    claims = base64.urlsafe_b64encode(json.dumps({"email": email, "email_verified": True}).encode()).decode()
    headers = {"Idempotency-Key": key} | ({"Authorization": f"Bearer e30.{claims.rstrip('=')}.x"} if email else {})
    assert running.run.cloud.endpoints
    url = f"{running.run.cloud.endpoints.functions}/replay_quarantine/"
    return httpx.post(url, json=body, headers=headers, timeout=60)


def test_the_same_orders_by_http_are_authorised_and_idempotent(running: Pipeline) -> None:
    identity = running.load("transactions/http.ndjson", lines(row("h-1", currency="QQQ"), row("h-2", currency="QQQ")))
    replay = {
        "action": "replay",
        "filters": {"source": "transactions", "file": "http.ndjson"},
        "set": {"currency": "GBP"},
    }
    assert order(running, "k", replay, email=None).status_code == 401
    assert order(running, "k", replay, email="guest@localhost").status_code == 403
    wrong = order(running, "k", {**replay, "set": {"colour": "red"}})
    assert (wrong.status_code, wrong.json()["error"]) == (400, "unknown_field")
    assert order(running, "k", {"action": "replay", "filters": {"day": "yesterday"}}).status_code == 400
    assert order(running, "k", {"action": "replay"}).json()["error"] == "no_filter"
    first = order(running, "k", replay)
    assert (first.status_code, first.json()["rows"]) == (200, 2)
    wait_until(lambda: not running.reasons(identity), "the rows are replayed")
    assert order(running, "k", replay).json() == {**first.json(), "repeated": True}
    assert order(running, "k", {**replay, "force": True}).status_code == 409
    assert running.counts(identity) == {"received": 2, "inserted": 2}


def test_reprocessing_changes_no_table_and_corrects_what_todays_code_reads_otherwise(running: Pipeline) -> None:
    running.load("fx_rates/rates.csv", b"date,currency,rate\n2026-03-01,EUR,0.85\n")
    running.load(
        "products/list.ndjson",
        b'{"product_id":"p1","name":"Spade","price":"5.00","inventory_count":3,"updated_at":"2026-03-01T00:00:00Z"}\n',
    )
    running.load("transactions/crypto.ndjson", lines(row("y-1", payment_method="Crypto"), row("y-2")))
    running.feed()
    today = running.one("SELECT max(landed_at)::date::text FROM pipeline.file")
    before, audited = snapshot(running), running.one("SELECT count(*) FROM audit.change")
    files = running.one("SELECT count(*) FROM pipeline.file")
    for source in ("users", "fx_rates", "products", "transactions"):
        words = ("reprocess", "--source", source, "--from", today, "--to", today)
        assert running.sluice(*words, "--dry-run")["files"] > 0
        running.sluice(*words, "--wait")
    for chunk in running.sluice("held", "list"):
        running.sluice("held", "release", "--chunk", chunk["chunk_id"], "--wait")
    for table, earlier in zip(snapshot(running), before, strict=True):
        assert set(table) ^ set(earlier) == set()
    assert running.one("SELECT count(*) FROM audit.change") == audited
    assert running.one("SELECT count(*) FROM pipeline.file") == 2 * files
    assert (
        running.one(
            "SELECT sum(inserted) + sum(updated) FROM pipeline.chunk JOIN pipeline.file USING (file_id) WHERE pass > 0"
        )
        == 0
    )

    running.redeploy(PAYMENT_METHODS=f"{DEFAULT_PAYMENT_METHODS},crypto")
    running.sluice("reprocess", "--source", "transactions", "--from", today, "--to", today, "--wait")
    method, extra, version = running.sql(
        "SELECT payment_method, extra, version FROM commerce.transactions WHERE transaction_id = 'y-1'"
    )[0]
    assert (method, extra, version) == ("crypto", None, 2)
    corrected = running.sql(
        "SELECT sum(updated)::int FROM pipeline.chunk JOIN pipeline.file USING (file_id) WHERE pass = 2"
    )
    assert corrected == [(1,)]
    assert running.one("SELECT count(*) FROM audit.change WHERE row_id = 'y-1'") == 1
    for chunk in running.sluice("held", "list"):
        running.sluice("held", "reject", "--chunk", chunk["chunk_id"], "--wait")
    equation(running)
    running.feed()
    assert running.findings() == []


def test_a_refeed_after_a_restore_makes_the_warehouse_what_postgres_is(running: Pipeline) -> None:
    running.load("transactions/kept.ndjson", lines(row("r-1"), row("r-2", timestamp="2026-03-05T10:00:00Z")))
    running.feed()
    backup = running.one("SELECT max(feed_id) FROM pipeline.feed_batch")
    lost = running.load("transactions/lost.ndjson", lines(row("r-3", timestamp="2026-03-06T10:00:00Z")))
    running.feed()
    for text in (
        """DELETE FROM commerce.transactions
           WHERE source_chunk IN (SELECT chunk_key FROM pipeline.chunk WHERE file_id = $1)""",
        "DELETE FROM pipeline.chunk WHERE file_id = $1",
        "DELETE FROM pipeline.file WHERE file_id = $1",
    ):
        running.sql(text, lost)
    running.sql("DELETE FROM pipeline.feed_batch WHERE feed_id > $1", backup)
    running.sql("SELECT setval(pg_get_serial_sequence('pipeline.feed_batch', 'feed_id'), $1)", backup)
    running.sql("UPDATE pipeline.feed_position SET timeline = timeline + 1")
    assert running.sluice("verify", exit_code=1)["balanced"] is False
    running.sluice("trigger", "enrich", exit_code=1)
    running.sluice("refeed")
    running.feed()
    assert running.sluice("verify") == {"balanced": True, "findings": []}
    running.sluice("refeed", "--from", "2026-03-05", "--to", "2026-03-06")
    running.feed()
    assert running.sluice("verify") == {"balanced": True, "findings": []}
    assert running.sluice("refeed", "--from", "2026-03-05", exit_code=2) is None


def test_people_get_tables_and_one_line_of_counts(running: Pipeline) -> None:
    rows = [row(f"p-{n}", currency="QQQ" if n % 3 else "GBP") for n in range(120)]
    running.load("transactions/people.ndjson", lines(*rows))
    running.load("transactions/one.ndjson", lines(row("p-x", currency="QQQ"), row("p-y")))
    dead("validate-transactions-dead", row("p-z"))

    def said(*words: str) -> str:
        done = CliRunner().invoke(app, list(words), env={"COLUMNS": "300"})
        assert done.exit_code == 0, done.output
        return done.output

    assert "people.ndjson" in said("held", "list")
    assert "unknown_currency" in said("quarantine", "list", "--file", "one.ndjson")
    assert "unknown_currency" in said("quarantine", "stats")
    assert "validate" in said("deadletter", "list")
    told = said("quarantine", "replay", "--file", "one.ndjson", "--dry-run")
    assert told == "would be: replayed: rows 1, chunks 1, guarded 0, unreadable 0, not set 0\n"
    assert said("deadletter", "replay").startswith("sent again: action id ")
    assert "chunks 1, rows 120" in said("held", "reject", "--file", "people.ndjson", "--wait")
    assert "rows 1" in said("quarantine", "discard", "--file", "one.ndjson", "--why", "a test")
    assert said("reprocess", "--source", "users", "--from", "2020-01-01", "--to", "2020-01-02", "--dry-run") == (
        "would be: reprocessed: files 0, rows 0\n"
    )
