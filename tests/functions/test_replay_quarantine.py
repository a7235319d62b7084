"""replay_quarantine: an order by HTTP is checked, authorised and carried out once."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from local.stack import PROJECT
from shared.adapters.postgres import Session
from shared.adapters.storage import CloudStorage
from shared.messages import Chunk
from shared.settings import Settings
from tests.functions.harness import Cloud, push, sale, unique
from tests.functions.stages import to_load, validated

Give = Callable[..., TestResponse]


@pytest.fixture
def give(clients: dict[str, FlaskClient], cloud_settings: Settings) -> Give:  # noqa: ARG001  # there is a cloud
    """Send an order as an operator of the local cloud."""

    def send(
        body: Any, key: str | None = None, email: str = "operator@localhost", method: str = "POST"
    ) -> TestResponse:
        claims = base64.urlsafe_b64encode(json.dumps({"email": email, "email_verified": True}).encode()).decode()
        headers = {"Authorization": f"Bearer e30.{claims.rstrip('=')}.x", "Idempotency-Key": key or unique("key")}
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        return clients["replay_quarantine"].open("/", method=method, data=data, headers=headers)

    return send


def quarantined(cloud: Cloud) -> str:
    """A message of the stream with one bad row, loaded; its chunk id."""
    message = push(json.dumps([sale(currency="QQQ"), sale()]).encode(), "validate-transactions")
    told = validated(message, CloudStorage(PROJECT))
    assert cloud.deliver("load_postgres", to_load(told)) == (200, "loaded")
    return told.chunk_id


def actions(session: Session, key: str) -> list[tuple[Any, ...]]:
    return session.rows(
        "SELECT operator, action FROM audit.operator_action WHERE request_id = $1", f"operator@localhost/{key}"
    )


@pytest.mark.parametrize(
    ("body", "error"),
    [
        (b"{", "malformed"),
        ({"action": "erase"}, "malformed"),
        ({"action": "replay", "filters": {"colour": "red"}}, "malformed"),
        ({"action": "replay", "filters": {"day": "tomorrow"}}, "malformed"),
        ({"action": "replay", "filters": {"chunk": "c", "line": 0}}, "malformed"),
        ({"action": "replay", "filters": {"chunk": "c", "line": 9_000_000_000}}, "malformed"),
        ({"action": "replay", "filters": {"file": "a\0b"}}, "malformed"),
        ({"action": "discard", "filters": {"file": "a"}, "why": "\0"}, "malformed"),
        ({"action": "replay"}, "no_filter"),
        ({"action": "discard", "why": "x"}, "no_filter"),
        ({"action": "replay", "filters": {"line": 3}}, "chunk_missing"),
        ({"action": "replay", "filters": {"source": "orders"}}, "unknown_source"),
        ({"action": "replay", "filters": {"topic": "chunks"}}, "wrong_filter"),
        ({"action": "release", "filters": {"reason": "truncated"}}, "wrong_filter"),
        ({"action": "deadletter", "filters": {"source": "users"}}, "wrong_filter"),
        ({"action": "replay", "filters": {"chunk": "c"}, "set": {"currency": "GBP"}}, "source_missing"),
        ({"action": "replay", "filters": {"source": "users"}, "set": {"currency": "GBP"}}, "unknown_field"),
        ({"action": "discard", "filters": {"chunk": "c"}}, "why"),
        ({"action": "replay", "filters": {"chunk": "c"}, "why": "x"}, "why"),
        ({"action": "discard", "filters": {"chunk": "c"}, "why": "x", "set": {"currency": "GBP"}}, "wrong_set"),
        ({"action": "release", "filters": {"chunk": "nothing"}}, "chunk_unknown"),
    ],
)
def test_an_order_that_makes_no_sense_is_400_with_what_to_write(give: Give, body: Any, error: str) -> None:
    answer = give(body)
    assert (answer.status_code, answer.get_json()["error"]) == (400, error)
    assert len(answer.get_json()["told"]) > 10


def test_only_a_post_with_a_key_by_an_operator_is_an_order(give: Give, clients: dict[str, FlaskClient]) -> None:
    assert give({}, method="GET").status_code == 405
    assert give({}, key="x" * 201).status_code == 400
    assert give({}, email="guest@localhost").status_code == 403
    assert clients["replay_quarantine"].post("/", data=b"{}").status_code == 401


def test_a_key_is_one_order_and_its_first_result_comes_back(cloud: Cloud, give: Give) -> None:
    chunk_id, key = quarantined(cloud), unique("key")
    body = {"action": "replay", "filters": {"source": "transactions", "chunk": chunk_id}, "set": {"currency": "GBP"}}
    assert give({**body, "dry_run": True}, key).get_json() == {
        "dry_run": True, "rows": 1, "chunks": 1, "guarded": 0, "unreadable": 0, "not_set": 0
    }  # fmt: skip
    assert actions(cloud.session, key) == [], "a dry run is no order"
    first = give(body, key).get_json()
    assert first["rows"] == 1
    assert give(body, key).get_json() == {**first, "repeated": True}
    other = give({**body, "force": True}, key)
    assert (other.status_code, other.get_json()["error"]) == (409, "request_reused")
    assert actions(cloud.session, key) == [("operator@localhost", "replay")]
    (sent,) = cloud.take("chunks", Chunk, lambda chunk: chunk.chunk_id == chunk_id)
    assert (sent.lines, sent.attempt, sent.action_id) == ([1], 1, first["action_id"])


def test_an_order_that_was_cut_off_is_done_again(cloud: Cloud, give: Give) -> None:
    chunk_id, key = quarantined(cloud), unique("key")
    cloud.sql(
        """INSERT INTO audit.operator_action (request_id, operator, action, filters, details)
           VALUES ($1, 'operator@localhost', 'discard', jsonb_build_object('chunk', $2::text), '{"why": "a test"}')""",
        f"operator@localhost/{key}", chunk_id,
    )  # fmt: skip
    body = {"action": "discard", "filters": {"chunk": chunk_id}, "why": "a test"}
    assert give(body, key).get_json()["rows"] == 1
    assert give(body, key).get_json()["repeated"] is True
    assert cloud.sql(
        """SELECT q.discarded_by, q.discarded_why, c.quarantined FROM pipeline.quarantined_row q
           JOIN pipeline.chunk c USING (chunk_key) WHERE c.chunk_id = $1""",
        chunk_id,
    ) == [("operator@localhost", "a test", 1)]
