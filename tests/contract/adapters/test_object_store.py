"""ObjectStore: what the fake and Cloud Storage's adapter have in common."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
from google.cloud.storage import Client  # type: ignore[import-untyped]

from local.process import ServerProcess
from shared.adapters import storage
from shared.adapters.memory import MemoryStore
from shared.adapters.ports import ObjectStore
from shared.adapters.storage import CloudStorage
from shared.errors import DependencyUnavailable, Inconsistent
from tests.contract.adapters.servers import BUCKET, PROJECT, Servers, nobody_listens

TEN = b"0123456789"


@dataclass
class Subject:
    """A store, a name that is free in it, and how somebody else writes into it."""

    store: ObjectStore
    name: str

    def replace(self, data: bytes) -> int:
        """Write as a producer does, over what is there; the new generation."""
        if isinstance(self.store, MemoryStore):
            return self.store.put(BUCKET, self.name, data).generation
        blob = storage.client(PROJECT).bucket(BUCKET).blob(self.name)
        blob.upload_from_string(data)
        return int(blob.generation)


@pytest.fixture(scope="module")
def cloud_storage(real_storage: ServerProcess) -> CloudStorage:
    assert real_storage.alive()
    return CloudStorage(PROJECT)


@pytest.fixture(params=["memory", "cloud"])
def subject(request: pytest.FixtureRequest) -> Subject:
    store: ObjectStore = MemoryStore() if request.param == "memory" else request.getfixturevalue("cloud_storage")
    return Subject(store, f"some/{uuid.uuid4().hex}.ndjson")


def test_what_is_written_once_is_read_back_with_its_facts(subject: Subject) -> None:
    assert subject.store.write_once(BUCKET, subject.name, TEN, metadata={"rows": "1"}) is True
    info = subject.store.stat(BUCKET, subject.name)
    assert info is not None
    assert (info.bucket, info.name, info.size, info.metadata) == (BUCKET, subject.name, 10, {"rows": "1"})
    assert info.generation > 0
    assert info.crc32c == "KAwGng=="  # as Cloud Storage writes it: big-endian, base64
    assert info.created_at.tzinfo is UTC
    assert subject.store.read(BUCKET, subject.name) == TEN


def test_a_second_write_of_a_name_changes_nothing_and_says_so(subject: Subject) -> None:
    subject.store.write_once(BUCKET, subject.name, TEN)
    assert subject.store.write_once(BUCKET, subject.name, b"other") is False
    assert subject.store.read(BUCKET, subject.name) == TEN


@pytest.mark.parametrize(
    ("start", "length", "expected"),
    [(0, None, TEN), (3, None, b"3456789"), (0, 1, b"0"), (2, 3, b"234"), (8, 10, b"89"), (4, 0, b""), (10, 5, b"")],
)
def test_a_range_is_read_and_ends_with_the_object(
    subject: Subject, start: int, length: int | None, expected: bytes
) -> None:
    subject.store.write_once(BUCKET, subject.name, TEN)
    assert subject.store.read(BUCKET, subject.name, start=start, length=length) == expected


@pytest.mark.parametrize("start", [0, 4, 8, 10])
@pytest.mark.parametrize("block", [1, 4, 10, 64])
def test_blocks_joined_are_the_object_from_the_start_on(subject: Subject, start: int, block: int) -> None:
    subject.store.write_once(BUCKET, subject.name, TEN)
    blocks = list(subject.store.blocks(BUCKET, subject.name, start=start, block=block))
    assert b"".join(blocks) == TEN[start:]
    assert all(len(data) == block for data in blocks[:-1])


def test_an_empty_object_is_there_and_has_no_blocks(subject: Subject) -> None:
    subject.store.write_once(BUCKET, subject.name, b"")
    info = subject.store.stat(BUCKET, subject.name)
    assert info is not None
    assert info.size == 0
    assert subject.store.read(BUCKET, subject.name) == b""
    assert list(subject.store.blocks(BUCKET, subject.name)) == []


def test_a_gzip_object_comes_as_it_lies_there(subject: Subject) -> None:
    packed = b"\x1f\x8b\x08\x00" + bytes(range(200))
    subject.store.write_once(BUCKET, subject.name, packed)
    assert subject.store.read(BUCKET, subject.name) == packed


def test_an_object_that_is_not_there_has_no_facts_and_cannot_be_read(subject: Subject) -> None:
    assert subject.store.stat(BUCKET, subject.name) is None
    with pytest.raises(Inconsistent) as caught:
        subject.store.read(BUCKET, subject.name)
    assert caught.value.reason == "object_missing"
    with pytest.raises(Inconsistent) as caught:
        list(subject.store.blocks(BUCKET, subject.name))
    assert caught.value.reason == "object_missing"


def test_a_generation_that_was_replaced_is_gone(subject: Subject) -> None:
    old = subject.replace(b"old")
    new = subject.replace(b"new")
    assert old != new
    assert subject.store.stat(BUCKET, subject.name, old) is None
    assert subject.store.read(BUCKET, subject.name, generation=new) == b"new"
    with pytest.raises(Inconsistent) as caught:
        subject.store.read(BUCKET, subject.name, generation=old, start=1, length=1)
    assert caught.value.reason == "object_missing"


def test_a_stream_is_there_once_it_is_closed(subject: Subject) -> None:
    with subject.store.open_once(BUCKET, subject.name) as out:
        out.write(b"one\n")
        out.write(b"two\n")
        assert subject.store.stat(BUCKET, subject.name) is None
    assert subject.store.read(BUCKET, subject.name) == b"one\ntwo\n"


@pytest.mark.parametrize("size", [100, 9 << 20], ids=["small", "larger than the client's buffer"])
def test_a_stream_that_breaks_off_leaves_no_object(subject: Subject, size: int) -> None:
    def break_off() -> None:
        with subject.store.open_once(BUCKET, subject.name) as out:
            out.write(bytes(size))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        break_off()
    assert subject.store.stat(BUCKET, subject.name) is None


def test_a_stream_to_a_name_that_is_taken_is_refused_and_changes_nothing(subject: Subject) -> None:
    subject.store.write_once(BUCKET, subject.name, TEN)
    with pytest.raises(Inconsistent) as caught, subject.store.open_once(BUCKET, subject.name) as out:
        out.write(b"other")
    assert caught.value.reason == "object_exists"
    assert subject.store.read(BUCKET, subject.name) == TEN


def test_deleting_removes_an_object_and_twice_is_fine(subject: Subject) -> None:
    subject.store.write_once(BUCKET, subject.name, TEN)
    subject.store.delete(BUCKET, subject.name)
    subject.store.delete(BUCKET, subject.name)
    assert subject.store.stat(BUCKET, subject.name) is None


def test_a_listing_has_the_live_generation_of_every_object_with_its_facts(subject: Subject) -> None:
    subject.replace(b"old")
    newest = subject.replace(TEN)
    other = f"{subject.name}.other"
    subject.store.write_once(BUCKET, other, b"1", metadata={"rows": "1"})
    listed = {info.name: info for info in subject.store.listing(BUCKET)}
    assert [info.name for info in subject.store.listing(BUCKET)] == sorted(listed)
    assert (listed[subject.name].generation, listed[subject.name].size) == (newest, 10)
    assert listed[other] == subject.store.stat(BUCKET, other)
    subject.store.delete(BUCKET, other)
    assert other not in {info.name for info in subject.store.listing(BUCKET)}


def test_the_creation_time_is_the_servers(cloud_storage: CloudStorage) -> None:
    name = uuid.uuid4().hex
    cloud_storage.write_once(BUCKET, name, TEN)
    info = cloud_storage.stat(BUCKET, name)
    assert info is not None
    assert abs(datetime.now(UTC) - info.created_at) < timedelta(minutes=1)


class TestAStorageThatIsDown:
    """Everything that cannot be reached is a fault that a retry may mend."""

    @pytest.fixture
    def store(self, monkeypatch: pytest.MonkeyPatch) -> Iterator[CloudStorage]:
        with nobody_listens() as host:
            monkeypatch.setenv("STORAGE_EMULATOR_HOST", f"http://{host}")
            yield CloudStorage(f"down-{uuid.uuid4().hex}", patience=0.1)

    def test_reads_and_facts_are_unavailable(self, store: CloudStorage) -> None:
        with pytest.raises(DependencyUnavailable, match=f"gs://{BUCKET}"):
            store.read(BUCKET, "a")
        with pytest.raises(DependencyUnavailable):
            store.stat(BUCKET, "a")

    def test_a_listing_is_unavailable(self, store: CloudStorage) -> None:
        with pytest.raises(DependencyUnavailable):
            list(store.listing(BUCKET))

    def test_writes_and_deletes_are_unavailable(self, store: CloudStorage) -> None:
        with pytest.raises(DependencyUnavailable):
            store.write_once(BUCKET, "a", b"1")
        with pytest.raises(DependencyUnavailable):
            store.delete(BUCKET, "a")
        with pytest.raises(DependencyUnavailable), store.open_once(BUCKET, "a") as out:
            out.write(b"1")


def test_a_storage_that_stops_and_starts_again_is_unavailable_in_between(
    servers: Servers, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = servers.new("storage", "storage-stopping")
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", f"http://127.0.0.1:{server.port}")
    project = f"stopping-{uuid.uuid4().hex}"
    made: Client = storage.client(project)
    made.create_bucket(BUCKET)
    store = CloudStorage(project, patience=0.1)
    try:
        store.write_once(BUCKET, "a", TEN)
        server.stop()
        with pytest.raises(DependencyUnavailable):
            store.read(BUCKET, "a")
        server.start()
        assert store.read(BUCKET, "a") == TEN
    finally:
        server.stop()
