"""Uploads in many requests, and how they go on after they stopped."""

from __future__ import annotations

import io
import os
import time
from collections.abc import Iterator

import httpx
import pytest
from google.api_core.exceptions import PreconditionFailed
from google.cloud.storage import Bucket  # type: ignore[import-untyped]

from tests.contract.storage.checksums import crc32c

UNIT = 256 * 1024


def open_upload(http: httpx.Client, bucket: Bucket, name: str = "x", **headers: str) -> str:
    address = f"/upload/storage/v1/b/{bucket.name}/o?uploadType=resumable&name={name}"
    return http.post(address, headers=headers).headers["location"]


def test_a_resumable_upload_in_many_chunks_is_one_object(bucket: Bucket) -> None:
    data = os.urandom(5 * UNIT + 17)
    blob = bucket.blob("x", chunk_size=UNIT)
    blob.upload_from_file(io.BytesIO(data), size=len(data), content_type="text/plain")
    assert bucket.blob("x").download_as_bytes() == data
    assert blob.crc32c == crc32c(data)
    assert blob.content_type == "text/plain"


def test_a_resumable_upload_of_unknown_length_is_one_object(bucket: Bucket) -> None:
    data = os.urandom(3 * UNIT + 1)
    with bucket.blob("x").open("wb", chunk_size=UNIT) as stream:
        for start in range(0, len(data), 100_000):
            stream.write(data[start : start + 100_000])
    assert bucket.blob("x").download_as_bytes() == data


@pytest.mark.parametrize("size", [0, UNIT, 2 * UNIT])
def test_a_stream_that_ends_on_a_chunk_border_is_complete(bucket: Bucket, size: int) -> None:
    with bucket.blob("x").open("wb", chunk_size=UNIT) as stream:
        stream.write(b"a" * size)
    assert bucket.blob("x").download_as_bytes() == b"a" * size


def test_nothing_exists_before_a_resumable_upload_ends(http: httpx.Client, bucket: Bucket) -> None:
    address = open_upload(http, bucket)
    http.put(address, content=b"a" * UNIT, headers={"Content-Range": f"bytes 0-{UNIT - 1}/*"})
    assert not bucket.blob("x").exists()


def test_a_resumable_upload_says_how_far_it_is(http: httpx.Client, bucket: Bucket) -> None:
    address = open_upload(http, bucket)
    empty = http.put(address, headers={"Content-Range": "bytes */*"})
    assert (empty.status_code, "range" in empty.headers) == (308, False)
    http.put(address, content=b"a" * UNIT, headers={"Content-Range": f"bytes 0-{UNIT - 1}/*"})
    some = http.put(address, headers={"Content-Range": f"bytes */{2 * UNIT}"})
    assert (some.status_code, some.headers["range"]) == (308, f"bytes=0-{UNIT - 1}")


def test_a_repeated_chunk_counts_once(http: httpx.Client, bucket: Bucket) -> None:
    address = open_upload(http, bucket)
    for _ in range(2):
        http.put(address, content=b"a" * UNIT, headers={"Content-Range": f"bytes 0-{UNIT - 1}/*"})
    last = http.put(address, content=b"b", headers={"Content-Range": f"bytes {UNIT}-{UNIT}/{UNIT + 1}"})
    assert last.json()["size"] == str(UNIT + 1)
    assert bucket.blob("x").download_as_bytes() == b"a" * UNIT + b"b"


def test_a_finished_upload_answers_again_with_its_object(http: httpx.Client, bucket: Bucket) -> None:
    address = open_upload(http, bucket)
    first = http.put(address, content=b"abc", headers={"Content-Range": "bytes 0-2/3"})
    again = http.put(address, headers={"Content-Range": "bytes */3"})
    assert first.json()["generation"] == again.json()["generation"]


def test_a_resumable_upload_in_one_piece_needs_no_content_range(http: httpx.Client, bucket: Bucket) -> None:
    assert http.put(open_upload(http, bucket), content=b"abc").status_code == 200
    assert bucket.blob("x").download_as_bytes() == b"abc"


def test_a_chunk_after_a_gap_is_refused(http: httpx.Client, bucket: Bucket) -> None:
    address = open_upload(http, bucket)
    answer = http.put(address, content=b"a", headers={"Content-Range": f"bytes {UNIT}-{UNIT}/{UNIT + 1}"})
    assert answer.status_code == 503
    assert "exceeds already uploaded size" in answer.text


