"""Notifications: which event reaches which topic, with what in it."""

from __future__ import annotations

import time
import uuid

import pytest
from google.api_core.exceptions import BadRequest, NotFound
from google.cloud.storage import Bucket  # type: ignore[import-untyped]

from tests.contract.storage.conftest import EXTERNAL
from tests.contract.storage.receiver import Receiver

pytestmark = pytest.mark.skipif(
    bool(EXTERNAL), reason="needs a server that publishes to the receiver of this test; unset STORAGE_EMULATOR_HOST"
)


@pytest.fixture
def topic() -> str:
    """A topic that no other test uses."""
    return f"uploads-{uuid.uuid4().hex}"


def subscribe(bucket: Bucket, topic: str, **options: object) -> str:
    notification = bucket.notification(topic_name=topic, topic_project="sluice-local", **options)
    notification.create()
    return str(notification.notification_id)


def test_an_upload_arrives_with_its_attributes_and_resource(bucket: Bucket, receiver: Receiver, topic: str) -> None:
    number = subscribe(bucket, topic, payload_format="JSON_API_V1")
    blob = bucket.blob("transactions/ü 1.json")
    blob.upload_from_string(b"{}", content_type="application/json")
    (message,) = receiver.wait(topic, 1)
    assert message.topic == f"projects/sluice-local/topics/{topic}"
    event_time = message.attributes.pop("eventTime")
    assert event_time.endswith("Z")
    assert message.attributes == {
        "notificationConfig": f"projects/_/buckets/{bucket.name}/notificationConfigs/{number}",
        "eventType": "OBJECT_FINALIZE",
        "payloadFormat": "JSON_API_V1",
        "bucketId": bucket.name,
        "objectId": "transactions/ü 1.json",
        "objectGeneration": str(blob.generation),
    }
    resource = message.resource
    assert (resource["name"], resource["size"], resource["crc32c"]) == (blob.name, "2", blob.crc32c)
    assert (resource["kind"], resource["bucket"]) == ("storage#object", bucket.name)
    assert resource["timeCreated"]


def test_an_overwrite_tells_of_both_generations(bucket: Bucket, receiver: Receiver, topic: str) -> None:
    subscribe(bucket, topic)
    blob = bucket.blob("x")
    blob.upload_from_string(b"1")
    first = str(blob.generation)
    blob.upload_from_string(b"2")
    second = str(blob.generation)
    _, finalize, delete = (message.attributes for message in receiver.wait(topic, 3))
    assert (finalize["eventType"], finalize["overwroteGeneration"]) == ("OBJECT_FINALIZE", first)
    assert (delete["eventType"], delete["objectGeneration"]) == ("OBJECT_DELETE", first)
    assert delete["overwrittenByGeneration"] == second


def test_metadata_changes_and_deletes_arrive(bucket: Bucket, receiver: Receiver, topic: str) -> None:
    subscribe(bucket, topic)
    blob = bucket.blob("x")
    blob.upload_from_string(b"1")
    blob.metadata = {"a": "1"}
    blob.patch()
    blob.delete()
    kinds = [message.attributes["eventType"] for message in receiver.wait(topic, 3)]
    assert kinds == ["OBJECT_FINALIZE", "OBJECT_METADATA_UPDATE", "OBJECT_DELETE"]


def test_only_the_wanted_events_and_names_arrive(bucket: Bucket, receiver: Receiver, topic: str) -> None:
    subscribe(bucket, topic, event_types=["OBJECT_FINALIZE"], blob_name_prefix="users/")
    bucket.blob("orders/1").upload_from_string(b"")
    bucket.blob("users/1").upload_from_string(b"")
    bucket.blob("users/1").delete()
    bucket.blob("users/2").upload_from_string(b"")
    assert [message.attributes["objectId"] for message in receiver.wait(topic, 2)] == ["users/1", "users/2"]


def test_custom_attributes_come_along_and_none_means_no_payload(bucket: Bucket, receiver: Receiver, topic: str) -> None:
    subscribe(bucket, topic, custom_attributes={"team": "data"}, payload_format="NONE")
    bucket.blob("x").upload_from_string(b"")
    (message,) = receiver.wait(topic, 1)
    assert (message.data, message.attributes["team"], message.attributes["payloadFormat"]) == (b"", "data", "NONE")


def test_every_way_to_write_is_told(bucket: Bucket, receiver: Receiver, topic: str) -> None:
    subscribe(bucket, topic)
    with bucket.blob("resumable").open("wb") as stream:
        stream.write(b"1")
    bucket.copy_blob(bucket.blob("resumable"), bucket, "copied")
    bucket.blob("rewritten").rewrite(bucket.blob("resumable"))
    bucket.blob("composed").compose([bucket.blob("resumable")])
    names = [message.attributes["objectId"] for message in receiver.wait(topic, 4)]
    assert names == ["resumable", "copied", "rewritten", "composed"]


def test_a_refused_write_is_not_told(bucket: Bucket, receiver: Receiver, topic: str) -> None:
    subscribe(bucket, topic)
    blob = bucket.blob("x")
    blob.crc32c = "AAAAAA=="
    with pytest.raises(BadRequest):
        blob.upload_from_string(b"1", checksum=None)
    bucket.blob("y").upload_from_string(b"1")
    assert [message.attributes["objectId"] for message in receiver.wait(topic, 1)] == ["y"]


def test_two_configs_send_two_messages(bucket: Bucket, receiver: Receiver, topic: str) -> None:
    numbers = {subscribe(bucket, topic), subscribe(bucket, topic)}
    bucket.blob("x").upload_from_string(b"")
    messages = receiver.wait(topic, 2)
    assert {message.attributes["notificationConfig"].rpartition("/")[2] for message in messages} == numbers


def test_configs_are_listed_read_and_deleted(bucket: Bucket, receiver: Receiver, topic: str) -> None:
    number = subscribe(bucket, topic, blob_name_prefix="a/")
    (found,) = bucket.list_notifications()
    assert (found.notification_id, found.topic_name, found.blob_name_prefix) == (number, topic, "a/")
    config = bucket.get_notification(number)
    config.delete()
    with pytest.raises(NotFound):
        bucket.get_notification(number)
    bucket.blob("a/x").upload_from_string(b"")
    assert receiver.of(topic) == []


def test_an_unknown_event_type_is_refused(bucket: Bucket, topic: str) -> None:
    with pytest.raises(BadRequest, match="event_types"):
        subscribe(bucket, topic, event_types=["OBJECT_EXPLODED"])


def test_a_refused_publish_is_tried_again(bucket: Bucket, receiver: Receiver, topic: str) -> None:
    subscribe(bucket, topic)
    receiver.refuse_next(2)
    bucket.blob("x").upload_from_string(b"")
    assert len(receiver.wait(topic, 1)) == 1


def test_a_notification_is_prompt(bucket: Bucket, receiver: Receiver, topic: str) -> None:
    subscribe(bucket, topic)
    delays = []
    for number in range(20):
        bucket.blob(f"x{number}").upload_from_string(b"")
        acknowledged = time.monotonic()
        delays.append(receiver.wait(topic, number + 1)[-1].at - acknowledged)
    assert sorted(delays)[4] < 0.05, "a machine that pauses delays some, a publisher that waits delays all"
