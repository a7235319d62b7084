"""Copy, rewrite, compose, and many deletes in one batch."""

from __future__ import annotations

import pytest
from google.api_core.exceptions import BadRequest, NotFound
from google.cloud.storage import Blob, Bucket, Client  # type: ignore[import-untyped]

from tests.contract.storage.checksums import crc32c


@pytest.fixture
def source(bucket: Bucket) -> Blob:
    """An object with properties."""
    blob = bucket.blob("from/source.txt")
    blob.metadata = {"k": "v"}
    blob.upload_from_string(b"data" * 1000, content_type="text/plain")
    return blob


def test_a_copy_has_the_bytes_and_the_properties(bucket: Bucket, source: Blob) -> None:
    copy = bucket.copy_blob(source, bucket, "to/copy.txt")
    assert copy.download_as_bytes() == b"data" * 1000
    assert (copy.metadata, copy.content_type, copy.crc32c) == ({"k": "v"}, "text/plain", source.crc32c)
    assert copy.generation != source.generation


def test_a_copy_outlives_its_source(bucket: Bucket, source: Blob) -> None:
    copy = bucket.copy_blob(source, bucket, "to/copy.txt")
    source.delete()
    assert copy.download_as_bytes() == b"data" * 1000


def test_a_rewrite_reaches_another_bucket(client: Client, source: Blob) -> None:
    other = client.create_bucket(f"{source.bucket.name}-other")
    token, done, total = other.blob("x").rewrite(source)
    assert (token, done, total) == (None, 4000, 4000)
    assert other.blob("x").download_as_bytes() == b"data" * 1000


def test_a_rewrite_onto_itself_changes_the_storage_class(bucket: Bucket, source: Blob) -> None:
    source.update_storage_class("COLDLINE")
    found = bucket.get_blob(source.name)
    assert found is not None
    assert (found.storage_class, found.download_as_bytes()) == ("COLDLINE", b"data" * 1000)


def test_copying_a_missing_object_is_not_found(bucket: Bucket) -> None:
    with pytest.raises(NotFound):
        bucket.copy_blob(bucket.blob("missing"), bucket, "y")


def test_a_rename_leaves_one_object(bucket: Bucket, source: Blob) -> None:
    bucket.rename_blob(source, "new name")
    assert [blob.name for blob in bucket.list_blobs()] == ["new name"]


def test_compose_joins_in_order(bucket: Bucket) -> None:
    parts = [bucket.blob(f"part-{number}") for number in range(5)]
    for number, part in enumerate(parts):
        part.upload_from_string(str(number) * 100_000)
    whole = bucket.blob("whole")
    whole.content_type = "text/plain"
    whole.compose(parts)
    expected = b"".join(str(number).encode() * 100_000 for number in range(5))
    assert bucket.blob("whole").download_as_bytes() == expected
    assert (whole.crc32c, whole.md5_hash, whole.component_count) == (crc32c(expected), None, 5)


def test_an_object_can_be_appended_to_itself(bucket: Bucket, source: Blob) -> None:
    source.compose([source, source])
    assert bucket.blob(source.name).download_as_bytes() == b"data" * 2000


def test_compose_of_more_than_32_is_refused(source: Blob) -> None:
    with pytest.raises(BadRequest):
        source.compose([source] * 33)


def test_compose_with_a_missing_part_leaves_nothing(bucket: Bucket, source: Blob) -> None:
    with pytest.raises(NotFound):
        bucket.blob("whole").compose([source, bucket.blob("missing")])
    assert not bucket.blob("whole").exists()


def test_a_batch_deletes_many(client: Client, bucket: Bucket) -> None:
    for number in range(30):
        bucket.blob(f"dir/ü {number}").upload_from_string(b"")
    with client.batch():
        for number in range(29):
            bucket.blob(f"dir/ü {number}").delete()
    assert [blob.name for blob in bucket.list_blobs()] == ["dir/ü 29"]


def test_a_batch_goes_on_after_a_part_that_fails(client: Client, bucket: Bucket) -> None:
    bucket.blob("x").upload_from_string(b"")
    batch = client.batch(raise_exception=False)
    with batch:
        bucket.blob("missing").delete()
        bucket.blob("x").delete()
    assert [answer.status_code for answer in batch._responses] == [404, 204]
    assert not bucket.blob("x").exists()


def test_a_batch_patches_and_reads(client: Client, bucket: Bucket) -> None:
    blob = bucket.blob("x")
    blob.upload_from_string(b"")
    blob.metadata = {"a": "1"}
    with client.batch():
        blob.patch()
    with client.batch():
        blob.reload()
    assert blob.metadata == {"a": "1"}
