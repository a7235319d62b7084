"""Where the rows stand: the tables of BigQuery, the database, its migrations, and where the feed is in it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from google.api_core import exceptions as gax
from google.cloud import bigquery

from cli.doctor.installation import Installation
from cli.doctor.steps import Fault, Found
from local.resources import TABLES, is_view, table_of
from shared.adapters.migrations import read_migrations
from shared.adapters.queries import rows_of

LEDGER = "public.schema_migration"
SAME_TYPE = {"INT64": "INTEGER", "FLOAT64": "FLOAT", "BOOL": "BOOLEAN", "STRUCT": "RECORD"}
"""New names of BigQuery's types and those that its API answers with."""
MIGRATE = "apply the migrations: the migrate step of the build (docs/deployment.md)"


def check_warehouse(patient: Installation) -> Found:
    """The datasets, tables and views of sql/bigquery are there, with their columns, partitions and clusters."""
    folders = [schema.parent for schema in sorted(TABLES.glob("*/*/schema.json"))]
    faults = []
    for folder in folders:
        name = f"{folder.parent.name}.{folder.name}"
        kind = "view" if is_view(folder) else "table"
        try:
            found = patient.bigquery.get_table(f"{patient.settings.project}.{name}")
        except gax.NotFound:
            faults.append(Fault(f"{kind} {name} is not there", patient.made_by))
            continue
        wrong = [*_columns(folder, found), *([] if is_view(folder) else _layout(folder, found))]
        if kind == "view" and found.table_type != "VIEW":
            wrong.append("is a table, not a view")
        if wrong:
            faults.append(Fault(f"{kind} {name}: {', '.join(wrong)}", _altered(patient)))
    try:
        patient.bigquery.get_dataset(f"{patient.settings.project}.staging")
    except gax.NotFound:
        faults.append(Fault("dataset staging is not there", patient.made_by))
    return Found(f"{len(folders)} tables and views", faults)


def _altered(patient: Installation) -> str:
    return patient.made_by if patient.api else "the table is of another release: start afresh (docs/local-cloud.md)"


def _columns(folder: Path, found: bigquery.Table) -> Iterator[str]:
    """A column more than ours is of a newer release and does no harm."""
    types = {field.name: _type(field.field_type) for field in found.schema}
    for field in json.loads((folder / "schema.json").read_text(encoding="utf-8")):
        name, wanted = field["name"], _type(field["type"])
        if name not in types:
            yield f"column {name} is missing"
        elif types[name] != wanted:
            yield f"column {name} is {types[name]}, not {wanted}"


def _type(name: str) -> str:
    return SAME_TYPE.get(name.upper(), name.upper())


def _layout(folder: Path, found: bigquery.Table) -> Iterator[str]:
    wanted = table_of(folder)
    partition = wanted.time_partitioning.field if wanted.time_partitioning else None
    is_now = found.time_partitioning.field if found.time_partitioning else None
    if is_now != partition:
        yield f"is partitioned by {is_now or 'nothing'}, not by {partition or 'nothing'}"
    if partition and not found.require_partition_filter:
        yield "does not ask for a filter on its partition"
    if (found.clustering_fields or []) != (wanted.clustering_fields or []):
        yield f"is clustered by {found.clustering_fields or 'nothing'}, not by {wanted.clustering_fields or 'nothing'}"


def check_postgres(patient: Installation) -> Found:
    """The database answers."""
    user, version = patient.session.row("SELECT session_user, current_setting('server_version')")
    return Found(f"PostgreSQL {version}, as {user}")


def check_migrations(patient: Installation) -> Found:
    """Every migration of this release is applied, unchanged, and none that it does not know."""
    if not patient.session.row("SELECT to_regclass($1) IS NOT NULL", LEDGER)[0]:
        return Found("", [Fault("no migration was ever applied", MIGRATE)])
    applied = {
        int(version): (name, checksum) for version, name, checksum in rows_of(patient.session, "list_migrations")
    }
    known = {migration.version: migration for migration in read_migrations()}
    faults = [Fault(f"{one.name} is pending", MIGRATE) for version, one in known.items() if version not in applied]
    for version, (name, checksum) in sorted(applied.items()):
        if version not in known:
            faults.append(Fault(f"{name} is not of this release", "use the release that is deployed, or a newer one"))
        elif known[version].checksum != checksum:
            advice = "restore the file as it was applied and put the change into a new migration"
            faults.append(Fault(f"{known[version].name} is not what was applied as {name}", advice))
    return Found(f"{len(known)} are applied", faults)


def check_feed(patient: Installation) -> Found:
    """The position of the feed belongs to this database: no restore, clone or promotion lies between."""
    with patient.session.transaction("ISOLATION LEVEL REPEATABLE READ"):
        ((position, *_, problem),) = rows_of(patient.session, "read_feed_position")
    advice = "runbook: the-feed-stopped-after-a-restore (`sluice refeed` once it is the right database)"
    return Found(f"at transaction {position}", [Fault(problem, advice)] if problem else [])
