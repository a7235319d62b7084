"""Every file of the catalogue of damage through receive_upload and validate: the good rows, and the bad stretches."""

from __future__ import annotations

from typing import Any

import pytest

from functions.receive_upload.main import run as receive
from functions.validate.main import run as validate
from shared.adapters.memory import MemoryPublisher
from shared.domain.copytext import BAD_COLUMNS, COLUMNS
from shared.messages import Payload, Validated
from tests.functions.cutting import Bench
from tests.functions.harness import LAKE, landed, push, settings
from tests.integration.pipeline.damage import DAMAGE, Bad, Damaged, files
from tests.unit.judging import Cells, parse_copy

FILES = list(files())
KEYS = {"transactions": "transaction_id", "users": "user_id"}


def judged(file: Damaged, chunk_rows: int) -> tuple[list[Cells], list[Cells]]:
    """The rows to load and the rows of quarantine."""
    bench, publisher = Bench(), MemoryPublisher()
    with_rows = settings(CHUNK_ROWS=str(chunk_rows))
    parts: dict[str, Any] = {"store": bench.store, "ledger": bench.ledger, "publisher": bench.publisher}
    receive(landed(bench.drop(file.name, file.data)), settings=with_rows, clock=lambda: 0.0, **parts)
    source = file.name.partition("/")[0]
    good: list[Cells] = []
    bad: list[Cells] = []

    def take(payload: Payload | None, columns: tuple[str, ...], into: list[Cells]) -> None:
        if payload:
            text = (payload.inline or "").encode() or bench.store.read(LAKE, payload.object or "")
            into += parse_copy(text, columns)

    for chunk in bench.chunks().values():
        validate(push(chunk, "validate-chunks"), store=bench.store, publisher=publisher, settings=with_rows)
    for message in publisher.of("validated"):
        assert isinstance(message, Validated)
        take(message.rows, COLUMNS[source], good)
        take(message.bad, BAD_COLUMNS, bad)
    return good, bad


def place(row: Cells) -> Bad:
    line, offset, length = (int(row[name] or 0) for name in ("line", "source_offset", "source_length"))
    return Bad(line, offset, length, str(row["reason"]))


@pytest.mark.parametrize("chunk_rows", [3, 10_000])
@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_every_good_row_is_good_and_every_bad_stretch_has_its_reason_and_place(file: Damaged, chunk_rows: int) -> None:
    good, bad = judged(file, chunk_rows)
    assert [place(row) for row in bad] == list(file.bad)
    key = KEYS[file.name.partition("/")[0]]
    assert [row[key] for row in good if not str(row[key]).startswith("ok-")] == list(file.good)


def test_the_catalogue_holds_forty_kinds_of_damage_and_more() -> None:
    assert len({piece.kind for shape in DAMAGE.values() for piece in shape}) >= 40
