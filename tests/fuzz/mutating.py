"""Mutations: what happens to bytes on their way, and what hits the seams of a reader."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from random import Random

STRUCTURE = [
    b"{", b"}", b"[", b"]", b",", b":", b'"', b"\\", b"\n", b"\r", b"\r\n", b"\xef\xbb\xbf", b"\x00", b"\xff", b"\xc3",
    b"\xed\xa0\x80", b"\xe2\x80\xa8", b"\xc2\xa0", b"NaN", b"-Infinity", b"1e99999", b"null", b"tru", b'"":', b"}{",
    b"},{", b"][", b"]}", b'"transaction_id":', b'{"transaction_id":"t",', b'"items":[', b'"p":1,', b'""', b"';", b"\t",
    b";", b"\\u0000", b"\\ud800", b"[" * 300, b" " * 300, b"9" * 400, b"01/02/2026", b"1,234", b"\x1f\x8b\x08", b"\x0b",
    b"\x1c", b"\x85",
]  # fmt: skip
Mutation = Callable[[Random, bytearray, Sequence[bytes]], None]


def flip(rng: Random, data: bytearray, _: Sequence[bytes]) -> None:
    """One bit."""
    if data:
        data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)


def replace(rng: Random, data: bytearray, _: Sequence[bytes]) -> None:
    """One byte."""
    if data:
        data[rng.randrange(len(data))] = rng.randrange(256)


def truncate(rng: Random, data: bytearray, _: Sequence[bytes]) -> None:
    """The end is missing."""
    del data[rng.randint(0, len(data)) :]


def cut_out(rng: Random, data: bytearray, _: Sequence[bytes]) -> None:
    """A stretch is missing."""
    at = rng.randint(0, len(data))
    del data[at : at + rng.randint(1, 40)]


def insert(rng: Random, data: bytearray, _: Sequence[bytes]) -> None:
    """Structural bytes where they do not belong, or where they do."""
    at = rng.randint(0, len(data))
    data[at:at] = rng.choice(STRUCTURE)


def splice(rng: Random, data: bytearray, pieces: Sequence[bytes]) -> None:
    """A piece of something else."""
    at, piece = rng.randint(0, len(data)), rng.choice(pieces)
    data[at:at] = piece[rng.randint(0, len(piece)) :] if rng.random() < 0.5 else piece


def double(rng: Random, data: bytearray, _: Sequence[bytes]) -> None:
    """A block twice."""
    at = rng.randint(0, len(data))
    data[at:at] = data[at : at + rng.randint(1, 200)]


MUTATIONS: list[Mutation] = [flip, replace, truncate, cut_out, insert, insert, splice, double]


def heap(rng: Random, pieces: Sequence[bytes]) -> bytes:
    """Structural bytes and pieces in any order."""
    return b"".join(rng.choice(STRUCTURE if rng.random() < 0.8 else pieces) for _ in range(rng.randint(0, 25)))


def mutated(rng: Random, data: bytes, pieces: Sequence[bytes]) -> bytes:
    """The data after none to twelve mutations."""
    changed = bytearray(data)
    for _ in range(rng.choice((0, 1, 1, 2, 3, 5, 12))):
        rng.choice(MUTATIONS)(rng, changed, pieces)
    return bytes(changed)
