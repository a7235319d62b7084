"""Uploads in one request: properties, names, hashes, generations."""

from __future__ import annotations

import base64
import hashlib
import os
from collections.abc import Iterator

import httpx
import pytest
from google.api_core.exceptions import BadRequest, NotFound
from google.cloud.storage import Bucket, Client  # type: ignore[import-untyped]

from tests.contract.storage.checksums import crc32c


def test_an_object_has_the_hashes_of_its_bytes(bucket: Bucket) -> None:
    data = os.urandom(100_000)
    blob = bucket.blob("x")
    blob.upload_from_string(data)
    assert blob.size == len(data)
    assert blob.crc32c == crc32c(data)
    assert blob.md5_hash == base64.b64encode(hashlib.md5(data, usedforsecurity=False).digest()).decode()
    assert blob.metageneration == 1


def test_the_properties_given_at_upload_are_kept(bucket: Bucket) -> None:
    blob = bucket.blob("x")
    blob.metadata = {"source": "shop"}
    blob.cache_control = "no-store"
    blob.content_language = "en"
    blob.content_disposition = "attachment"
    blob.storage_class = "COLDLINE"
    blob.upload_from_string(b"{}", content_type="application/json")
    found = bucket.get_blob("x")
    assert found is not None
    assert found.metadata == {"source": "shop"}
    assert (found.content_type, found.cache_control) == ("application/json", "no-store")
    assert (found.content_language, found.content_disposition) == ("en", "attachment")
    assert found.storage_class == "COLDLINE"


@pytest.mark.parametrize("name", ["a/b/c.json", "with space", "ä/ö?ü#%2F", "a//b", "o/x/rewriteTo/b/y", "+&=", "日本"])
def test_any_name_comes_back_as_it_was(bucket: Bucket, name: str) -> None:
    bucket.blob(name).upload_from_string(name.encode())
    assert [blob.name for blob in bucket.list_blobs()] == [name]
    assert bucket.blob(name).download_as_bytes() == name.encode()


@pytest.mark.parametrize("name", [".", "..", "line\nbreak", "x" * 1025])
def test_an_invalid_object_name_is_refused(http: httpx.Client, bucket: Bucket, name: str) -> None:
    address = f"/upload/storage/v1/b/{bucket.name}/o"
    assert http.post(address, params={"uploadType": "media", "name": name}).status_code == 400


def test_an_empty_object_is_an_object(bucket: Bucket) -> None:
    bucket.blob("x").upload_from_string(b"")
    assert bucket.blob("x").download_as_bytes() == b""


def test_each_overwrite_has_a_higher_generation(bucket: Bucket) -> None:
    blob = bucket.blob("x")
    generations = []
    for number in range(5):
        blob.upload_from_string(str(number))
        generations.append(blob.generation)
    assert sorted(set(generations)) == generations


def test_an_upload_with_a_wrong_crc32c_is_refused(bucket: Bucket) -> None:
    blob = bucket.blob("x")
    blob.crc32c = crc32c(b"other bytes")
    with pytest.raises(BadRequest, match="CRC32C"):
        blob.upload_from_string(b"bytes", checksum=None)
    assert not bucket.blob("x").exists()


def test_an_upload_with_a_wrong_md5_leaves_the_old_object(bucket: Bucket) -> None:
    bucket.blob("x").upload_from_string(b"old")
    blob = bucket.blob("x")
    blob.md5_hash = base64.b64encode(bytes(16)).decode()
    with pytest.raises(BadRequest, match="MD5"):
        blob.upload_from_string(b"new", checksum=None)
    assert bucket.blob("x").download_as_bytes() == b"old"


def test_media_upload_takes_the_body_as_it_is(http: httpx.Client, bucket: Bucket) -> None:
    address = f"/upload/storage/v1/b/{bucket.name}/o?uploadType=media&name=x"
    answer = http.post(address, content=b"abc", headers={"Content-Type": "text/csv"})
    assert (answer.json()["size"], answer.json()["contentType"]) == ("3", "text/csv")


def test_a_truncated_multipart_body_is_refused(http: httpx.Client, bucket: Bucket) -> None:
    body = b'--b\r\nContent-Type: application/json\r\n\r\n{"name":"x"}\r\n--b\r\n\r\nhalf of the'
    headers = {"Content-Type": 'multipart/related; boundary="b"'}
    address = f"/upload/storage/v1/b/{bucket.name}/o?uploadType=multipart"
    assert http.post(address, content=body, headers=headers).status_code == 400
    assert not bucket.blob("x").exists()


def test_a_boundary_within_the_data_that_is_no_line_does_not_end_it(http: httpx.Client, bucket: Bucket) -> None:
    data = b"--b\nnot the end--b \r\n-\r\n--"
    body = b'--b\r\nContent-Type: application/json\r\n\r\n{"name":"x"}\r\n--b\r\n\r\n' + data + b"\r\n--b--\r\n"
    headers = {"Content-Type": "multipart/related; boundary='b'"}
    http.post(f"/upload/storage/v1/b/{bucket.name}/o?uploadType=multipart", content=body, headers=headers)
    assert bucket.blob("x").download_as_bytes() == data


def test_a_multipart_body_with_bare_line_feeds_is_taken_as_gcloud_sends_it(http: httpx.Client, bucket: Bucket) -> None:
    body = b'--b\nContent-Type: application/json\n\n{"name":"x"}\n--b\nContent-Type: text/csv\n\na,b\r\n1,2\n--b--'
    headers = {"Content-Type": "multipart/related; boundary='b'"}
    http.post(f"/upload/storage/v1/b/{bucket.name}/o?uploadType=multipart", content=body, headers=headers)
    assert bucket.blob("x").download_as_bytes() == b"a,b\r\n1,2"


def test_a_large_upload_that_is_refused_gets_its_answer(client: Client) -> None:
    with pytest.raises(NotFound):
        client.bucket("never-created").blob("x").upload_from_string(bytes(7_000_000), timeout=10, retry=None)


def test_an_upload_that_breaks_off_leaves_nothing(http: httpx.Client, bucket: Bucket) -> None:
    def broken() -> Iterator[bytes]:
        yield b"a" * 1000
        raise OSError("the connection broke")

    with pytest.raises(OSError, match="broke"):
        http.post(f"/upload/storage/v1/b/{bucket.name}/o?uploadType=media&name=x", content=broken())
    assert not bucket.blob("x").exists()
