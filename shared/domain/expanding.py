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
    """Expand one or more gzip members; zero bytes behind a member are padding.

    What is damaged ends the stream: `damage` then says `truncated` (cut off or corrupt) or `expansion_limit`
    (more than `max_bytes`, or beyond 64 MiB more than `max_ratio` bytes for one), and the rows before it still count.
    """
    state = zlib.decompressobj(wbits=31)
    read = made = 0
    between = more = False
    for block in blocks:
        pending = block
        while pending or more:
            if between:
                member = pending.lstrip(b"\0")
                read += len(pending) - len(member)
                pending = member
                if not pending:
                    break
            before = state.copy()
            try:
                out = state.decompress(pending, BLOCK)
            except zlib.error:
                damage.reason, damage.offset = "truncated", read
                yield from _sound_part(before, pending)
                return
            left = state.unused_data if state.eof else state.unconsumed_tail
            read += len(pending) - len(left)
            between = state.eof
            pending, more = left, len(out) == BLOCK and not between
            made += len(out)
            if made > max_bytes or (made > RATIO_FREE_BYTES and made > max_ratio * read):
                damage.reason, damage.offset = "expansion_limit", read
                return
            if out:
                yield out
            if between:
                state = zlib.decompressobj(wbits=31)
    if read and not between:
        damage.reason, damage.offset = "truncated", read


def _sound_part(state: zlib._Decompress, pending: bytes) -> Iterator[bytes]:
    """What a damaged block holds before the damage: read in ever smaller steps down to that byte."""
    step = len(pending)
    while pending and step:
        before = state.copy()
        try:
            out = state.decompress(pending[:step], BLOCK)
        except zlib.error:
            state, step = before, min(step - 1, step // 16 + 1)
            continue
        pending = state.unconsumed_tail + pending[step:]
        yield out
