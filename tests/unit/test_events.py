"""What wakes a function: envelopes are read with care, and what can never succeed is refused for good."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime
from typing import Any

import pytest
from flask import Request
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.test import EnvironBuilder

from shared.errors import MalformedRecord
from shared.events import parse_time, push_message, scheduled_call
from tests.unit.judging import few

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
MESSAGE: dict[str, Any] = {
    "data": base64.b64encode(b"hello").decode(), "attributes": {"a": "b"}, "messageId": "17",
    "publishTime": "2026-03-02T11:00:00.123456789Z",
}  # fmt: skip
ENVELOPE: dict[str, Any] = {
    "message": MESSAGE, "subscription": "projects/p/subscriptions/load_postgres-validated", "deliveryAttempt": 3,
}  # fmt: skip


def request(body: object = None, headers: dict[str, str] | None = None, raw: bytes | None = None) -> Request:
    data = json.dumps(body).encode() if raw is None else raw
    sent = list((headers or {}).items())
    return Request(
        EnvironBuilder(method="POST", data=data, content_type="application/json", headers=sent).get_environ()
    )


def test_an_envelope_is_read_with_its_subscription_and_attempt() -> None:
    message = push_message(request(ENVELOPE))
    assert (message.data, message.attributes, message.message_id, message.attempt) == (b"hello", {"a": "b"}, "17", 3)
    assert message.published_at == datetime(2026, 3, 2, 11, 0, 0, 123456, tzinfo=UTC)
    assert message.topic == "validated"


def test_what_an_envelope_may_lack_has_its_plain_meaning() -> None:
    bare = {name: MESSAGE[name] for name in ("messageId", "publishTime")}
    message = push_message(request({"message": bare}))
    assert (message.data, message.attributes, message.attempt, message.topic) == (b"", {}, 1, "")


@pytest.mark.parametrize(
    ("subscription", "topic"),
    [
        ("projects/p/subscriptions/build_marts-warehouse_loaded", "warehouse_loaded"),
        ("validate-chunks", "chunks"),
        ("x", ""),
    ],
)
def test_the_topic_follows_from_the_name_of_the_subscription(subscription: str, topic: str) -> None:
    assert push_message(request({**ENVELOPE, "subscription": subscription})).topic == topic


@pytest.mark.parametrize("body", [None, [], 7, "text", {}, {"message": None}, {"message": []}, {"message": "hello"}])
def test_a_request_without_a_message_is_refused(body: object) -> None:
    with pytest.raises(MalformedRecord, match="not a Pub/Sub push envelope") as caught:
        push_message(request(body))
    assert caught.value.reason == "malformed_envelope"


@pytest.mark.parametrize("raw", [b"", b"{", b"\xff\xfe", b"NaN"])
def test_a_body_that_is_no_json_is_refused(raw: bytes) -> None:
    with pytest.raises(MalformedRecord):
        push_message(request(raw=raw))


@pytest.mark.parametrize(
    "changes",
    [{"data": "%%%"}, {"data": "aGVsbG8"}, {"data": "ü"}, {"data": 7}, {"data": None}, {"publishTime": "yesterday"},
     {"publishTime": 7}, {"publishTime": None}, {"publishTime": "0001-01-01T00:00:00+14:00"}],
)  # fmt: skip
def test_an_unreadable_message_is_refused_without_telling_what_was_in_it(changes: dict[str, Any]) -> None:
    with pytest.raises(MalformedRecord) as caught:
        push_message(request({**ENVELOPE, "message": {**MESSAGE, **changes}}))
    assert all(str(value) not in str(caught.value) for value in changes.values() if value)


@pytest.mark.parametrize("name", ["messageId", "publishTime"])
def test_a_message_without_its_id_or_time_is_refused(name: str) -> None:
    bare = {key: value for key, value in MESSAGE.items() if key != name}
    with pytest.raises(MalformedRecord):
        push_message(request({**ENVELOPE, "message": bare}))


@pytest.mark.parametrize("attempt", ["often", None, [], float("inf")])
def test_an_attempt_that_is_no_number_is_refused(attempt: object) -> None:
    with pytest.raises(MalformedRecord):
        push_message(request({**ENVELOPE, "deliveryAttempt": attempt}))


@few
@given(st.binary())
def test_the_data_arrive_byte_for_byte(data: bytes) -> None:
    message = {**MESSAGE, "data": base64.b64encode(data).decode()}
    assert push_message(request({**ENVELOPE, "message": message})).data == data


def test_a_scheduled_call_is_known_by_its_job_and_time() -> None:
    headers = {
        "X-CloudScheduler-JobName": "enrich-tick", "X-CloudScheduler-ScheduleTime": "2026-03-02T12:30:00+01:00"
    }  # fmt: skip
    call = scheduled_call(request(headers=headers), "enrich", NOW)
    assert (call.job, call.scheduled_at) == ("enrich-tick", datetime(2026, 3, 2, 11, 30, tzinfo=UTC))


def test_a_call_without_the_schedulers_headers_is_an_operators_made_now() -> None:
    call = scheduled_call(request(), "enrich", NOW)
    assert (call.job, call.scheduled_at) == ("enrich", NOW)


@pytest.mark.parametrize(
    "text",
    ["2026-03-02T12:00:00Z", "2026-03-02T12:00:00", "2026-03-02T12:00:00.000000999Z", "2026-03-02T13:00:00+01:00"],
)
def test_a_time_is_taken_to_utc_and_cut_to_the_microsecond(text: str) -> None:
    assert parse_time(text) == NOW
    assert parse_time(text).tzinfo is UTC