def test_a_middle_chunk_of_an_odd_size_is_refused(http: httpx.Client, bucket: Bucket) -> None:
    address = open_upload(http, bucket)
    assert http.put(address, content=b"abc", headers={"Content-Range": "bytes 0-2/*"}).status_code == 400
    assert "range" not in http.put(address, headers={"Content-Range": "bytes */*"}).headers


def test_a_chunk_shorter_than_it_says_is_refused(http: httpx.Client, bucket: Bucket) -> None:
    address = open_upload(http, bucket)
    assert http.put(address, content=b"abc", headers={"Content-Range": "bytes 0-9/10"}).status_code == 400
    assert not bucket.blob("x").exists()


def test_a_cancelled_upload_is_gone(http: httpx.Client, bucket: Bucket) -> None:
    address = open_upload(http, bucket)
    assert http.delete(address).status_code == 499
    assert http.put(address, content=b"abc").status_code == 404


def test_a_resumable_upload_with_wrong_bytes_is_refused(http: httpx.Client, bucket: Bucket) -> None:
    address = open_upload(http, bucket)
    answer = http.put(address, content=b"abc", headers={"x-goog-hash": f"crc32c={crc32c(b'abd')}"})
    assert answer.status_code == 400
    assert not bucket.blob("x").exists()


@pytest.mark.parametrize("checksum", ["md5", "crc32c", "auto"])
def test_the_checksums_of_the_client_hold(bucket: Bucket, checksum: str) -> None:
    blob = bucket.blob("x", chunk_size=UNIT)
    blob.upload_from_file(io.BytesIO(b"a" * (UNIT + 1)), checksum=checksum)
    assert len(bucket.blob("x").download_as_bytes(checksum=checksum)) == UNIT + 1


def test_a_resumable_upload_checks_its_precondition_when_it_starts(bucket: Bucket) -> None:
    bucket.blob("x").upload_from_string(b"old")
    with pytest.raises(PreconditionFailed):
        bucket.blob("x", chunk_size=UNIT).upload_from_file(io.BytesIO(b"new" * UNIT), if_generation_match=0)
    assert bucket.blob("x").download_as_bytes() == b"old"


def test_a_resumable_upload_checks_its_precondition_when_it_ends(http: httpx.Client, bucket: Bucket) -> None:
    address = open_upload(http, bucket, "x&ifGenerationMatch=0")
    bucket.blob("x").upload_from_string(b"was faster")
    assert http.put(address, content=b"too late").status_code == 412
    assert bucket.blob("x").download_as_bytes() == b"was faster"


def test_a_stream_of_unknown_length_in_one_request_is_complete(http: httpx.Client, bucket: Bucket) -> None:
    pieces = (b"a" * 1000 for _ in range(300))
    answer = http.put(open_upload(http, bucket), content=pieces, headers={"Content-Range": "bytes 0-*/*"})
    assert (answer.status_code, answer.json()["size"]) == (200, "300000")


def test_a_chunk_longer_than_it_says_is_refused(http: httpx.Client, bucket: Bucket) -> None:
    address = open_upload(http, bucket)
    answer = http.put(address, content=b"a" * UNIT, headers={"Content-Range": "bytes 0-9/10"})
    assert answer.status_code == 400
    assert not bucket.blob("x").exists()


def test_a_broken_connection_leaves_whole_units_to_go_on_from(http: httpx.Client, bucket: Bucket) -> None:
    def broken() -> Iterator[bytes]:
        yield b"a" * (UNIT + 1000)
        time.sleep(0.1)
        raise OSError("the connection broke")

    address = open_upload(http, bucket)
    with pytest.raises(OSError, match="broke"):
        http.put(address, content=broken(), headers={"Content-Range": f"bytes 0-{2 * UNIT - 1}/{2 * UNIT}"})
    status = http.put(address, headers={"Content-Range": "bytes */*"})
    assert (status.status_code, status.headers["range"]) == (308, f"bytes=0-{UNIT - 1}")
    rest = {"Content-Range": f"bytes {UNIT}-{2 * UNIT - 1}/{2 * UNIT}"}
    assert http.put(address, content=b"b" * UNIT, headers=rest).status_code == 200
    assert bucket.blob("x").download_as_bytes() == b"a" * UNIT + b"b" * UNIT
