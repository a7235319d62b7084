"""Buckets: create, find, change, delete."""

from __future__ import annotations

import pytest
from google.api_core.exceptions import BadRequest, Conflict, MethodNotImplemented, NotFound, PreconditionFailed
from google.cloud.storage import Bucket, Client  # type: ignore[import-untyped]


def test_a_created_bucket_is_found_and_listed(client: Client, bucket: Bucket) -> None:
    assert client.get_bucket(bucket.name).metageneration == 1
    assert bucket.name in {found.name for found in client.list_buckets()}


def test_creating_a_bucket_twice_conflicts(client: Client, bucket: Bucket) -> None:
    with pytest.raises(Conflict):
        client.create_bucket(bucket.name)


def test_a_missing_bucket_is_not_found(client: Client) -> None:
    with pytest.raises(NotFound):
        client.get_bucket("never-created")
    assert client.lookup_bucket("never-created") is None


def test_reading_from_a_missing_bucket_is_not_found(client: Client) -> None:
    with pytest.raises(NotFound):
        client.bucket("never-created").blob("x").download_as_bytes()
    with pytest.raises(NotFound):
        list(client.list_blobs("never-created"))


def test_writing_to_a_missing_bucket_is_not_found(client: Client) -> None:
    with pytest.raises(NotFound):
        client.bucket("never-created").blob("x").upload_from_string(b"x")


def test_a_bucket_with_objects_cannot_be_deleted(bucket: Bucket) -> None:
    bucket.blob("x").upload_from_string(b"x")
    with pytest.raises(Conflict):
        bucket.delete()
    bucket.delete(force=True)
    assert not bucket.exists()


def test_labels_are_patched_and_removed(client: Client, bucket: Bucket) -> None:
    bucket.labels = {"stage": "local", "team": "data"}
    bucket.patch()
    bucket.labels = {"stage": "local"}
    bucket.patch()
    found = client.get_bucket(bucket.name)
    assert found.labels == {"stage": "local"}
    assert found.metageneration == 3


def test_a_bucket_patch_honours_its_metageneration(bucket: Bucket) -> None:
    bucket.labels = {"stage": "local"}
    with pytest.raises(PreconditionFailed):
        bucket.patch(if_metageneration_match=7)


def test_the_storage_class_of_a_bucket_is_the_default_of_its_objects(bucket: Bucket) -> None:
    bucket.storage_class = "NEARLINE"
    bucket.patch()
    blob = bucket.blob("x")
    blob.upload_from_string(b"x")
    assert blob.storage_class == "NEARLINE"


def test_an_invalid_bucket_name_is_refused(client: Client) -> None:
    with pytest.raises(BadRequest):
        client.create_bucket("Upper-Case")


def test_versioning_is_refused(bucket: Bucket) -> None:
    bucket.versioning_enabled = True
    with pytest.raises(MethodNotImplemented, match="not supported here"):
        bucket.patch()


def test_lifecycle_rules_are_refused(bucket: Bucket) -> None:
    bucket.add_lifecycle_delete_rule(age=7)
    with pytest.raises(MethodNotImplemented, match="lifecycle"):
        bucket.patch()
