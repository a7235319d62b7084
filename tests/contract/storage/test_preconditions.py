"""Generations, metagenerations and the four preconditions, on every kind of request."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from google.api_core.exceptions import NotFound, NotModified, PreconditionFailed
from google.cloud.storage import Blob, Bucket  # type: ignore[import-untyped]


@pytest.fixture
def blob(bucket: Bucket) -> Blob:
    """An object that stands."""
    blob = bucket.blob("x")
    blob.upload_from_string(b"first")
    return blob


def test_a_first_write_wins_once(bucket: Bucket) -> None:
    bucket.blob("x").upload_from_string(b"first", if_generation_match=0)
    with pytest.raises(PreconditionFailed):
        bucket.blob("x").upload_from_string(b"second", if_generation_match=0)
    assert bucket.blob("x").download_as_bytes() == b"first"


def test_of_many_first_writers_exactly_one_wins(bucket: Bucket) -> None:
    def write(number: int) -> bool:
        try:
            bucket.blob("x").upload_from_string(str(number), if_generation_match=0)
        except PreconditionFailed:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(write, range(16))) == 1


def test_an_overwrite_of_a_known_generation_goes_through_once(bucket: Bucket, blob: Blob) -> None:
    known = blob.generation
    bucket.blob("x").upload_from_string(b"second", if_generation_match=known)
    with pytest.raises(PreconditionFailed):
        bucket.blob("x").upload_from_string(b"third", if_generation_match=known)


def test_generation_zero_must_not_match_needs_an_object(bucket: Bucket, blob: Blob) -> None:
    blob.upload_from_string(b"second", if_generation_not_match=0)
    with pytest.raises(PreconditionFailed):
        bucket.blob("y").upload_from_string(b"", if_generation_not_match=0)


def test_a_write_honours_the_metageneration(http: httpx.Client, bucket: Bucket, blob: Blob) -> None:
    with pytest.raises(PreconditionFailed):
        bucket.blob("x").upload_from_string(b"", if_metageneration_match=2)
    address = f"/upload/storage/v1/b/{bucket.name}/o?uploadType=media&name=x"
    assert http.post(f"{address}&ifMetagenerationNotMatch=1", content=b"").status_code == 412
    blob.upload_from_string(b"second", if_metageneration_match=1)


def test_a_precondition_of_an_unknown_name_is_refused_not_ignored(http: httpx.Client, bucket: Bucket) -> None:
    address = f"/upload/storage/v1/b/{bucket.name}/o?uploadType=media&name=x"
    answer = http.post(f"{address}&ifMetaGenerationNotMatch=1", content=b"")
    assert answer.status_code == 400
    assert "ifMetaGenerationNotMatch" in answer.text


READS: list[Callable[..., object]] = [Blob.reload, Blob.download_as_bytes]


@pytest.mark.parametrize("read", READS)
def test_a_read_of_another_generation_fails(blob: Blob, read: Callable[..., object]) -> None:
    read(blob, if_generation_match=blob.generation)
    with pytest.raises(PreconditionFailed):
        read(blob, if_generation_match=blob.generation + 1)
    with pytest.raises(PreconditionFailed):
        read(blob, if_metageneration_match=2)


@pytest.mark.parametrize("read", READS)
def test_a_read_of_what_is_known_is_not_modified(blob: Blob, read: Callable[..., object]) -> None:
    with pytest.raises(NotModified):
        read(blob, if_generation_not_match=blob.generation)
    with pytest.raises(NotModified):
        read(blob, if_metageneration_not_match=1)


def test_a_delete_honours_its_preconditions(bucket: Bucket, blob: Blob) -> None:
    refused = [{"if_generation_match": 1}, {"if_generation_not_match": blob.generation}]
    for condition in [*refused, {"if_metageneration_match": 9}, {"if_metageneration_not_match": 1}]:
        with pytest.raises(PreconditionFailed):
            blob.delete(**condition)
    blob.delete(if_generation_match=blob.generation)
    with pytest.raises(NotFound):
        bucket.blob("x").delete()


def test_a_patch_honours_its_preconditions(blob: Blob) -> None:
    blob.metadata = {"a": "1"}
    with pytest.raises(PreconditionFailed):
        blob.patch(if_metageneration_match=5)
    blob.patch(if_metageneration_match=1, if_generation_match=blob.generation)
    assert blob.metageneration == 2


def test_a_copy_honours_both_sides(bucket: Bucket, blob: Blob) -> None:
    with pytest.raises(PreconditionFailed):
        bucket.copy_blob(blob, bucket, "y", if_source_generation_match=1)
    with pytest.raises(PreconditionFailed):
        bucket.copy_blob(blob, bucket, "x", if_generation_match=0)
    bucket.copy_blob(blob, bucket, "y", if_source_generation_match=blob.generation, if_generation_match=0)


def test_a_compose_honours_its_preconditions(bucket: Bucket, blob: Blob) -> None:
    with pytest.raises(PreconditionFailed):
        bucket.blob("x").compose([blob], if_generation_match=0)
    with pytest.raises(PreconditionFailed):
        bucket.blob("y").compose([bucket.blob("x")], if_source_generation_match=[1])


def test_a_precondition_that_is_no_number_is_refused(http: httpx.Client, bucket: Bucket) -> None:
    address = f"/upload/storage/v1/b/{bucket.name}/o?uploadType=media&name=x&ifGenerationMatch=latest"
    assert http.post(address, content=b"").status_code == 400


def test_a_failed_precondition_has_the_reason_that_clients_look_for(http: httpx.Client, bucket: Bucket) -> None:
    bucket.blob("x").upload_from_string(b"")
    address = f"/upload/storage/v1/b/{bucket.name}/o?uploadType=media&name=x&ifGenerationMatch=0"
    error = http.post(address, content=b"").json()["error"]
    assert (error["code"], error["errors"][0]["reason"]) == (412, "conditionNotMet")
    assert error["errors"][0]["domain"] == "global"
