"""Datasets, tables and views as the real client makes, changes and lists them."""

from __future__ import annotations

import datetime as dt

import pytest
from google.api_core.exceptions import BadRequest, Conflict, NotFound, PreconditionFailed
from google.cloud import bigquery
from google.cloud.bigquery import Client, SchemaField

from tests.contract.warehouse.conftest import SALES


def table_of(client: Client, dataset: str, name: str = "t") -> bigquery.Table:
    return bigquery.Table(f"{client.project}.{dataset}.{name}", schema=SALES)


def test_a_dataset_keeps_its_labels_description_and_expiration(client: Client, dataset: str) -> None:
    found = client.get_dataset(dataset)
    found.labels = {"env": "local"}
    found.description = "for tests"
    found.default_table_expiration_ms = 3_600_000
    client.update_dataset(found, ["labels", "description", "default_table_expiration_ms"])
    found = client.get_dataset(dataset)
    assert (found.labels, found.description) == ({"env": "local"}, "for tests")
    created = client.create_table(table_of(client, dataset))
    assert created.expires is not None
    assert created.expires > dt.datetime.now(dt.UTC)


def test_a_dataset_is_listed_and_found_by_label(client: Client, dataset: str) -> None:
    found = client.get_dataset(dataset)
    found.labels = {"only": dataset[:20]}
    client.update_dataset(found, ["labels"])
    assert dataset in [each.dataset_id for each in client.list_datasets()]
    assert [each.dataset_id for each in client.list_datasets(filter=f"labels.only:{dataset[:20]}")] == [dataset]


def test_a_second_dataset_of_the_same_name_is_a_conflict(client: Client, dataset: str) -> None:
    with pytest.raises(Conflict, match="Already Exists: Dataset"):
        client.create_dataset(dataset)
    assert client.create_dataset(dataset, exists_ok=True).dataset_id == dataset


def test_a_dataset_with_tables_is_deleted_only_with_its_contents(client: Client, dataset: str) -> None:
    client.create_table(table_of(client, dataset))
    with pytest.raises(BadRequest, match="still in use"):
        client.delete_dataset(dataset)
    client.delete_dataset(dataset, delete_contents=True)
    with pytest.raises(NotFound):
        client.get_dataset(dataset)


def test_a_table_comes_back_as_it_was_made(client: Client, dataset: str) -> None:
    schema = [
        SchemaField("id", "INTEGER", "REQUIRED", description="the key"),
        SchemaField("day", "DATE"),
        SchemaField(
            "lines", "RECORD", "REPEATED", fields=[SchemaField("sku", "STRING"), SchemaField("qty", "INTEGER")]
        ),
    ]
    table = bigquery.Table(f"{client.project}.{dataset}.t", schema=schema)
    table.time_partitioning = bigquery.TimePartitioning(field="day")
    table.clustering_fields = ["id"]
    table.require_partition_filter = True
    table.labels = {"a": "b"}
    table.description = "made once"
    client.create_table(table)
    found = client.get_table(f"{dataset}.t")
    assert found.schema == schema
    assert found.time_partitioning is not None
    assert (found.time_partitioning.field, found.time_partitioning.type_) == ("day", "DAY")
    assert (found.clustering_fields, found.labels, found.description) == (["id"], {"a": "b"}, "made once")
    assert found.require_partition_filter is True
    assert (found.num_rows, found.num_bytes) == (0, 0)


def test_size_counts_rows_and_logical_bytes(client: Client, sales: str) -> None:
    found = client.get_table(sales)
    assert found.num_rows == 30
    assert found.num_bytes == 30 * (8 + 8 + 16 + 12)


def test_a_missing_table_is_not_found_and_a_second_one_a_conflict(client: Client, dataset: str) -> None:
    with pytest.raises(NotFound, match="Not found: Table"):
        client.get_table(f"{dataset}.nothing")
    client.create_table(table_of(client, dataset))
    with pytest.raises(Conflict, match="Already Exists: Table"):
        client.create_table(table_of(client, dataset))


def test_columns_can_be_added_and_relaxed_but_not_dropped(client: Client, sales: str) -> None:
    table = client.get_table(sales)
    table.schema = [*SALES[:1], SchemaField("day", "DATE"), *SALES[2:], SchemaField("extra", "STRING")]
    changed = client.update_table(table, ["schema"])
    assert [item.name for item in changed.schema] == ["id", "day", "amount", "note", "extra"]
    assert changed.schema[1].mode == "NULLABLE"
    changed.schema = changed.schema[1:]
    with pytest.raises(BadRequest, match="missing in new schema"):
        client.update_table(changed, ["schema"])


def test_an_update_from_a_stale_table_fails_its_precondition(client: Client, sales: str) -> None:
    first, second = client.get_table(sales), client.get_table(sales)
    first.description = "one"
    client.update_table(first, ["description"])
    second.description = "two"
    with pytest.raises(PreconditionFailed):
        client.update_table(second, ["description"])


def test_an_expired_table_is_gone(client: Client, dataset: str) -> None:
    table = table_of(client, dataset)
    table.expires = dt.datetime.now(dt.UTC) - dt.timedelta(seconds=1)
    client.create_table(table)
    with pytest.raises(NotFound):
        client.get_table(f"{dataset}.t")
    assert client.create_table(table_of(client, dataset)).table_id == "t"


def test_a_view_answers_its_query_and_is_listed_as_a_view(client: Client, dataset: str, sales: str) -> None:
    view = bigquery.Table(f"{client.project}.{dataset}.v")
    view.view_query = f"SELECT id, amount FROM `{sales}` WHERE day = '2024-01-02'"
    client.create_table(view)
    assert [row.id for row in client.query(f"SELECT id FROM {dataset}.v ORDER BY id LIMIT 2").result()] == [1, 4]
    assert {each.table_id: each.table_type for each in client.list_tables(dataset)} == {"sales": "TABLE", "v": "VIEW"}


def test_rows_are_listed_in_pages_in_the_order_written(client: Client, sales: str) -> None:
    pages = client.list_rows(sales, page_size=12).pages
    assert [[row.id for row in page] for page in pages] == [list(range(12)), list(range(12, 24)), list(range(24, 30))]
    chosen = client.list_rows(sales, selected_fields=SALES[:1], start_index=28)
    assert [tuple(row) for row in chosen] == [(28,), (29,)]


def test_a_type_that_can_not_be_kept_is_refused(client: Client, dataset: str) -> None:
    with pytest.raises(BadRequest, match="GEOGRAPHY of field place is not supported"):
        client.create_table(bigquery.Table(f"{client.project}.{dataset}.t", schema=[SchemaField("place", "GEOGRAPHY")]))


def test_streaming_inserts_are_refused_with_the_way_to_go(client: Client, sales: str) -> None:
    with pytest.raises(BadRequest, match="use load jobs"):
        client.insert_rows_json(sales, [{"id": 1, "day": "2024-01-01"}])
