"""Warehouse: what the fake and BigQuery's adapter have in common, and what only SQL can show."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from google.api_core.exceptions import GoogleAPICallError
from google.cloud.bigquery import Dataset

from local.process import ServerProcess
from shared.adapters import storage
from shared.adapters.memory import MemoryStore, MemoryWarehouse
from shared.adapters.ports import Warehouse
from shared.adapters.warehouse import BigQueryWarehouse, bigquery_client
from shared.errors import DependencyUnavailable, NotInWarehouse, PipelineError
from shared.settings import Settings
from tests.contract.adapters.servers import BUCKET, PROJECT, Servers, nobody_listens, settings_for

SCHEMA = [
    {"name": "id", "type": "INT64", "mode": "REQUIRED"},
    {"name": "name", "type": "STRING", "mode": "NULLABLE"},
]
THREE_ROWS = b'id,name\n1,one\n2,"two\nlines"\n3,\\N\n'
FAILURES = (PipelineError, GoogleAPICallError)
DELIVERIES = 20
"""As often as Pub/Sub tries before it gives a message up."""


@dataclass
class Subject:
    """A warehouse, a job id that is free, and how an object comes to where it loads from."""

    warehouse: Warehouse
    put: Callable[[str, bytes], None]
    job: str

    @property
    def table(self) -> str:
        return f"staging.{self.job.replace('-', '_')}"

    @property
    def uri(self) -> str:
        return f"gs://{BUCKET}/{self.job}.csv"

    def load(self) -> int:
        return self.warehouse.load_csv(self.table, [self.uri], SCHEMA, self.job)


@pytest.fixture(scope="module")
def cloud(
    servers: Servers, real_storage: ServerProcess, environment: pytest.MonkeyPatch
) -> Iterator[BigQueryWarehouse]:
    server = servers.get("warehouse", "--storage", f"http://127.0.0.1:{real_storage.port}")
    environment.setenv("BIGQUERY_EMULATOR_HOST", f"http://127.0.0.1:{server.port}")
    admin = bigquery_client(settings_for(""))
    dataset = Dataset(f"{PROJECT}.staging")
    dataset.location = "EU"
    admin.create_dataset(dataset, exists_ok=True)
    yield BigQueryWarehouse(settings_for(""), patience=5)
    admin.close()  # type: ignore[no-untyped-call]


@pytest.fixture(params=["memory", "cloud"])
def subject(request: pytest.FixtureRequest) -> Subject:
    job = f"job-{uuid.uuid4().hex}"
    if request.param == "memory":
        store = MemoryStore()
        return Subject(MemoryWarehouse(store), lambda name, data: void(store.put(BUCKET, name, data)), job)

    def put(name: str, data: bytes) -> None:
        storage.client(PROJECT).bucket(BUCKET).blob(name).upload_from_string(data)

    return Subject(request.getfixturevalue("cloud"), put, job)


def void(_: object) -> None:
    """Nothing."""


def test_a_load_gives_the_number_of_its_rows(subject: Subject) -> None:
    subject.put(f"{subject.job}.csv", THREE_ROWS)
    assert subject.load() == 3


def test_several_objects_are_loaded_by_one_job_each_without_its_header(subject: Subject) -> None:
    for number in (1, 2):
        subject.put(f"{subject.job}.{number}.csv", THREE_ROWS)
    uris = [f"gs://{BUCKET}/{subject.job}.{number}.csv" for number in (1, 2)]
    assert subject.warehouse.load_csv(subject.table, uris, SCHEMA, subject.job) == 6


def test_where_one_of_several_objects_is_missing_none_is_loaded(subject: Subject) -> None:
    subject.put(f"{subject.job}.csv", THREE_ROWS)
    missing = f"gs://{BUCKET}/{subject.job}.2.csv"
    with pytest.raises(FAILURES):
        subject.warehouse.load_csv(subject.table, [subject.uri, missing], SCHEMA, subject.job)
    subject.put(f"{subject.job}.2.csv", THREE_ROWS)
    assert subject.warehouse.load_csv(subject.table, [subject.uri, missing], SCHEMA, subject.job) == 6


def test_a_load_that_was_done_gives_its_first_count_again(subject: Subject) -> None:
    subject.put(f"{subject.job}.csv", THREE_ROWS)
    subject.load()
    subject.put(f"{subject.job}.csv", b"id,name\n9,nine\n")
    assert subject.load() == 3


def test_a_failed_load_is_followed_by_the_next_attempt(subject: Subject) -> None:
    with pytest.raises(FAILURES):
        subject.load()
    subject.put(f"{subject.job}.csv", THREE_ROWS)
    assert subject.load() == 3


def test_a_load_that_failed_as_often_as_a_message_is_delivered_is_tried_again(cloud: BigQueryWarehouse) -> None:
    job = f"often-{uuid.uuid4().hex}"
    for _ in range(DELIVERIES):
        with pytest.raises(NotInWarehouse, match="not find"):
            cloud.load_csv("staging.often", [f"gs://{BUCKET}/{job}.csv"], SCHEMA, job)
    storage.client(PROJECT).bucket(BUCKET).blob(f"{job}.csv").upload_from_string(THREE_ROWS)
    assert cloud.load_csv("staging.often", [f"gs://{BUCKET}/{job}.csv"], SCHEMA, job) == 3


@pytest.mark.parametrize("location", ["EU", "europe-west1"])
def test_a_job_is_found_again_wherever_the_warehouse_is(cloud: BigQueryWarehouse, location: str) -> None:
    assert cloud, "the server that the client finds"
    settings = replace(settings_for(""), bigquery_location=location)
    job = f"there-{uuid.uuid4().hex}"
    client = bigquery_client(settings_for(""))
    client.query("SELECT 1 AS n", job_id=f"{job}-1", location=location, job_retry=None).result()
    client.close()  # type: ignore[no-untyped-call]
    assert BigQueryWarehouse(settings, patience=5).run("SELECT 2 AS n", {}, job) == [{"n": 1}]


def test_a_row_that_does_not_fit_fails_the_load(subject: Subject) -> None:
    subject.put(f"{subject.job}.csv", b"id,name\n1,one,more\n")
    with pytest.raises(FAILURES):
        subject.load()


def test_a_load_under_another_id_replaces_the_table(cloud: BigQueryWarehouse) -> None:
    blob = storage.client(PROJECT).bucket(BUCKET).blob("replaced.csv")
    for rows in (3, 2):
        blob.upload_from_string(b"id,name\n" + b"1,one\n" * rows)
        cloud.load_csv("staging.replaced", [f"gs://{BUCKET}/replaced.csv"], SCHEMA, f"replaced-{uuid.uuid4().hex}")
    assert cloud.run("SELECT COUNT(*) AS n FROM staging.replaced", {}) == [{"n": 2}]


def test_line_ends_in_quotes_and_nulls_are_loaded_as_such(cloud: BigQueryWarehouse) -> None:
    storage.client(PROJECT).bucket(BUCKET).blob("quoted.csv").upload_from_string(THREE_ROWS)
    cloud.load_csv("staging.quoted", [f"gs://{BUCKET}/quoted.csv"], SCHEMA, f"quoted-{uuid.uuid4().hex}")
    found = cloud.run("SELECT name FROM staging.quoted ORDER BY id", {})
    assert [row["name"] for row in found] == ["one", "two\nlines", None]


def test_parameters_keep_their_type_and_value(cloud: BigQueryWarehouse) -> None:
    params = {"n": 7, "money": Decimal("0.10"), "day": date(2026, 3, 1), "text": "a'b", "days": [date(2026, 3, 2)]}
    sql = "SELECT @n AS n, @money AS money, @day AS day, @text AS text, @days AS days"
    assert cloud.run(sql, params) == [params]


def test_a_parameter_of_another_type_is_refused(cloud: BigQueryWarehouse) -> None:
    with pytest.raises(TypeError, match="float"):
        cloud.run("SELECT @x", {"x": 0.1})


def test_a_statement_with_a_job_id_runs_once(cloud: BigQueryWarehouse) -> None:
    table, job = f"staging.once_{uuid.uuid4().hex}", f"once-{uuid.uuid4().hex}"
    cloud.run(f"CREATE TABLE {table} (n INT64)", {})
    for _ in range(3):
        cloud.run(f"INSERT INTO {table} (n) VALUES (@n)", {"n": 1}, job)  # a name of our own
    assert cloud.run(f"SELECT COUNT(*) AS n FROM {table}", {}) == [{"n": 1}]


def test_a_statement_that_failed_is_tried_under_the_next_id(cloud: BigQueryWarehouse) -> None:
    table, job = f"staging.late_{uuid.uuid4().hex}", f"late-{uuid.uuid4().hex}"
    for _ in range(2):
        with pytest.raises(NotInWarehouse):
            cloud.run(f"INSERT INTO {table} (n) VALUES (1)", {}, job)
    cloud.run(f"CREATE TABLE {table} (n INT64)", {})
    for _ in range(2):
        cloud.run(f"INSERT INTO {table} (n) VALUES (1)", {}, job)
    assert cloud.run(f"SELECT COUNT(*) AS n FROM {table}", {}) == [{"n": 1}]


def test_the_answer_of_a_statement_that_ran_comes_again(cloud: BigQueryWarehouse) -> None:
    job = f"answer-{uuid.uuid4().hex}"
    first = cloud.run("SELECT 1 AS n", {}, job)
    assert cloud.run("SELECT 2 AS n", {}, job) == first == [{"n": 1}]


def test_the_fake_runs_a_job_once_and_a_failed_one_again() -> None:
    answers: Iterator[Exception | list[Mapping[str, Any]]] = iter([PipelineError("first"), [{"n": 1}]])

    def answer(_: str, __: Mapping[str, Any]) -> list[Mapping[str, Any]]:
        given = next(answers)
        if isinstance(given, Exception):
            raise given
        return given

    fake = MemoryWarehouse(MemoryStore(), answer)
    with pytest.raises(PipelineError):
        fake.run("SELECT 1", {}, "job")
    assert fake.run("SELECT 1", {}, "job") == [{"n": 1}]
    assert fake.run("SELECT 1", {}, "job") == [{"n": 1}]
    assert fake.ran == [("SELECT 1", {})]


@pytest.fixture
def down(monkeypatch: pytest.MonkeyPatch, settings: Settings) -> Iterator[BigQueryWarehouse]:
    with nobody_listens() as host:
        monkeypatch.setenv("BIGQUERY_EMULATOR_HOST", f"http://{host}")
        yield BigQueryWarehouse(settings, patience=0.2)


def test_a_warehouse_that_is_down_is_unavailable(down: BigQueryWarehouse) -> None:
    with pytest.raises(DependencyUnavailable, match="query-"):
        down.run("SELECT 1", {})
    with pytest.raises(DependencyUnavailable, match="job-1"):
        down.run("SELECT 1", {}, "job")
    with pytest.raises(DependencyUnavailable, match="job-1"):
        down.load_csv("staging.t", ["gs://b/o"], SCHEMA, "job")


def test_a_question_is_answered_with_rows_in_the_order_of_its_columns(cloud: BigQueryWarehouse) -> None:
    asked = cloud.ask(
        "SELECT n, NUMERIC '1.50' AS money FROM UNNEST([1, 2, 3]) AS n WHERE n < @most ORDER BY n", {"most": 3},
        table="a_report", most_bytes=10**9,
    )  # fmt: skip
    assert [list(row) for row in asked.rows] == [[1, Decimal("1.50")], [2, Decimal("1.50")]]
    assert asked.bytes_processed == 0


def test_the_fake_answers_a_question_in_the_order_of_its_columns() -> None:
    fake = MemoryWarehouse(MemoryStore(), lambda _sql, _params: [{"a": 1, "b": None}])
    assert [list(row) for row in fake.ask("SELECT", {}, table="a_report", most_bytes=1).rows] == [[1, None]]
