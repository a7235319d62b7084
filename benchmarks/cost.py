"""`make bench-cost`: bytes and dollars of one feed, the pipeline's way beside the naive one; a table and JSON.

python -m benchmarks.cost --rows 100000 --json build/cost.json

A local warehouse counts the bytes by BigQuery's rules: the columns read, of the partitions read, at least 10 MB.
"""

from __future__ import annotations

import csv
import io
import json
import os
import shutil
import tempfile
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any

import typer
from google.auth.credentials import AnonymousCredentials
from google.cloud import bigquery, storage  # type: ignore[attr-defined]  # mypy sees one part

from cli.commands_cost import size, usd
from cli.output import console, print_table
from local.process import ServerProcess
from local.resources import table_of
from local.stack import BUCKETS, PROJECT
from local.table import ROOT
from shared.adapters.meter import FinishedJob, PlannedJob
from shared.adapters.metering import cost_of
from shared.adapters.warehouse import BigQueryWarehouse, bigquery_client
from shared.adapters.warehouse_sql import feed_schema, warehouse_sql
from shared.settings import load_settings

FACT, MART, BUCKET = "sales.transactions", "marts.daily_sales_summary", "lake"
FEEDS_A_MONTH = 30 * 720
FIRST_DAY = date(2024, 1, 1)
VALUES: dict[str, Any] = {"STRING": "sixteen_letters_", "INT64": 7, "NUMERIC": "19.99", "BOOL": "false"}
SHORT = {"currency": "GBP", "country": "GB", "status": "completed", "payment_method": "card", "category": "Kitchen"}
PRUNED = "    AND t.sale_date IN UNNEST(@days)\n"


@dataclass
class Bills:
    """A meter that keeps what each job billed, by its kind and stage."""

    finished: list[FinishedJob] = field(default_factory=list)

    def admit(self, job: PlannedJob) -> None:
        """Nothing waits."""

    def record(self, job: FinishedJob) -> None:
        """Keep it."""
        self.finished.append(job)

    def running(self, target: str) -> list[str]:  # noqa: ARG002  # as the seam has it
        """No process has died."""
        return []


def bench(
    rows: Annotated[int, typer.Option(help="Rows of the fact.", min=1000)] = 200_000,
    days: Annotated[int, typer.Option(help="Days over which they are spread.", min=10)] = 730,
    feed: Annotated[int, typer.Option(help="Rows of the feed, on the last two days.", min=2)] = 200,
    json_file: Annotated[Path, typer.Option("--json", help="Where the numbers go.")] = ROOT / "build" / "cost.json",
) -> None:
    """Measure one feed in both ways."""
    work = Path(tempfile.mkdtemp(prefix="sluice-cost-", dir="/var/tmp"))
    servers: list[ServerProcess] = []
    try:
        measured = _measure(work, servers, rows, days, feed)
    finally:
        for server in servers:
            server.stop()
        shutil.rmtree(work, ignore_errors=True)
    json_file.parent.mkdir(parents=True, exist_ok=True)
    json_file.write_text(json.dumps(measured, indent=2, default=str) + "\n", encoding="utf-8")
    _show(measured)


def _start(work: Path, servers: list[ServerProcess], name: str, *options: str) -> int:
    server = ServerProcess(name, [f"local.{name}", "--home", str(work / name), *options], {}, work)
    servers.append(server)
    server.start()
    assert server.port
    return server.port


