"""Downloads: whole, in ranges, unzipped, conditional."""

from __future__ import annotations

import gzip
import io
import os

import httpx
import pytest
from google.api_core.exceptions import NotFound, RequestRangeNotSatisfiable
from google.cloud.storage import Blob, Bucket  # type: ignore[import-untyped]

DATA = bytes(range(256)) * 40


@pytest.fixture
def blob(bucket: Bucket) -> Blob:
    """An object of 10,240 known bytes."""
    blob = bucket.blob("folder/x.bin")
    blob.upload_from_string(DATA)
    return blob


def address(blob: Blob, query: str = "alt=media") -> str:
    return f"/storage/v1/b/{blob.bucket.name}/o/folder%2Fx.bin?{query}"


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ("bytes=0-0", DATA[:1]),
        ("bytes=5-9", DATA[5:10]),
        ("bytes=10000-", DATA[10000:]),
        ("bytes=-7", DATA[-7:]),
        ("bytes=-99999", DATA),
        ("bytes=10230-99999", DATA[10230:]),
    ],
)
def test_a_range_gives_exactly_its_bytes(http: httpx.Client, blob: Blob, asked: str, expected: bytes) -> None:
    answer = http.get(address(blob), headers={"Range": asked})
    first = len(DATA) - len(expected) if asked.startswith("bytes=-") else int(asked[6:].split("-")[0])
    assert answer.status_code == 206
    assert answer.content == expected
    assert answer.headers["content-range"] == f"bytes {first}-{first + len(expected) - 1}/{len(DATA)}"


@pytest.mark.parametrize("asked", ["bytes=10240-", "bytes=20000-30000", "bytes=-0"])
def test_a_range_outside_of_the_object_is_refused(http: httpx.Client, blob: Blob, asked: str) -> None:
    answer = http.get(address(blob), headers={"Range": asked})
    assert (answer.status_code, answer.headers["content-range"]) == (416, f"bytes */{len(DATA)}")


def test_the_client_reads_ranges(blob: Blob) -> None:
    assert blob.download_as_bytes(start=100, end=199) == DATA[100:200]
    with pytest.raises(RequestRangeNotSatisfiable):
        blob.download_as_bytes(start=len(DATA))


def test_a_large_object_is_read_in_chunks_and_by_seeking(bucket: Bucket) -> None:
    data = os.urandom(3_000_000)
    bucket.blob("large").upload_from_string(data)
    assert bucket.blob("large", chunk_size=1024 * 1024).download_as_bytes() == data
    with bucket.blob("large").open("rb", chunk_size=512 * 1024) as stream:
        stream.seek(1_234_567)
        assert stream.read(1_000_000) == data[1_234_567:2_234_567]


def test_the_headers_describe_the_stored_object(http: httpx.Client, blob: Blob) -> None:
    headers = http.get(address(blob), headers={"Range": "bytes=0-1"}).headers
    assert headers["x-goog-hash"] == f"crc32c={blob.crc32c},md5={blob.md5_hash}"
    assert headers["x-goog-generation"] == str(blob.generation)
    assert headers["x-goog-metageneration"] == "1"
    assert headers["x-goog-stored-content-length"] == str(len(DATA))
    assert headers["x-goog-storage-class"] == "STANDARD"


def test_both_download_addresses_give_the_bytes(http: httpx.Client, blob: Blob) -> None:
    assert http.get(address(blob)).content == DATA
    assert http.get(f"/download{address(blob)}").content == DATA


def test_an_entity_tag_that_still_holds_gives_304(http: httpx.Client, blob: Blob) -> None:
    tag = http.get(address(blob)).headers["etag"]
    assert http.get(address(blob), headers={"If-None-Match": tag}).status_code == 304
    assert http.get(address(blob), headers={"If-Match": '"other"'}).status_code == 412


def test_a_generation_that_is_gone_is_not_found(bucket: Bucket, blob: Blob) -> None:
    old = bucket.blob(blob.name, generation=blob.generation)
    bucket.blob(blob.name).upload_from_string(b"new")
    with pytest.raises(NotFound):
        old.download_as_bytes()


def test_a_missing_object_is_not_found(bucket: Bucket) -> None:
    with pytest.raises(NotFound, match="No such object"):
        bucket.blob("missing").download_as_bytes()
    assert bucket.get_blob("missing") is None


@pytest.fixture
def zipped(bucket: Bucket) -> Blob:
    """A gzip object whose content encoding says so."""
    blob = bucket.blob("folder/x.bin")
    blob.content_encoding = "gzip"
    blob.upload_from_string(gzip.compress(DATA))
    return blob


def test_gzip_is_unzipped_for_a_reader_that_does_not_take_it(http: httpx.Client, zipped: Blob) -> None:
    answer = http.get(address(zipped), headers={"Accept-Encoding": "identity"})
    assert answer.content == DATA
    assert "content-encoding" not in answer.headers
    assert answer.headers["x-goog-stored-content-encoding"] == "gzip"


def test_gzip_stays_gzip_for_a_reader_that_takes_it(http: httpx.Client, zipped: Blob) -> None:
    with http.stream("GET", address(zipped), headers={"Accept-Encoding": "gzip"}) as answer:
        assert gzip.decompress(b"".join(answer.iter_raw())) == DATA
        assert answer.headers["content-encoding"] == "gzip"


def test_the_client_reads_gzip_unzipped_and_raw(zipped: Blob) -> None:
    assert zipped.download_as_bytes() == DATA
    assert gzip.decompress(zipped.download_as_bytes(raw_download=True)) == DATA


def test_no_transform_keeps_gzip_as_stored(http: httpx.Client, zipped: Blob) -> None:
    zipped.cache_control = "no-transform"
    zipped.patch()
    with http.stream("GET", address(zipped), headers={"Accept-Encoding": "identity"}) as answer:
        assert gzip.decompress(b"".join(answer.iter_raw())) == DATA


def test_gzip_of_several_members_that_unzips_to_much_is_a_stream(http: httpx.Client, bucket: Bucket) -> None:
    blob = bucket.blob("folder/x.bin")
    blob.content_encoding = "gzip"
    blob.upload_from_string(gzip.compress(bytes(20_000_000)) + gzip.compress(b"end"))
    answer = http.get(address(blob), headers={"Accept-Encoding": "identity"})
    assert answer.content == bytes(20_000_000) + b"end"


def test_bytes_that_only_claim_to_be_gzip_are_refused(http: httpx.Client, bucket: Bucket) -> None:
    blob = bucket.blob("folder/x.bin")
    blob.content_encoding = "gzip"
    blob.upload_from_string(b"plain text")
    assert http.get(address(blob), headers={"Accept-Encoding": "identity"}).status_code == 400


def test_a_download_goes_on_while_its_object_is_replaced(http: httpx.Client, bucket: Bucket, blob: Blob) -> None:
    data = os.urandom(8_000_000)
    blob.upload_from_file(io.BytesIO(data))
    with http.stream("GET", address(blob)) as answer:
        pieces = answer.iter_raw(100_000)
        first = next(pieces)
        bucket.blob(blob.name).upload_from_string(b"new")
        assert first + b"".join(pieces) == data
    assert bucket.blob(blob.name).download_as_bytes() == b"new"
