"""Expanding gzip: whole members come out whole, damage ends the stream with a reason, nothing grows without bound."""

import gzip
import random
import tracemalloc
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.domain import expanding
from shared.domain.expanding import BLOCK, Damage, expand

TEXT = b'{"a":1}\n{"b":2}\n'
MEMBER = gzip.compress(TEXT, mtime=0)
ROOM = 1 << 30


def expanded(blocks: list[bytes], max_bytes: int = ROOM, max_ratio: int = 100) -> tuple[bytes, str, int]:
    damage = Damage()
    data = b"".join(expand(blocks, damage, max_bytes=max_bytes, max_ratio=max_ratio))
    return data, damage.reason, damage.offset


@pytest.mark.parametrize("split", range(2 * len(MEMBER) + 1))
def test_members_are_read_one_after_the_other_wherever_the_blocks_split(split: int) -> None:
    packed = MEMBER + MEMBER
    assert expanded([packed[:split], packed[split:]]) == (TEXT + TEXT, "", 0)


@pytest.mark.parametrize("end", range(1, len(MEMBER)))
@pytest.mark.parametrize("before", [b"", MEMBER])
def test_a_stream_cut_off_at_any_byte_is_truncated_and_what_came_before_counts(before: bytes, end: int) -> None:
    data, reason, offset = expanded([before + MEMBER[:end]])
    assert (reason, offset) == ("truncated", len(before) + end)
    assert (TEXT + TEXT).startswith(data)
    assert data.startswith(TEXT if before else b"")


def test_a_stream_cut_off_between_two_members_is_whole() -> None:
    assert expanded([MEMBER]) == (TEXT, "", 0)


@pytest.mark.parametrize("zeros", [1, 2, 600])
@pytest.mark.parametrize("after", [b"", MEMBER])
def test_zero_padding_after_a_member_is_no_damage_whatever_block_it_comes_in(zeros: int, after: bytes) -> None:
    expected = (TEXT + (TEXT if after else b""), "", 0)
    padding = b"\0" * zeros
    assert expanded([MEMBER + padding + after]) == expected
    assert expanded([MEMBER, padding, after]) == expected
    assert expanded([MEMBER, padding + after]) == expected
    assert expanded([MEMBER + padding, b"", b"\0", after]) == expected


@pytest.mark.parametrize("garbage", [b"x", b"garbage", b"\0\0garbage", MEMBER[:1]])
def test_garbage_after_a_member_is_truncated_and_the_member_counts(garbage: bytes) -> None:
    for blocks in ([MEMBER + garbage], [MEMBER, garbage]):
        data, reason, _ = expanded(blocks)
        assert (data, reason) == (TEXT, "truncated")


LONG = random.Random(1).randbytes(3000)  # noqa: S311


@pytest.mark.parametrize("block", [1, 64, 4096])
def test_what_comes_before_a_damaged_byte_counts_whatever_the_blocks(block: int) -> None:
    packed = bytearray(gzip.compress(LONG, 0))
    packed[-8] ^= 1  # the checksum
    data, reason, offset = expanded([bytes(packed[i : i + block]) for i in range(0, len(packed), block)])
    assert (data, reason) == (LONG, "truncated")
    assert 0 <= offset <= len(packed)


def test_the_offset_of_damage_counts_the_compressed_bytes_before_it() -> None:
    assert expanded([MEMBER + b"\0\0", b"garbage"])[1:] == ("truncated", len(MEMBER) + 2)


def test_what_is_not_gzip_is_truncated_at_its_start() -> None:
    assert expanded([b"plain text"]) == (b"", "truncated", 0)


def test_nothing_expands_to_nothing() -> None:
    assert expanded([]) == expanded([b""]) == (b"", "", 0)


def test_a_bomb_stops_at_the_limit_in_the_memory_of_a_few_blocks() -> None:
    bomb = gzip.compress(b"\0" * (24 * BLOCK), 1)
    damage = Damage()
    tracemalloc.start()
    made = sum(map(len, expand([bomb], damage, max_bytes=20 * BLOCK, max_ratio=10_000)))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert damage.reason == "expansion_limit"
    assert made == 20 * BLOCK
    assert peak < 4 * BLOCK


def test_the_ratio_is_judged_beyond_the_size_that_is_free(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(expanding, "RATIO_FREE_BYTES", 2 * BLOCK)
    bomb = gzip.compress(b"\0" * (4 * BLOCK))
    data, reason, _ = expanded([bomb])
    assert (len(data), reason) == (2 * BLOCK, "expansion_limit")
    assert expanded([bomb], max_ratio=10_000)[1] == ""
    assert expanded([gzip.compress(b"\0" * (2 * BLOCK))])[1] == ""


def test_no_block_that_comes_out_is_larger_than_one_block() -> None:
    sizes = [
        len(out)
        for out in expand([zlib.compress(b"a" * (3 * BLOCK + 5), wbits=31)], Damage(), max_bytes=ROOM, max_ratio=ROOM)
    ]
    assert sum(sizes) == 3 * BLOCK + 5
    assert max(sizes) == BLOCK


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.binary(max_size=200), min_size=1, max_size=4),
    st.lists(st.integers(1, 60), max_size=12),
    st.integers(0, 5),
    st.randoms(use_true_random=False),
)
def test_any_members_come_back_whole_whatever_the_blocks(
    members: list[bytes], sizes: list[int], padding: int, chance: random.Random
) -> None:
    packed = b"".join(gzip.compress(m, chance.choice([0, 1, 9]), mtime=0) + b"\0" * padding for m in members)
    blocks, at = [], 0
    for size in sizes:
        blocks.append(packed[at : at + size])
        at += size
    assert expanded([*blocks, packed[at:]]) == (b"".join(members), "", 0)
