"""The tables and views of BigQuery are those of sql/bigquery, column by column, and no query scans all of one."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from deploy.planned import Plan, Resource
from deploy.repository import Described, Repository

STAGING_EXPIRES_MS = 24 * 3600 * 1000
TIME_TRAVEL_HOURS = "48"


def tables_are_those_of_the_folders(plan: Plan, repository: Repository) -> Iterator[str]:
    """Both ways: every folder with a schema.json is planned, and nothing else is."""
    planned = {f"{table.at('dataset_id')}.{table.at('table_id')}": table for table in plan.of("google_bigquery_table")}
    described = repository.tables
    yield from (f"sql/bigquery: {name} is not planned" for name in sorted(described.keys() - planned))
    yield from (
        f"{planned[name].address}: has no folder in sql/bigquery" for name in sorted(planned.keys() - described)
    )
    for name in sorted(described.keys() & planned.keys()):
        for problem in _differences(planned[name], described[name]):
            yield f"{planned[name].address}: {problem}"


def datasets_forget_what_they_should(plan: Plan) -> Iterator[str]:
    """Time travel is as short as it can be, so that an erased person is gone; staging expires after a day."""
    for dataset in plan.of("google_bigquery_dataset"):
        if dataset.at("max_time_travel_hours") != TIME_TRAVEL_HOURS:
            yield f"{dataset.address}: max_time_travel_hours must be {TIME_TRAVEL_HOURS}"
        if dataset.at("dataset_id") == "staging" and dataset.at("default_table_expiration_ms") != STAGING_EXPIRES_MS:
            yield f"{dataset.address}: default_table_expiration_ms must be a day"


def _differences(table: Resource, described: Described) -> Iterator[str]:
    if _columns(json.loads(table.at("schema") or "[]")) != _columns(described.schema):
        yield "its columns are not those of schema.json"
    if (table.at("view.query") or None) != described.view:
        yield "its query is not view.sql"
    if table.at("description") != described.metadata["description"]:
        yield "its description is not that of metadata.yaml"
    if described.view is not None:
        return
    partition = described.metadata.get("partition")
    if table.at("time_partitioning.field") != partition:
        yield f"is partitioned by {table.at('time_partitioning.field')}, metadata.yaml says {partition}"
    if partition and table.at("require_partition_filter") is not True:
        yield "require_partition_filter must be true, or a query may scan all of it"
    if table.all("clustering") != described.metadata.get("cluster", []):
        yield f"is clustered by {table.all('clustering')}, metadata.yaml says {described.metadata.get('cluster')}"


def _columns(schema: list[dict[str, Any]]) -> list[tuple[Any, ...]]:
    """Name, type, mode and description of each column, and the columns of a record."""
    return [
        (c["name"], c["type"], c.get("mode", "NULLABLE"), c.get("description"), _columns(c.get("fields", [])))
        for c in schema
    ]
