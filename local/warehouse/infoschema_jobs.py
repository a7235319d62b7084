"""INFORMATION_SCHEMA.JOBS over the job records: each record's JSON is read once for all columns."""

from __future__ import annotations

PATHS = {
    "user": "user_email",
    "type": "configuration.jobType",
    "statement": "statistics.query.statementType",
    "start": "statistics.startTime",
    "end": "statistics.endTime",
    "state": "status.state",
    "parent": "statistics.parentJobId",
    "query": "configuration.query.query",
    "processed": "statistics.totalBytesProcessed",
    "billed": "statistics.query.totalBytesBilled",
    "cached": "statistics.query.cacheHit",
    "reason": "status.errorResult.reason",
    "place": "status.errorResult.location",
    "message": "status.errorResult.message",
    "inserted": "statistics.query.dmlStats.insertedRowCount",
    "deleted": "statistics.query.dmlStats.deletedRowCount",
    "updated": "statistics.query.dmlStats.updatedRowCount",
    "slot": "statistics.totalSlotMs",
    "labels": "configuration.labels",
    **{
        f"{kind}_{part}": f"configuration.{kind}.destinationTable.{part}Id"
        for kind in ("query", "load", "copy")
        for part in ("project", "dataset", "table")
    },
}
PLACES = {name: f"v[{place}]" for place, name in enumerate(PATHS, 1)}


def _destination(part: str) -> str:
    return "coalesce(" + ", ".join(PLACES[f"{kind}_{part}"] for kind in ("query", "load", "copy")) + ")"


def _view() -> str:
    v = PLACES
    paths = ", ".join(f"'$.{path}'" for path in PATHS.values())
    return f"""
CREATE OR REPLACE VIEW _info.jobs AS
SELECT created AS creation_time, project AS project_id, {v["user"]} AS user_email, job_id, {v["type"]} AS job_type,
  {v["statement"]} AS statement_type,
  make_timestamptz(CAST({v["start"]} AS BIGINT) * 1000) AS start_time,
  make_timestamptz(CAST({v["end"]} AS BIGINT) * 1000) AS end_time,
  {v["state"]} AS state, {v["parent"]} AS parent_job_id, {v["query"]} AS query,
  CAST({v["processed"]} AS BIGINT) AS total_bytes_processed, CAST({v["billed"]} AS BIGINT) AS total_bytes_billed,
  CAST({v["cached"]} AS BOOLEAN) AS cache_hit,
  CASE WHEN {v["reason"]} IS NOT NULL THEN {{
    'reason': {v["reason"]}, 'location': {v["place"]}, 'message': {v["message"]}}} END AS error_result,
  CASE WHEN {v["inserted"]} IS NOT NULL THEN {{
    'inserted_row_count': CAST({v["inserted"]} AS BIGINT), 'deleted_row_count': CAST({v["deleted"]} AS BIGINT),
    'updated_row_count': CAST({v["updated"]} AS BIGINT)}} END AS dml_statistics,
  CAST({v["slot"]} AS BIGINT) AS total_slot_ms,
  list_transform(coalesce(json_keys({v["labels"]}), CAST([] AS VARCHAR[])), lambda name: {{
    'key': name, 'value': json_extract_string({v["labels"]}, '$."' || name || '"')}}) AS labels,
  CASE WHEN {_destination("table")} IS NOT NULL THEN {{
    'project_id': coalesce({_destination("project")}, project), 'dataset_id': {_destination("dataset")},
    'table_id': {_destination("table")}}} END AS destination_table
FROM (SELECT created, project, job_id, json_extract_string(body, [{paths}]) AS v FROM _bq.job)
"""  # noqa: S608 - made of the paths above


JOBS_VIEW = _view()
