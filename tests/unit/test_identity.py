"""Identity: the same thing has the same name, and another thing has another."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.identity import chunk_id, content_hash, digest, file_id
from tests.unit.judging import few

CELL = st.text("ab\x00 ", max_size=3)
"""Cleaned cells are printable or the NUL that stands for a missing value."""


def test_names_are_the_same_in_every_release() -> None:
    """Rows that were loaded carry them: another name would be loaded as another thing."""
    assert file_id("landing", "users/a.csv", 17) == "ef79819a320b183ed108c0ebbe8645d74e9a8c0f9b458179421af2c9de12bed5"
    assert chunk_id("f" * 64, 12) == "f" * 64 + "-000012"
    assert content_hash(["t1", "\x00", "19.99"]) == "5f62096a7580faeefe122630f7ab13b6"
    assert digest(b"rows") == "720fd7974ef65771"


@few
@given(st.tuples(CELL, CELL, st.integers(0, 3)), st.tuples(CELL, CELL, st.integers(0, 3)))
def test_a_file_is_known_by_bucket_name_and_generation(one: tuple[str, str, int], other: tuple[str, str, int]) -> None:
    assert (file_id(*one) == file_id(*other)) == (one == other)


def test_a_new_upload_under_the_same_name_is_another_file() -> None:
    assert file_id("b", "users/a.csv", 1) != file_id("b", "users/a.csv", 2)


@few
@given(st.lists(st.integers(0, 999_999), unique=True))
def test_chunks_sort_as_they_were_cut(ordinals: list[int]) -> None:
    names = [chunk_id("f", ordinal) for ordinal in ordinals]
    assert sorted(names) == [chunk_id("f", ordinal) for ordinal in sorted(ordinals)]


@few
@given(st.lists(CELL, min_size=1, max_size=4), st.lists(CELL, min_size=1, max_size=4))
def test_two_rows_have_the_same_hash_only_if_every_field_is_the_same(one: list[str], other: list[str]) -> None:
    assert (content_hash(one) == content_hash(other)) == (one == other)


@pytest.mark.parametrize("fields", [["a", "b"], ["é", "😀"], [""]])
def test_a_content_hash_is_a_uuid_for_postgres(fields: list[str]) -> None:
    assert len(bytes.fromhex(content_hash(fields))) == 16


@few
@given(st.binary(max_size=20), st.binary(max_size=20))
def test_a_digest_tells_bytes_apart(one: bytes, other: bytes) -> None:
    assert (digest(one) == digest(other)) == (one == other)
