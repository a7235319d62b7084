"""A dead letter sent again keeps its identity, and counts how often."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from shared.domain.redriving import DeadLetter, first_published

DIED = datetime(2026, 3, 2, 12, tzinfo=UTC)
BY_PLATFORM = {
    "CloudPubSubDeadLetterSourceSubscription": "validate-transactions",
    "CloudPubSubDeadLetterSourceTopicPublishTime": "2026-03-01T10:00:00.5Z",
    "CloudPubSubDeadLetterSourceDeliveryCount": "20",
}


def letter(subscription: str, data: bytes = b"", **attributes: str) -> DeadLetter:
    name = f"projects/p/subscriptions/{subscription}-dead"
    return DeadLetter(name, "m-1", DIED, data, {**BY_PLATFORM, **attributes}, "ack")


def test_a_message_of_the_stream_keeps_its_id_and_its_time_however_often_it_dies() -> None:
    once = letter("validate-transactions", source="till").next_attributes()
    assert once == {
        "source": "till", "sluice_message_id": "m-1", "sluice_published_at": "2026-03-01T10:00:00.5Z",
        "sluice_redrives": "1",
    }  # fmt: skip
    again = DeadLetter("s/validate-transactions-dead", "m-2", DIED, b"", {**BY_PLATFORM, **once}, "ack")
    assert again.redrives == 1
    assert again.next_attributes() == {**once, "sluice_redrives": "2"}
    assert again.about() == "m-1"


def test_another_message_only_counts() -> None:
    assert letter("load_postgres-validated").next_attributes() == {"sluice_redrives": "1"}
    notice = letter("receive_upload-uploads", eventType="OBJECT_FINALIZE", objectId="users/a.csv")
    assert notice.next_attributes() == {
        "eventType": "OBJECT_FINALIZE", "objectId": "users/a.csv", "sluice_redrives": "1"
    }  # fmt: skip
    assert notice.about() == "users/a.csv"


@pytest.mark.parametrize(
    ("subscription", "data", "about"),
    [
        ("validate-chunks", b'{"chunk_id": "c-1", "rows": 7}', "c-1"),
        ("load_warehouse-enriched", b'{"feed_id": 12}', "12"),
        ("receive_upload-uploads", b'{"name": "users/a.csv"}', "users/a.csv"),
        ("validate-chunks", b"{broken", "unreadable"),
        ("validate-chunks", b"[1]", "m-1"),
        ("validate-transactions", b'{"user_id": "someone"}', "m-1"),
    ],
)
def test_a_list_says_what_it_is_about_and_nothing_of_the_payload(subscription: str, data: bytes, about: str) -> None:
    shown = letter(subscription, data).as_fields(DIED + timedelta(seconds=90))
    function, _, topic = subscription.partition("-")
    assert shown == {
        "message_id": "m-1", "function": function, "topic": topic, "about": about, "age_seconds": 90,
        "bytes": len(data), "attempts": 20, "redrives": 0,
    }  # fmt: skip


@pytest.mark.parametrize("count", ["", "-1", "many", "1x"])
def test_a_count_that_is_no_number_is_none(count: str) -> None:
    assert letter("validate-chunks", sluice_redrives=count).redrives == 0


@pytest.mark.parametrize(
    ("attributes", "when"),
    [
        ({}, DIED),
        ({"sluice_published_at": "yesterday"}, DIED),
        ({"sluice_published_at": "2026-03-01T10:00:00"}, datetime(2026, 3, 1, 10, tzinfo=UTC)),
        ({"sluice_published_at": "2026-03-01T10:00:00Z"}, datetime(2026, 3, 1, 10, tzinfo=UTC)),
    ],
)
def test_the_time_of_the_producer_is_read_where_it_is_one(attributes: dict[str, str], when: datetime) -> None:
    assert first_published(attributes, DIED) == when
