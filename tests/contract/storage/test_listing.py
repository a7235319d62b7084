"""Listing: order, prefixes, folders, pages, offsets."""

from __future__ import annotations

import random

import httpx
import pytest
from google.api_core.exceptions import MethodNotImplemented
from google.cloud.storage import Bucket  # type: ignore[import-untyped]

NAMES = ["a", "a/1", "a/2", "a/b/3", "b", "b-1", "b/1", "c/1/x", "c/2/x", "é", "日本/1"]


@pytest.fixture
def filled(bucket: Bucket) -> Bucket:
    """A bucket with a small tree."""
    for name in reversed(NAMES):
        bucket.blob(name).upload_from_string(name)
    return bucket


def names(bucket: Bucket, **options: object) -> list[str]:
    return [blob.name for blob in bucket.list_blobs(**options)]


def test_all_objects_come_in_the_order_of_their_utf8_names(filled: Bucket) -> None:
    assert names(filled) == sorted(NAMES, key=str.encode)


def test_an_empty_bucket_lists_nothing(bucket: Bucket) -> None:
    assert names(bucket) == []


def test_a_prefix_selects(filled: Bucket) -> None:
    assert names(filled, prefix="a/") == ["a/1", "a/2", "a/b/3"]
    assert names(filled, prefix="日") == ["日本/1"]
    assert names(filled, prefix="nothing") == []


def test_a_delimiter_rolls_folders_up(filled: Bucket) -> None:
    page = filled.list_blobs(delimiter="/")
    assert [blob.name for blob in page] == ["a", "b", "b-1", "é"]
    assert page.prefixes == {"a/", "b/", "c/", "日本/"}


def test_a_prefix_and_a_delimiter_give_one_folder(filled: Bucket) -> None:
    page = filled.list_blobs(prefix="a/", delimiter="/")
    assert [blob.name for blob in page] == ["a/1", "a/2"]
    assert page.prefixes == {"a/b/"}


@pytest.mark.parametrize("size", [1, 2, 3, 7, 100])
def test_pages_of_any_size_add_up(filled: Bucket, size: int) -> None:
    assert names(filled, page_size=size) == sorted(NAMES, key=str.encode)


@pytest.mark.parametrize("size", [1, 2, 3])
def test_pages_with_a_delimiter_name_each_folder_once(http: httpx.Client, filled: Bucket, size: int) -> None:
    query: dict[str, str | int] = {"delimiter": "/", "maxResults": size}
    found: list[str] = []
    while True:
        page = http.get(f"/storage/v1/b/{filled.name}/o", params=query).json()
        entries = [item["name"] for item in page.get("items", [])] + page.get("prefixes", [])
        assert len(entries) <= size
        found += entries
        if "nextPageToken" not in page:
            break
        query["pageToken"] = page["nextPageToken"]
    assert sorted(found) == sorted(["a", "b", "b-1", "é", "a/", "b/", "c/", "日本/"])


def test_a_page_that_holds_the_rest_has_no_token(http: httpx.Client, filled: Bucket) -> None:
    page = http.get(f"/storage/v1/b/{filled.name}/o", params={"maxResults": len(NAMES)}).json()
    assert "nextPageToken" not in page


def test_offsets_include_the_start_and_exclude_the_end(filled: Bucket) -> None:
    assert names(filled, start_offset="a/2", end_offset="b/1") == ["a/2", "a/b/3", "b", "b-1"]


def test_max_results_limits_the_whole_listing(filled: Bucket) -> None:
    assert names(filled, max_results=3) == ["a", "a/1", "a/2"]


def test_an_object_written_during_paging_is_not_listed_twice(filled: Bucket) -> None:
    pages = filled.list_blobs(page_size=2).pages
    first = [blob.name for blob in next(pages)]
    filled.blob("a/0").upload_from_string(b"")
    rest = [blob.name for page in pages for blob in page]
    assert first + rest == sorted(NAMES, key=str.encode)


def test_a_page_token_that_is_none_is_refused(http: httpx.Client, bucket: Bucket) -> None:
    assert http.get(f"/storage/v1/b/{bucket.name}/o", params={"pageToken": "a"}).status_code == 400


def test_all_versions_are_the_live_ones_since_versioning_is_refused(filled: Bucket) -> None:
    filled.blob("a").upload_from_string(b"second generation")
    assert names(filled, versions=True) == sorted(NAMES, key=str.encode)


def test_soft_deleted_objects_are_refused(bucket: Bucket) -> None:
    with pytest.raises(MethodNotImplemented, match="soft delete"):
        names(bucket, soft_deleted=True)


@pytest.mark.parametrize("seed", range(3))
def test_any_listing_is_what_a_plain_filter_gives(http: httpx.Client, bucket: Bucket, seed: int) -> None:
    choose = random.Random(seed)  # noqa: S311  repeatable, not secret

    def text(longest: int) -> str:
        return "".join(choose.choices("ab/é\U0010ffff", k=choose.randint(0, longest)))

    stored = sorted({name for _ in range(40) if (name := text(6))}, key=str.encode)
    for name in stored:
        http.post(f"/upload/storage/v1/b/{bucket.name}/o", params={"uploadType": "media", "name": name})
    for _ in range(20):
        prefix, delimiter, start, end = text(2), choose.choice(["", "/", "a", "b/"]), text(2), text(2)
        options = {"prefix": prefix, "delimiter": delimiter, "start_offset": start, "end_offset": end}
        page = bucket.list_blobs(page_size=choose.randint(1, 9), **options)
        found = [blob.name for blob in page]
        within = [name for name in stored if name.startswith(prefix) and start.encode() <= name.encode()]
        within = [name for name in within if not end or name.encode() < end.encode()]
        cuts = {name: name.find(delimiter, len(prefix)) if delimiter else -1 for name in within}
        assert found == [name for name in within if cuts[name] < 0]
        assert page.prefixes == {name[: cut + len(delimiter)] for name, cut in cuts.items() if cut >= 0}
