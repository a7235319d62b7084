"""Changing what is known of an object without touching its bytes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import httpx
import pytest
from google.api_core.exceptions import BadRequest, MethodNotImplemented, NotFound
from google.cloud.storage import Blob, Bucket  # type: ignore[import-untyped]

NOON = datetime(2026, 3, 4, 12, tzinfo=UTC)


@pytest.fixture
def blob(bucket: Bucket) -> Blob:
    """An object with two metadata keys."""
    blob = bucket.blob("x")
    blob.metadata = {"keep": "1", "drop": "2"}
    blob.upload_from_string(b"data", content_type="text/plain")
    return blob


def test_a_patch_changes_one_key_and_keeps_the_others(http: httpx.Client, blob: Blob) -> None:
    http.patch(blob.path and f"/storage/v1{blob.path}", json={"metadata": {"new": "3"}})
    blob.reload()
    assert blob.metadata == {"keep": "1", "drop": "2", "new": "3"}


def test_null_deletes_one_metadata_key(blob: Blob) -> None:
    blob.metadata = {"drop": None}
    blob.patch()
    assert blob.metadata == {"keep": "1"}


def test_null_deletes_all_metadata(blob: Blob) -> None:
    blob.metadata = None
    blob.patch()
    blob.reload()
    assert blob.metadata is None


def test_an_update_replaces_everything(http: httpx.Client, blob: Blob) -> None:
    http.put(f"/storage/v1{blob.path}", json={"metadata": {"only": "1"}})
    blob.reload()
    assert blob.metadata == {"only": "1"}
    assert blob.content_type is None


def test_a_change_raises_the_metageneration_alone(blob: Blob) -> None:
    before = (blob.generation, blob.crc32c, blob.time_created, blob.etag)
    blob.content_type = "text/csv"
    blob.patch()
    assert (blob.generation, blob.crc32c, blob.time_created) == before[:3]
    assert (blob.metageneration, blob.content_type) == (2, "text/csv")
    assert blob.etag != before[3]
    assert blob.download_as_bytes() == b"data"


def test_a_new_generation_starts_with_fresh_metadata(bucket: Bucket, blob: Blob) -> None:
    blob.patch()
    fresh = bucket.blob("x")
    fresh.upload_from_string(b"new")
    fresh.reload()
    assert (fresh.metageneration, fresh.metadata) == (1, None)


def test_times_are_set_by_the_server(blob: Blob) -> None:
    assert blob.time_created is not None
    assert abs(blob.time_created - datetime.now(UTC)) < timedelta(minutes=1)
    assert blob.updated is not None
    assert blob.updated >= blob.time_created


def test_the_custom_time_can_only_rise(blob: Blob) -> None:
    blob.custom_time = NOON
    blob.patch()
    blob.reload()
    assert blob.custom_time == NOON
    blob.custom_time = NOON - timedelta(hours=1)
    with pytest.raises(BadRequest, match="customTime"):
        blob.patch()


def test_metadata_that_is_no_text_is_refused(http: httpx.Client, blob: Blob) -> None:
    assert http.patch(f"/storage/v1{blob.path}", json={"metadata": {"a": 1}}).status_code == 400


def test_a_body_that_is_no_json_is_refused(http: httpx.Client, blob: Blob) -> None:
    assert http.patch(f"/storage/v1{blob.path}", content=b"{").status_code == 400


def test_changing_a_missing_object_is_not_found(bucket: Bucket) -> None:
    blob = bucket.blob("missing")
    blob.metadata = {"a": "1"}
    with pytest.raises(NotFound):
        blob.patch()


def test_holds_are_refused(blob: Blob) -> None:
    blob.temporary_hold = True
    with pytest.raises(MethodNotImplemented, match="temporaryHold"):
        blob.patch()


def test_an_access_list_is_refused(bucket: Bucket) -> None:
    with pytest.raises(MethodNotImplemented, match="predefinedAcl"):
        bucket.blob("y").upload_from_string(b"", predefined_acl="publicRead")


def test_customer_keys_are_refused(bucket: Bucket) -> None:
    with pytest.raises(MethodNotImplemented, match="encryption"):
        bucket.blob("y", encryption_key=b"k" * 32).upload_from_string(b"")


def test_iam_is_refused(bucket: Bucket) -> None:
    with pytest.raises(MethodNotImplemented, match="not supported here"):
        bucket.get_iam_policy()
