"""What was set aside is mended with one command, and every row stays accounted for whatever is sent twice or killed."""

from __future__ import annotations

import base64
import json
from typing import Any

import httpx
import pytest
from google.cloud import pubsub_v1  # type: ignore[attr-defined]
from typer.testing import CliRunner

from cli.main import app
from local.stack import PROJECT
from tests.integration.pipeline.harness import Pipeline, row, wait_until
from tests.integration.pipeline.operating import ACCOUNT, Listening, again, equation, lines, snapshot


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
