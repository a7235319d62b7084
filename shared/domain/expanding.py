"""Bounded expansion of gzip: a stream of blocks in, a stream of blocks out, never more than one block in memory."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

BLOCK = 1 << 20
RATIO_FREE_BYTES = 64 << 20  # small files may compress as well as they like; the ratio is judged beyond this size


@dataclass
class Damage:
    """Filled when a stream breaks off: the reason code and the offset in the compressed file."""

    reason: str = ""
    offset: int = 0


def expand(blocks: Iterable[bytes], damage: Damage, *, max_bytes: int, max_ratio: int) -> Iterator[bytes]:
    """Expand one or more gzip members.

    What is damaged ends the stream: `damage` then says `truncated` (cut off or corrupt) or `expansion_limit`
    (more than `max_bytes`, or beyond 64 MiB more than `max_ratio` bytes for one), and the rows before it still count.
    """
    state = zlib.decompressobj(wbits=31)
    read = made = 0
    inside = False
    for block in blocks:
        pending, more = block, True
        while pending or more:
            try:
                out = state.decompress(pending, BLOCK)
            except zlib.error:
                damage.reason, damage.offset = "truncated", read
                return
            left = state.unused_data if state.eof else state.unconsumed_tail
            read += len(pending) - len(left)
            inside = (inside or read > 0) and not state.eof
            pending, more = left, len(out) == BLOCK and not state.eof
            made += len(out)
            if made > max_bytes or (made > RATIO_FREE_BYTES and made > max_ratio * read):
                damage.reason, damage.offset = "expansion_limit", read
                return
            if out:
                yield out
            if state.eof:
                state = zlib.decompressobj(wbits=31)
                pending = pending.lstrip(b"\0")
    if inside:
        damage.reason, damage.offset = "truncated", read
