"""Messages survive the journey between two releases; what is no message is refused for good, never retried."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import MalformedRecord
from shared.events import PushMessage
from shared.messages import (
    Chunk,
    Enriched,
    FeedTable,
    Payload,
    Upload,
    Validated,
    WarehouseLoaded,
    as_fields,
    encode,
    read,
)
from tests.unit.judging import few

KINDS: list[type[msgspec.Struct]] = [Upload, Chunk, Validated, Enriched, WarehouseLoaded]
CHUNK: dict[str, Any] = {
    "chunk_id": "f-000000", "file_id": "f", "source": "users", "ordinal": 0, "first_line": 2, "rows": 3,
    "landed_at": "2026-03-02T12:00:00Z", "raw": {"bucket": "b", "name": "users/a.csv", "generation": 1},
}  # fmt: skip


def pushed(data: bytes) -> PushMessage:
    return PushMessage(data, {}, "m-1", datetime(2026, 3, 2, tzinfo=UTC), "projects/p/subscriptions/validate-chunks", 1)


def strategy(kind: type[msgspec.Struct]) -> st.SearchStrategy[msgspec.Struct]:
    """Messages of a kind with anything in their fields, but times with a zone, as all of ours have, and any parts."""
    tables = st.dictionaries(st.text(), st.builds(FeedTable, more=st.lists(st.text())))
    ours = {"landed_at": st.datetimes(timezones=st.just(UTC)), "tables": tables}
    return st.builds(kind, **{name: ours[name] for name in kind.__struct_fields__ if name in ours})


ANY = {kind: strategy(kind) for kind in KINDS}


@pytest.mark.parametrize("kind", KINDS)
@few
@given(data=st.data())
def test_a_message_is_read_as_it_was_sent(kind: type[msgspec.Struct], data: st.DataObject) -> None:
    message = data.draw(ANY[kind])
    assert read(pushed(encode(message)), kind) == message
    assert as_fields(message) == json.loads(encode(message))


def test_fields_of_a_newer_release_are_ignored_and_those_an_older_one_lacks_have_defaults() -> None:
    chunk = read(pushed(json.dumps({**CHUNK, "colour": {"new": [1]}}).encode()), Chunk)
    assert (chunk.header, chunk.broken, chunk.raw.offset, chunk.raw.length) == (None, "", 0, 0)
    assert chunk.landed_at == datetime(2026, 3, 2, 12, tzinfo=UTC)


def test_a_table_of_a_feed_that_names_one_object_is_read_as_its_only_part() -> None:
    told = b'{"feed_id":1,"tables":{"users":{"object":"feed/1/users.csv","rows":7}},"days":[]}'
    assert read(pushed(told), Enriched).tables["users"].objects == ["feed/1/users.csv"]
    more = told.replace(b'"rows":7', b'"rows":7,"more":["feed/1/users.2.csv"]')
    assert read(pushed(more), Enriched).tables["users"].objects == ["feed/1/users.csv", "feed/1/users.2.csv"]


@pytest.mark.parametrize("field", CHUNK)
def test_a_message_without_a_field_it_needs_is_refused_by_name(field: str) -> None:
    data = json.dumps({name: value for name, value in CHUNK.items() if name != field}).encode()
    with pytest.raises(
        MalformedRecord, match=f"message m-1 on chunks is not a Chunk: .*`{field}`.*contracts"
    ) as caught:
        read(pushed(data), Chunk)
    assert caught.value.reason == "malformed_message"


@pytest.mark.parametrize(
    "changes",
    [{"ordinal": "0"}, {"rows": 1.5}, {"rows": True}, {"landed_at": "yesterday"}, {"raw": None}, {"header": "a,b"},
     {"chunk_id": None}, {"chunk_id": 7}],
)  # fmt: skip
def test_a_field_of_another_type_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(MalformedRecord):
        read(pushed(json.dumps({**CHUNK, **changes}).encode()), Chunk)


def test_a_state_that_nobody_knows_is_refused() -> None:
    message = Validated(
        chunk_id="c", file_id=None, source="users", ordinal=0, received=0, valid=0, quarantined=0, state="valid",
        landed_at=datetime(2026, 3, 2, tzinfo=UTC),
    )  # fmt: skip
    data = encode(message)
    assert read(pushed(data), Validated) == message
    with pytest.raises(MalformedRecord, match=r"\$.state"):
        read(pushed(data.replace(b'"state":"valid"', b'"state":"odd"')), Validated)


@pytest.mark.parametrize(
    "data", [b"", b"null", b"[]", b"{", b"{}", b"\xff", b'{"x":' * 100_000, b'{"x":1e999999999999}']
)
@pytest.mark.parametrize("kind", KINDS)
def test_what_is_no_message_is_refused(kind: type[msgspec.Struct], data: bytes) -> None:
    with pytest.raises(MalformedRecord):
        read(pushed(data), kind)


@few
@given(st.binary(max_size=80))
def test_any_bytes_are_either_a_message_or_refused(data: bytes) -> None:
    with pytest.raises(MalformedRecord):
        read(pushed(data), Chunk)


def test_a_payload_names_only_what_it_has() -> None:
    assert encode(Payload(object="validated/x")) == b'{"object":"validated/x"}'
    assert encode(Payload()) == b"{}"
