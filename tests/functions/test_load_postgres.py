"""load_postgres: a chunk is loaded once, and every row of it is accounted for."""

from __future__ import annotations

import json
from typing import Any

import pytest

from functions.load_postgres.main import run
from functions.receive_upload import main as receive_upload
from shared.adapters.ledger import PostgresFileLedger
from shared.adapters.memory import MemoryPublisher, MemoryStore
from shared.adapters.postgres import Session
from shared.domain.identity import file_id
from shared.entrypoint import Outcome
from shared.errors import DependencyUnavailable
from shared.messages import Validated
from tests.functions.failing import Failing
from tests.functions.harness import LANDING, QUARANTINE, Cloud, Row, landed, lines, push, sale, settings, unique
from tests.functions.stages import streamed, to_load, validated

COUNTS = "inserted, updated, unchanged, superseded, quarantined, held"


def load(session: Session, told: Validated, store: Any = None) -> Outcome:
    return run(to_load(told), session=session, store=store or MemoryStore(), settings=settings())


def counts(session: Session, chunk_id: str) -> tuple[int, ...]:
    (found,) = session.rows(f"SELECT {COUNTS} FROM pipeline.chunk WHERE chunk_id = $1", chunk_id)
    return found


def file_of(session: Session, name: str, data: bytes) -> tuple[str, list[Validated], MemoryStore]:
    """A file, registered, cut and validated."""
    store, publisher = MemoryStore(), MemoryPublisher()
    info = store.put(LANDING, name, data)
    ledger = PostgresFileLedger(session)
    many = settings(CHUNK_ROWS="1000")
    receive_upload.run(landed(info), store=store, ledger=ledger, publisher=publisher, settings=many)
    told = [validated(push(chunk, "validate-chunks"), store) for chunk in publisher.of("chunks")]
    return file_id(info.bucket, info.name, info.generation), told, store


def test_a_message_is_loaded_once_and_a_redelivery_gives_the_first_counts(session: Session) -> None:
    told = streamed([sale(), sale()])
    assert load(session, told) == Outcome("loaded", 2, 2, 0)
    assert load(session, told) == Outcome("repeated", 2, 2, 0)
    assert counts(session, told.chunk_id) == (2, 0, 0, 0, 0, 0)


def test_the_bad_rows_of_a_message_are_recorded_with_it(session: Session) -> None:
    told = streamed([sale(), sale(amount=None)])
    assert load(session, told) == Outcome("loaded", 2, 1, 1)
    assert load(session, told) == Outcome("repeated", 2, 1, 1)
    assert session.rows(
        "SELECT q.reason FROM pipeline.quarantined_row q JOIN pipeline.chunk USING (chunk_key) WHERE chunk_id = $1",
        told.chunk_id,
    ) == [("missing_field",)]


def test_a_message_of_bad_rows_alone_is_loaded_too(session: Session) -> None:
    assert load(session, streamed([sale(status="lost")])) == Outcome("loaded", 1, 0, 1)


def test_each_row_is_counted_by_what_became_of_it(session: Session) -> None:
    first, second = sale(status="pending"), sale()
    load(session, streamed([first, second]))
    newer = {**first, "status": "completed", "timestamp": "2026-03-01T11:00:00Z"}
    older = {**second, "amount": "1.00", "timestamp": "2026-03-01T09:00:00Z"}
    again = streamed([newer, older, second, sale()])
    load(session, again)
    assert counts(session, again.chunk_id) == (1, 1, 1, 1, 0, 0)


def test_the_chunks_of_a_file_are_loaded_from_the_lake(session: Session) -> None:
    data = (
        b"user_id,email\n" + b"".join(b"%s,u@example.com\n" % unique("u").encode() for _ in range(20)) + b"x,nobody\n"
    )
    identity, (told,), store = file_of(session, f"users/{unique()}.csv", data)
    assert told.file_id == identity
    assert load(session, told, store) == Outcome("loaded", 21, 20, 1)
    assert load(session, told, store).outcome == "repeated"


def test_a_held_chunk_waits_with_its_message_and_a_redelivery_changes_nothing(session: Session) -> None:
    bad: Row = sale(currency="XYZ")
    _, (told,), store = file_of(session, f"transactions/{unique()}.ndjson", lines([bad] * 90 + [sale()] * 10))
    assert told.state == "held"
    assert load(session, told, store) == Outcome("held", 100)
    assert load(session, told, store) == Outcome("repeated", 100)
    assert counts(session, told.chunk_id) == (0, 0, 0, 0, 0, 100)
    ((state, kept),) = session.rows("SELECT state, validated FROM pipeline.chunk WHERE chunk_id = $1", told.chunk_id)
    assert state == "held"
    assert kept["chunk_id"] == told.chunk_id


def test_a_row_of_the_stream_that_conflicts_keeps_its_text_in_quarantine(session: Session) -> None:
    row, store = sale(), MemoryStore()
    load(session, streamed([row]))
    told = streamed([{**row, "amount": "20.00"}])
    for outcome in ("loaded", "repeated"):
        assert load(session, told, store) == Outcome(outcome, 1, 0, 1)
    (name,) = store.names(QUARANTINE)
    ((reason, raw_object, offset, length),) = session.rows(
        """SELECT q.reason, q.raw_object, q.raw_offset, q.raw_length
           FROM pipeline.quarantined_row q JOIN pipeline.chunk USING (chunk_key) WHERE chunk_id = $1""",
        told.chunk_id,
    )
    assert (reason, raw_object) == ("conflicting_duplicate", f"gs://{QUARANTINE}/{name}")
    kept = json.loads(store.read(QUARANTINE, name, start=offset, length=length))
    assert kept == {**row, "amount": "20", "timestamp": "2026-03-01T10:00:00+00:00"}


def test_a_crash_before_the_text_of_a_conflict_was_kept_is_mended_by_the_redelivery(session: Session) -> None:
    row, store = sale(), MemoryStore()
    load(session, streamed([row]))
    told = streamed([{**row, "amount": "20.00"}])
    with pytest.raises(DependencyUnavailable):
        load(session, told, Failing(store, "write_once"))
    assert load(session, told, store).outcome == "repeated"
    assert len(store.names(QUARANTINE)) == 1


def test_on_the_local_cloud_a_message_is_loaded_once(cloud: Cloud) -> None:
    told = streamed([sale(), sale(currency="XYZ")])
    assert cloud.deliver("load_postgres", to_load(told)) == (200, "loaded")
    assert cloud.deliver("load_postgres", to_load(told)) == (200, "repeated")
    assert counts(cloud.session, told.chunk_id) == (1, 0, 0, 0, 1, 0)


def test_on_the_local_cloud_a_message_that_cannot_be_read_is_refused(cloud: Cloud) -> None:
    assert cloud.deliver("load_postgres", push(b"[]", "load_postgres-validated")) == (200, "refused")


def test_on_the_local_cloud_rows_that_do_not_add_up_ask_for_a_retry(cloud: Cloud) -> None:
    told = streamed([sale()])
    wrong = Validated(**{**{name: getattr(told, name) for name in told.__struct_fields__}, "received": 2})
    assert cloud.deliver("load_postgres", to_load(wrong)) == (500, "failed")
    assert cloud.deliver("load_postgres", to_load(told)) == (200, "loaded")
