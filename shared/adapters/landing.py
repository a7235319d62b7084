"""A landing object as a stream of pieces, from its start or from a checkpoint, in bounded memory."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

import msgspec

from shared.adapters.ports import ObjectInfo, ObjectStore
from shared.domain.cells import Dialect, find_dialect, pieces_of_cells
from shared.domain.cutting import Limits, Piece, Position, pieces_of_lines
from shared.domain.envelopes import Natural
from shared.domain.expanding import Damage, expand
from shared.domain.records import is_lines, pieces_of_records
from shared.domain.sources import SOURCES, Route
from shared.errors import UnsupportedFile
from shared.schemas.aliases import canonical_header, natural_names
from shared.settings import Settings

HEAD_BYTES = 64 * 1024
NATURAL: dict[str, Natural] = {source: Natural(natural_names(source)) for source in SOURCES}
KEY_COLUMNS = {"users": ("user_id",), "fx_rates": ("date", "currency", "rate")}


class Checkpoint(msgspec.Struct, frozen=True, kw_only=True):
    """How far a file is cut: everything before `position` is in chunks below `ordinal`, `rows` of them in all.

    `in_place` says that chunks are byte ranges of the landing object; else their rows lie in lake objects.
    """

    position: Position = Position()
    ordinal: int = 0
    rows: int = 0
    gzipped: bool = False
    in_place: bool = False
    shape: str = "lines"
    dialect: Dialect | None = None


def examine(info: ObjectInfo, route: Route, store: ObjectStore, settings: Settings) -> Checkpoint:
    """Look at the head of a file and decide how it is read.

    Raises UnsupportedFile with reason empty_file, wrong_encoding, truncated, expansion_limit or missing_columns: what
    is known before the first chunk goes out refuses the file.
    """
    raw = store.read(info.bucket, info.name, generation=info.generation, length=HEAD_BYTES)
    if not raw:
        raise UnsupportedFile("empty_file", f"gs://{info.bucket}/{info.name} is empty")
    gzipped = raw.startswith(b"\x1f\x8b")
    if route.gzipped and not gzipped:
        raise UnsupportedFile("wrong_encoding", f"gs://{info.bucket}/{info.name} is named .gz but is not gzip")
    head, complete, damage = raw, info.size <= HEAD_BYTES, Damage()
    if gzipped:
        head, complete = _head(
            expand([raw], damage, max_bytes=settings.max_expanded_bytes, max_ratio=settings.max_expansion_ratio)
        )
        complete = complete and info.size <= HEAD_BYTES
    if head.startswith((b"\xff\xfe", b"\xfe\xff")) or b"\0" in head:
        raise UnsupportedFile("wrong_encoding", f"gs://{info.bucket}/{info.name} is not UTF-8 text; save it as UTF-8")
    if not head.removeprefix(b"\xef\xbb\xbf").strip() and complete:
        reason = "truncated" if gzipped and damage.reason == "truncated" and not head else "empty_file"
        raise UnsupportedFile(reason, f"gs://{info.bucket}/{info.name} holds no rows")
    if route.shape == "csv":
        dialect = find_dialect(head, complete)
        dialect = replace(dialect, header=canonical_header(route.source, dialect.header))
        missing = [name for name in KEY_COLUMNS[route.source] if name not in dialect.header]
        if missing:
            raise UnsupportedFile("missing_columns", f"{info.name}: the header lacks {', '.join(missing)}")
        return Checkpoint(position=dialect.body, gzipped=gzipped, shape="csv", dialect=dialect)
    line_ends = b"\n" in head or b"\r" not in head.strip()  # lines that end in a lone \r are read as records
    lines = line_ends if route.shape == "lines" else is_lines(head, NATURAL[route.source])
    return Checkpoint(gzipped=gzipped, in_place=lines and not gzipped, shape="lines" if lines else "json")


def _head(blocks: Iterable[bytes]) -> tuple[bytes, bool]:
    head = b""
    for block in blocks:
        head += block
        if len(head) >= HEAD_BYTES:
            return head[:HEAD_BYTES], False
    return head, True


def pieces(info: ObjectInfo, source: str, at: Checkpoint, store: ObjectStore, settings: Settings) -> Iterator[Piece]:
    """The pieces of the file behind the checkpoint."""
    limits = Limits(settings.chunk_rows, max(settings.chunk_bytes, settings.max_line_bytes), settings.max_line_bytes)
    damage = Damage()
    start = at.position.offset
    if at.gzipped:
        packed = store.blocks(info.bucket, info.name, generation=info.generation)
        blocks: Iterable[bytes] = behind(start, expanded(packed, settings, damage))
    else:
        blocks = store.blocks(info.bucket, info.name, generation=info.generation, start=start)
    if at.dialect:
        return pieces_of_cells(blocks, limits, at.dialect, at.position, lambda: damage.reason)
    if at.shape == "lines":
        return pieces_of_lines(blocks, limits, at.position, lambda: damage.reason)
    return pieces_of_records(blocks, limits, at.position, lambda: damage.reason, NATURAL[source])


def expanded(packed: Iterable[bytes], settings: Settings, damage: Damage | None = None) -> Iterator[bytes]:
    """The text of a .gz object, within the limits of the settings."""
    limit, ratio = settings.max_expanded_bytes, settings.max_expansion_ratio
    return expand(packed, damage or Damage(), max_bytes=limit, max_ratio=ratio)


def behind(offset: int, blocks: Iterable[bytes]) -> Iterator[bytes]:
    """Leave out the first bytes: a gzip stream can only be read from its start."""
    for block in blocks:
        if offset >= len(block):
            offset -= len(block)
            continue
        yield block[offset:]
        offset = 0