def _measure(work: Path, servers: list[ServerProcess], rows: int, days: int, feed: int) -> dict[str, Any]:
    store = f"http://127.0.0.1:{_start(work, servers, 'storage')}"
    os.environ["STORAGE_EMULATOR_HOST"] = store
    os.environ["BIGQUERY_EMULATOR_HOST"] = f"http://127.0.0.1:{_start(work, servers, 'warehouse', '--storage', store)}"
    settings = load_settings({"GOOGLE_CLOUD_PROJECT": PROJECT, **BUCKETS, **os.environ})
    nobody = AnonymousCredentials()  # type: ignore[no-untyped-call]
    bucket = storage.Client(project=PROJECT, credentials=nobody).create_bucket(BUCKET)
    client, bills = bigquery_client(settings), Bills()
    warehouse = BigQueryWarehouse(settings, meter=bills)
    for name in ("sales", "marts", "staging", "naive"):
        client.create_dataset(bigquery.Dataset(f"{PROJECT}.{name}"))
    for name in (FACT, MART):
        client.create_table(table_of(ROOT / "sql" / "bigquery" / name.replace(".", "/")))
    unfiltered = bigquery.Table(f"{PROJECT}.naive.transactions", schema=client.get_table(f"{PROJECT}.{FACT}").schema)
    client.create_table(unfiltered)
    last = FIRST_DAY + timedelta(days=days - 1)
    every = [FIRST_DAY + timedelta(days=n) for n in range(days)]
    touched = [last - timedelta(days=1), last]
    _fill(bucket, warehouse, "staging.all", [(n, every[n % days]) for n in range(rows)])
    _fill(bucket, warehouse, "staging.feed", [(n, touched[n % 2]) for n in range(rows, rows + feed)])
    merge = warehouse_sql(FACT, "merge")
    full = merge.replace(PRUNED, "")
    warehouse.run(merge.replace("${feed}", "staging.all"), {"feed_id": 1, "days": every}, table=FACT)
    into_naive = full.replace(FACT, "naive.transactions")
    warehouse.run(into_naive.replace("${feed}", "staging.all"), {"feed_id": 1}, table="naive.transactions")
    build, money = warehouse_sql(MART, "query"), {"base_currency": settings.base_currency}
    steps: dict[str, list[tuple[str, dict[str, Any], str]]] = {
        "ours": [(merge, {"feed_id": 2, "days": touched}, ""), (build, {"days": touched, **money}, "staging.mart")],
        "naive": [
            (into_naive, {"feed_id": 2}, ""),
            (build.replace(FACT, "naive.transactions"), {"days": every, **money}, "staging.mart"),
        ],
    }
    found: dict[str, Any] = {
        "rows": rows,
        "days": days,
        "feed": feed,
        "bytes_a_row": _row_bytes(client, warehouse, bills),
    }
    for way, jobs in steps.items():
        start = len(bills.finished)
        for sql, params, into in jobs:
            warehouse.run(sql.replace("${feed}", "staging.feed"), params, into=into, most_bytes=2**50)
        done = bills.finished[start:]
        found[way] = [{"processed": one.bytes_processed, "billed": one.bytes_billed} for one in done]
    return found


def _fill(bucket: Any, warehouse: BigQueryWarehouse, table: str, rows: list[tuple[int, date]]) -> None:
    """Load rows with every column filled: 16 letters for a text that is not short by nature."""
    schema = feed_schema(FACT)
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow([column["name"] for column in schema])
    for number, day in rows:
        known = {**SHORT, "transaction_id": f"T{number:012d}", "sale_date": day}
        stamp = f"{day}T10:00:00Z"
        writer.writerow(
            [
                known.get(column["name"], stamp if column["type"] == "TIMESTAMP" else VALUES.get(column["type"], day))
                for column in schema
            ]
        )
    bucket.blob(f"{table}.csv").upload_from_string(out.getvalue())
    warehouse.load_csv(table, [f"gs://{BUCKET}/{table}.csv"], schema, f"load-{table.replace('.', '-')}")


def _row_bytes(client: bigquery.Client, warehouse: BigQueryWarehouse, bills: Bills) -> dict[str, int]:
    """Logical bytes of a row: the tables' own, and what the mart's build reads."""
    fact, feed = (client.get_table(f"{PROJECT}.{name}") for name in (FACT, "staging.feed"))
    day = FIRST_DAY + timedelta(days=3)
    ((held,),) = (row.values() for row in warehouse.run(
        f"SELECT COUNT(*) AS n FROM {FACT} WHERE sale_date = @day", {"day": day}  # noqa: S608
    ))  # fmt: skip
    warehouse.run(warehouse_sql(MART, "query"), {"days": [day], "base_currency": "GBP"}, into="staging.mart")
    return {
        "fact": round((fact.num_bytes or 0) / (fact.num_rows or 1)),
        "feed": round((feed.num_bytes or 0) / (feed.num_rows or 1)),
        "mart_input": round(bills.finished[-1].bytes_processed / held),
    }


def _show(found: dict[str, Any]) -> None:
    totals = {
        way: (sum(j["processed"] for j in found[way]), sum(j["billed"] for j in found[way]))
        for way in ("ours", "naive")
    }
    print_table(
        f"One feed of {found['feed']:,} rows into {found['rows']:,} rows of {found['days']} days",
        ["", "processed", "billed", "USD a feed", "USD a month of feeds every two minutes"],
        [
            (way, size(processed), size(billed), usd(cost_of(billed)), usd(cost_of(billed) * Decimal(FEEDS_A_MONTH)))
            for way, (processed, billed) in totals.items()
        ],
    )  # fmt: skip
    (mine, my_bill), (theirs, their_bill) = totals["ours"], totals["naive"]
    console.print(f"ratio: {theirs / mine:,.0f} by bytes processed, {their_bill / my_bill:,.1f} by bytes billed")
    console.print(f"bytes of a row: {found['bytes_a_row']}")


if __name__ == "__main__":
    typer.run(bench)
