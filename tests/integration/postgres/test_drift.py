"""Schema drift from the profiles of chunks: recorded once with types and counts, an alert each, never a flood."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from cli.drift_proposal import KINDS, TARGETS, propose_new
from shared.adapters.drift import LEAST_ROWS, MOST_FIELDS, record_drift
from shared.adapters.loading import ChunkFacts, hold_chunk, load_chunk
from shared.adapters.postgres import Session
from shared.adapters.queries import rows_of
from shared.domain.copytext import COLUMNS, TRANSACTION_COLUMNS, table_of
from tests.integration.postgres.rows import bad_rows, facts

FIELDS = ("amount", "currency", "user_id")
Profile = dict[str, Any]
Types = dict[str, dict[str, int]]


def profile(rows: int, missing: dict[str, int] | None = None, unknown: Types | None = None, **types: str) -> Profile:
    """The profile of a chunk in which every field is a text in every row, but for what is said."""
    sample = min(rows, 100)
    present = {f: types.get(f, "string") for f in FIELDS if (missing or {}).get(f, 0) < rows}
    return {
        "read": rows, "missing": missing or {}, "unknown": unknown or {},
        "types": {name: {kind: sample} for name, kind in present.items()},
    }  # fmt: skip


def chunk(told: Profile) -> ChunkFacts:
    """A chunk of which every row is bad: nothing but its profile matters here."""
    return replace(facts("transactions", told["read"]), profile=json.dumps(told))


def take_in(session: Session, *profiles: Profile) -> list[ChunkFacts]:
    """Load chunks with these profiles, then look for drift."""
    chunks = [chunk(told) for told in profiles]
    for each in chunks:
        load_chunk(session, each, table_of(TRANSACTION_COLUMNS, []), bad_rows(range(1, each.received + 1)))
    record_drift(session)
    return chunks


def drift(session: Session) -> list[tuple[Any, ...]]:
    return session.rows("SELECT field, state, json_type, rows::int FROM pipeline.schema_drift ORDER BY 1, 2, 3")


def alerts(session: Session) -> list[tuple[str, str]]:
    return [tuple(row) for row in session.rows("SELECT subject, told FROM pipeline.alert ORDER BY alert_id")]  # type: ignore[misc]


def test_rows_as_usual_are_no_drift_and_become_the_baseline(session: Session) -> None:
    take_in(session, profile(200), profile(300, missing={"user_id": 60}))
    assert (drift(session), alerts(session)) == ([], [])
    baseline = session.rows("SELECT field, types, rows::int, present::int FROM pipeline.schema_baseline ORDER BY field")
    assert [tuple(row) for row in baseline] == [
        ("amount", ["string"], 500, 500), ("currency", ["string"], 500, 500), ("user_id", ["string"], 500, 440),
    ]  # fmt: skip


def test_a_new_field_is_recorded_by_type_and_raises_one_alert(session: Session) -> None:
    channel = {"channel": {"string": 190, "null": 10}}
    first, _ = take_in(session, profile(200, unknown=channel), profile(200, unknown=channel))
    take_in(session, profile(50, unknown={"channel": {"string": 50, "number": 1}}))
    assert drift(session) == [
        ("channel", "new", "null", 20), ("channel", "new", "number", 1), ("channel", "new", "string", 430),
    ]  # fmt: skip
    told = f"no schema names this field: null in 20, string in 380 rows, first in chunk {first.chunk_id}"
    assert alerts(session) == [("transactions.channel", told)]


def test_a_known_field_of_a_type_that_it_never_had_raises_an_alert_for_that_type(session: Session) -> None:
    take_in(session, profile(200))
    (second,) = take_in(session, profile(150, amount="number"))
    take_in(session, profile(150, amount="number"), profile(10, amount="string"))
    assert drift(session) == [("amount", "retyped", "number", 200)]
    told = f"was string; now number in 100 of the rows looked at, first in chunk {second.chunk_id}"
    assert alerts(session) == [("transactions.amount", told)]


def test_two_types_from_the_beginning_are_usual(session: Session) -> None:
    take_in(session, profile(200), profile(200, amount="number"))
    take_in(session, profile(200, amount="number"))
    assert alerts(session) == []


def test_a_usual_field_that_is_missing_in_a_whole_chunk_has_vanished(session: Session) -> None:
    take_in(session, profile(1_000, missing={"user_id": 230}))
    (second,) = take_in(session, profile(5_000, missing={"user_id": 5_000}))
    take_in(session, profile(5_000, missing={"user_id": 5_000}))
    assert drift(session) == [("user_id", "vanished", "absent", 10_000)]
    told = f"missing in all of 5,000 rows, first in chunk {second.chunk_id}; before in 77 % of the rows"
    assert alerts(session) == [("transactions.user_id", told)]


def test_a_field_that_is_missing_in_one_of_the_first_chunks_has_vanished_too(session: Session) -> None:
    take_in(session, profile(1_000), profile(500, missing={"amount": 500}))
    ((subject, told),) = alerts(session)
    assert (subject, told[:26]) == ("transactions.amount", "missing in all of 500 rows")


def test_a_field_that_comes_back_has_not_vanished_any_more(session: Session) -> None:
    take_in(session, profile(500))
    take_in(session, profile(500, missing={"amount": 500}))
    take_in(session, profile(500))
    assert session.rows("SELECT field FROM pipeline.schema_drift WHERE ended_at IS NOT NULL") == [("amount",)]
    take_in(session, profile(500, missing={"amount": 500}))
    assert session.rows("SELECT ended_at FROM pipeline.schema_drift") == [(None,)]
    assert len(alerts(session)) == 1  # at most one a day


def test_what_an_operator_accepted_raises_no_alert_when_it_comes_again(session: Session) -> None:
    take_in(session, profile(500))
    take_in(session, profile(500, missing={"amount": 500}))
    rows_of(session, "accept_drift", source="transactions", field="amount", operator="ada")
    session.rows("DELETE FROM pipeline.alert")
    take_in(session, profile(500))
    take_in(session, profile(500, missing={"amount": 500}))
    assert alerts(session) == []
    assert drift(session) == [("amount", "vanished", "absent", 1_000)]


def test_a_field_that_was_never_usual_does_not_vanish(session: Session) -> None:
    take_in(session, profile(1_000, missing={"user_id": 900}))
    take_in(session, profile(1_000, missing={"user_id": 1_000}))
    assert alerts(session) == []


def test_a_few_rows_without_a_field_say_nothing_but_many_messages_together_do(session: Session) -> None:
    take_in(session, profile(1_000))
    lonely = profile(1, missing={"amount": 1})
    take_in(session, *[lonely] * (LEAST_ROWS - 1))
    assert alerts(session) == []
    take_in(session, lonely)
    assert drift(session) == [("amount", "vanished", "absent", 1)]
    assert [subject for subject, _ in alerts(session)] == ["transactions.amount"]


def test_one_message_with_the_field_starts_the_count_anew(session: Session) -> None:
    take_in(session, profile(1_000))
    lonely = profile(1, missing={"amount": 1})
    take_in(session, *[lonely] * (LEAST_ROWS - 1))
    take_in(session, profile(1))
    take_in(session, *[lonely] * (LEAST_ROWS - 1))
    assert alerts(session) == []


def test_an_unknown_field_that_a_newer_schema_knows_is_over(session: Session) -> None:
    take_in(session, profile(200, unknown={"channel": {"string": 200}}))
    known = profile(200)
    known["types"]["channel"] = {"string": 100}
    take_in(session, known)
    assert session.rows("SELECT field, ended_at IS NOT NULL FROM pipeline.schema_drift") == [("channel", True)]


def test_a_delivery_more_changes_nothing(session: Session) -> None:
    (loaded,) = take_in(session, profile(200, unknown={"channel": {"string": 200}}))
    before = drift(session)
    for _ in range(3):
        load_chunk(session, loaded, table_of(TRANSACTION_COLUMNS, []), bad_rows(range(1, 201)))
        assert record_drift(session) == (0, 0)
    assert (drift(session), len(alerts(session))) == (before, 1)


def test_a_held_chunk_is_seen_and_not_seen_again_when_it_is_released(session: Session) -> None:
    take_in(session, profile(200))
    held = chunk(profile(200, amount="array"))
    hold_chunk(session, held, 10, {})
    assert record_drift(session) == (1, 1)
    session.rows("UPDATE pipeline.chunk SET state = 'registered', held = 0 WHERE state = 'held'")
    load_chunk(session, held, table_of(TRANSACTION_COLUMNS, []), bad_rows(range(1, 201)))
    assert record_drift(session) == (0, 0)
    assert drift(session) == [("amount", "retyped", "array", 100)]


def test_a_flood_of_field_names_is_bounded_in_rows_and_alerts(session: Session) -> None:
    for turn in range(MOST_FIELDS // 50 + 2):
        take_in(session, profile(100, unknown={f"f{turn}_{n}": {"string": 2} for n in range(50)}))
    assert len(alerts(session)) == MOST_FIELDS + 1
    assert [row for row in drift(session) if row[0] == "…"] == [("…", "new", "string", 200)]


def test_a_chunk_without_a_readable_row_says_nothing(session: Session) -> None:
    take_in(session, profile(200))
    nothing = replace(facts("transactions", 150), profile="{}")
    load_chunk(session, nothing, table_of(TRANSACTION_COLUMNS, []), bad_rows(range(1, 151)))
    assert record_drift(session) == (1, 0)


def test_a_crash_between_the_drift_and_its_alert_loses_neither(
    session: Session, open_session: Callable[[], Session]
) -> None:
    each = chunk(profile(200, unknown={"channel": {"string": 200}}))
    load_chunk(session, each, table_of(TRANSACTION_COLUMNS, []), bad_rows(range(1, 201)))
    session.rows("ALTER TABLE pipeline.alert RENAME TO alert_away")
    with pytest.raises(Exception, match="alert"):
        record_drift(open_session())
    session.rows("ALTER TABLE pipeline.alert_away RENAME TO alert")
    assert drift(session) == []
    assert record_drift(open_session()) == (1, 1)


def test_a_proposed_migration_applies_and_takes_the_copy_column_at_its_place(session: Session) -> None:
    for source, target in TARGETS.items():
        for kind in KINDS:
            proposal = propose_new(source, f"its{kind.title()}", {kind}, 13)
            session.rows(str(proposal.migration))
            assert proposal.copy_column == f'"its_{kind}",'
        header = "\t".join([*COLUMNS[source], *(f"its_{kind}" for kind in KINDS)]) + "\n"
        session.copy_in(f"COPY {target.tables[1]} FROM STDIN WITH (HEADER MATCH)", io.BytesIO(header.encode()))
        for table in target.tables:
            session.rows(f"SELECT its_string, its_number, its_boolean FROM {table}")
