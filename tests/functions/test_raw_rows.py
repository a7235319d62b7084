"""The raw text of a quarantined row is found wherever it lies; a stretch is replayed only when it is one row by now."""

from __future__ import annotations

import gzip
from typing import Any

import pytest

from shared.adapters.landing import Checkpoint
from shared.adapters.memory import MemoryStore
from shared.adapters.raw_rows import RawRows
from shared.domain.cells import find_dialect
from shared.messages import as_fields
from tests.functions.harness import LANDING, QUARANTINE, settings

ROW = b'{"transaction_id": "T1", "note": "long"}'


def rows(store: MemoryStore, checkpoint: Checkpoint | None = None, **facts: Any) -> RawRows:
    known = {"object_name": None, "byte_length": None, "checkpoint": as_fields(checkpoint) if checkpoint else None}
    return RawRows({**known, **facts}, store, settings())


def test_a_bad_row_lies_in_quarantine() -> None:
    store = MemoryStore()
    store.put(QUARANTINE, "x.raw", b"[1]\n{broken\n")
    assert rows(store).line(7, f"gs://{QUARANTINE}/x.raw", 4, 7) == b"{broken"


def test_a_conflict_of_a_file_lies_in_the_chunk() -> None:
    store = MemoryStore()
    info = store.put(LANDING, "transactions/a", b"head\n" + ROW + b"\nlast\n")
    raw = rows(
        store, bucket=LANDING, object_name=info.name, generation=info.generation, byte_offset=5,
        byte_length=len(ROW) + 6, first_line=11,
    )  # fmt: skip
    assert (raw.line(11, None, None, None), raw.line(12, None, None, None)) == (ROW, b"last")
    assert raw.line(99, None, None, None) is None


def test_an_object_that_is_gone_gives_no_row() -> None:
    assert rows(MemoryStore()).line(1, f"gs://{QUARANTINE}/gone.raw", 0, 7) is None
    assert rows(MemoryStore()).line(1, None, None, None) is None


def stretch(data: bytes, before: bytes = b"first\n") -> tuple[MemoryStore, str, int, int]:
    store = MemoryStore()
    info = store.put(LANDING, "transactions/a", before + data + b"last\n")
    return store, f"gs://{LANDING}/transactions/a#{info.generation}", len(before), len(data)


@pytest.mark.parametrize("data", [ROW + b"\n", ROW + b",\n", b"  " + ROW.replace(b", ", b",\r\n ") + b"\n"])
def test_a_stretch_that_is_one_object_is_a_row(data: bytes) -> None:
    store, *place = stretch(data)
    line = rows(store, Checkpoint(in_place=True)).line(2, *place)  # type: ignore[arg-type]
    assert line is not None
    assert b"\n" not in line
    assert b'"T1"' in line


@pytest.mark.parametrize("data", [ROW[:-5], ROW + b"\n" + ROW + b"\n", b"\n", b"[1]\n"])
def test_a_stretch_that_is_no_row_or_several_stays(data: bytes) -> None:
    store, *place = stretch(data)
    assert rows(store, Checkpoint(in_place=True)).line(2, *place) is None  # type: ignore[arg-type]


def test_a_stretch_of_a_gzip_file_is_found_in_the_expanded_text() -> None:
    store = MemoryStore()
    info = store.put(LANDING, "transactions/a.gz", gzip.compress(b"first\n" + ROW + b"\nlast\n"))
    place = f"gs://{LANDING}/transactions/a.gz#{info.generation}"
    assert rows(store, Checkpoint(gzipped=True)).line(2, place, 6, len(ROW) + 1) == ROW


def test_a_stretch_of_a_csv_file_becomes_the_cells_of_one_record() -> None:
    head = b"user_id,email\n"
    checkpoint = Checkpoint(shape="csv", dialect=find_dialect(head, complete=False))
    store, *place = stretch(b'u1,"a,b"\n', before=head)
    raw = rows(store, checkpoint)
    assert raw.header == ["user_id", "email"]
    assert raw.line(2, *place) == b'["u1","a,b"]'  # type: ignore[arg-type]
    store, *place = stretch(b"u1,a\nu2,b\n", before=head)
    assert rows(store, checkpoint).line(2, *place) is None  # type: ignore[arg-type]
