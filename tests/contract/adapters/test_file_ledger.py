"""FileLedger: what the fake and Postgres have in common."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

import pytest

from shared.adapters.landing import Checkpoint
from shared.adapters.ledger import FileLedger, FileState, PostgresFileLedger
from shared.adapters.memory import MemoryFileLedger
from shared.adapters.ports import ObjectInfo
from shared.adapters.postgres import Session, connect
from shared.domain.cells import Dialect
from shared.domain.cutting import Position
from shared.errors import LockTimeout
from shared.messages import Chunk, ObjectRange, Upload
from tests.contract.adapters.servers import settings_for

LANDED = datetime(2026, 3, 1, 12, tzinfo=UTC)
AT = Checkpoint(
    position=Position(100, 11),
    ordinal=2,
    rows=10,
    shape="csv",
    dialect=Dialect("latin-1", ";", ["user_id", "é"], Position(10, 2)),
)


@dataclass
class Subject:
    """A ledger, a second one as another instance has it, and which chunks they know: id and received rows."""

    ledger: FileLedger
    other: FileLedger
    chunks: Callable[[str], dict[str, int]]

    def known(self, info: ObjectInfo) -> FileState:
        """Register the file and let it go."""
        with self.ledger.cutting(info.name, info) as state:
            return state


@pytest.fixture
def second_session(database: str) -> Iterator[Session]:
    opened = connect(settings_for(database), "tests")
    yield opened
    opened.close()


@pytest.fixture
def postgres(session: Session, second_session: Session) -> Subject:
    def chunks(file_id: str) -> dict[str, int]:
        return dict(session.rows("SELECT chunk_id, received FROM pipeline.chunk WHERE file_id = $1", file_id))

    return Subject(PostgresFileLedger(session), PostgresFileLedger(second_session), chunks)


@pytest.fixture(params=["memory", "postgres"])
def subject(request: pytest.FixtureRequest) -> Subject:
    if request.param == "postgres":
        found: Subject = request.getfixturevalue("postgres")
        return found
    fake = MemoryFileLedger()
    return Subject(
        fake, fake, lambda file_id: {c.chunk_id: c.rows for c in fake.chunks.values() if c.file_id == file_id}
    )


@pytest.fixture
def info() -> ObjectInfo:
    """An object; its name stands for the file's id too."""
    return ObjectInfo("landing", uuid.uuid4().hex, 7, 1_000, "AAAAAA==", LANDED, {})


def chunk(info: ObjectInfo, ordinal: int, rows: int) -> Chunk:
    raw = ObjectRange(bucket=info.bucket, name=info.name, generation=info.generation, offset=ordinal * 100, length=100)
    return Chunk(
        chunk_id=f"{info.name}-{ordinal:06d}", file_id=info.name, source="transactions", ordinal=ordinal,
        first_line=1 + ordinal * rows, rows=rows, landed_at=LANDED, raw=raw,
    )  # fmt: skip


def test_a_file_that_never_came_is_unknown(subject: Subject, info: ObjectInfo) -> None:
    assert subject.ledger.state(info.name) is None


def test_a_new_file_is_registered_open_and_without_a_checkpoint(subject: Subject, info: ObjectInfo) -> None:
    assert subject.known(info) == FileState("registered", 0, None)
    assert subject.known(info).open


def test_a_file_goes_from_registered_over_cutting_to_cut(subject: Subject, info: ObjectInfo) -> None:
    subject.known(info)
    subject.ledger.begin(info.name, "transactions")
    assert subject.known(info).state == "cutting"
    assert subject.known(info).open
    subject.ledger.finish(info.name)
    assert subject.known(info).state == "cut"
    assert not subject.known(info).open


def test_a_file_that_is_cut_does_not_begin_again(subject: Subject, info: ObjectInfo) -> None:
    subject.known(info)
    subject.ledger.begin(info.name, "transactions")
    subject.ledger.finish(info.name)
    subject.ledger.begin(info.name, "transactions")
    assert subject.known(info).state == "cut"


def test_a_file_that_has_not_begun_cannot_be_finished(subject: Subject, info: ObjectInfo) -> None:
    subject.known(info)
    subject.ledger.finish(info.name)
    assert subject.known(info).state == "registered"


def test_a_checkpoint_comes_back_as_it_was_given(subject: Subject, info: ObjectInfo) -> None:
    subject.known(info)
    subject.ledger.begin(info.name, "users")
    subject.ledger.checkpoint(info.name, AT)
    assert subject.ledger.state(info.name) == FileState("cutting", 10, AT)


def test_a_second_instance_cannot_cut_the_same_file_meanwhile(subject: Subject, info: ObjectInfo) -> None:
    held = subject.ledger.cutting(info.name, info)
    with held, pytest.raises(LockTimeout), subject.other.cutting(info.name, info):
        raise AssertionError("two instances cut the same file")
    with subject.other.cutting(info.name, info) as state:
        assert state.state == "registered"


def test_a_file_is_free_again_after_its_cutting_failed(subject: Subject, info: ObjectInfo) -> None:
    with pytest.raises(ZeroDivisionError), subject.ledger.cutting(info.name, info):
        raise ZeroDivisionError
    with subject.other.cutting(info.name, info) as state:
        assert state.open


def test_another_file_can_be_cut_meanwhile(subject: Subject, info: ObjectInfo) -> None:
    another = ObjectInfo("landing", uuid.uuid4().hex, 1, 1, "", LANDED, {})
    with subject.ledger.cutting(info.name, info), subject.other.cutting(another.name, another) as state:
        assert state.open


def test_chunks_are_recorded_once_and_stay_as_they_are(subject: Subject, info: ObjectInfo) -> None:
    subject.known(info)
    subject.ledger.record_chunks([chunk(info, 0, 5), chunk(info, 1, 5)])
    subject.ledger.record_chunks([chunk(info, 1, 9), chunk(info, 2, 5)])
    assert subject.chunks(info.name) == {f"{info.name}-{ordinal:06d}": 5 for ordinal in range(3)}


@pytest.mark.parametrize("registered", [True, False])
def test_a_refused_file_is_closed_whether_it_was_registered_or_not(
    subject: Subject, info: ObjectInfo, registered: bool
) -> None:
    if registered:
        subject.known(info)
    gone = Upload(bucket=info.bucket, name=info.name, generation=info.generation)
    subject.ledger.reject(info.name, gone, "object_missing", "it was deleted")
    state = subject.ledger.state(info.name)
    assert state is not None
    assert state.state == "rejected"
    assert not state.open
