"""What the bench of the reports asks: made-up sales, loaded by load jobs, and the marts built from them."""

from __future__ import annotations

import re
from datetime import date, timedelta
from pathlib import Path

import duckdb
from google.cloud import bigquery, storage  # type: ignore[attr-defined]  # mypy sees one part

from local.stack import BUCKETS, PROJECT
from shared.adapters import marts as building
from shared.adapters.postgres import Session
from shared.adapters.warehouse import BigQueryWarehouse, bigquery_client
from shared.adapters.warehouse_sql import marts
from shared.settings import Settings

QUERIES = Path(__file__).resolve().parent / "queries"
PART_ROWS = 2_000_000


def load_sales(settings: Settings, work: Path, rows: int, first_day: date, days: int) -> None:
    """`rows` transactions over `days` into sales.transactions: Parquet by DuckDB, the local storage, load jobs."""
    made = re.sub(r":([a-z_]+)", r"$\1", (QUERIES / "make_sales.sql").read_text(encoding="utf-8"))
    client, bucket = bigquery_client(settings), storage.Client(project=PROJECT).bucket(BUCKETS["LAKE_BUCKET"])
    config = bigquery.LoadJobConfig(
        source_format=bigquery.SourceFormat.PARQUET, write_disposition=bigquery.WriteDisposition.WRITE_APPEND
    )
    for first in range(0, rows, PART_ROWS):
        file = work / "sales.parquet"
        values = {"first_row": first, "last_row": min(rows, first + PART_ROWS), "days": days, "first_day": first_day}
        duckdb.execute(f"COPY ({made}) TO '{file}' (FORMAT parquet)", values)
        name = f"bench/{first}.parquet"
        bucket.blob(name).upload_from_filename(str(file))
        file.unlink()
        uri, table = f"gs://{bucket.name}/{name}", f"{PROJECT}.sales.transactions"
        client.load_table_from_uri(uri, table, job_config=config).result()
        bucket.blob(name).delete()


def build_all(settings: Settings, session: Session, warehouse: BigQueryWarehouse, first_day: date, days: int) -> None:
    """Every mart for every day, by what build_marts runs. Raises RuntimeError where a mart is kept back."""
    touched = {"sales.transactions": [first_day + timedelta(days=number) for number in range(days)]}
    facts = building.Facts(settings.base_currency, date(2000, 1, 1), settings.max_bytes_per_day)
    building.mark(session, marts(), touched, urgent=True)
    done = building.build_marts(session, warehouse, marts(), facts, has_time=lambda: True)
    if done.errors:
        raise done.errors[0]
    if done.kept_back or done.behind:
        raise RuntimeError(f"{done.kept_back} periods were kept back, behind are {sorted(done.behind)}")
