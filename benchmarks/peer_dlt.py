"""The peer: dlt merges the same file into Postgres. Runs in .venv-bench, so that nothing of dlt touches the project.

    python -m benchmarks.peer_dlt --file transactions.ndjson --url postgresql://… --home DIR --format csv

Reads the file line by line, validates each row with the project's own marshmallow schema, and gives dlt the rows that
pass, in pages. The clock runs from the first read to the end of `pipeline.run`; starting Python is left out, as it is
for our functions. Prints one JSON line.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import dlt  # type: ignore[import-not-found]
import msgspec
from dlt.destinations import postgres  # type: ignore[import-not-found]
from marshmallow import ValidationError

from shared.schemas.rows import SCHEMAS

PAGE_ROWS = 5_000
COLUMNS = {
    "amount": {"data_type": "decimal", "precision": 18, "scale": 4},
    "timestamp": {"data_type": "timestamp", "dedup_sort": "desc"},  # the latest event of a transaction stands
}


def valid_rows(path: Path) -> Iterator[list[dict[str, Any]]]:
    """Pages of the rows that the schema accepts; what it refuses is left out."""
    decode = msgspec.json.Decoder(float_hook=Decimal).decode
    load = SCHEMAS["transactions"].load
    page: list[dict[str, Any]] = []
    with path.open("rb") as lines:
        for line in lines:
            try:
                page.append(load(decode(line)))
            except (ValidationError, ValueError):
                continue
            if len(page) == PAGE_ROWS:
                yield page
                page = []
    if page:
        yield page


def main() -> None:
    """Load the file once and tell how long it took."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--file", type=Path, required=True)
    parser.add_argument("--url", required=True)
    parser.add_argument("--home", required=True)
    parser.add_argument("--format", required=True, choices=("insert_values", "csv"))
    args = parser.parse_args()
    resource = dlt.resource(
        valid_rows(args.file),
        name="transactions",
        write_disposition="merge",
        primary_key="transaction_id",
        columns=COLUMNS,
    )
    pipeline = dlt.pipeline(
        "peer", destination=postgres(credentials=args.url), dataset_name="peer", pipelines_dir=args.home
    )
    started = time.monotonic()
    pipeline.run(resource, loader_file_format=args.format)
    seconds = time.monotonic() - started
    with pipeline.sql_client() as client:
        rows = client.execute_sql("SELECT count(*) FROM transactions")[0][0]
    steps = {s.step: (s.finished_at - s.started_at).total_seconds() for s in pipeline.last_trace.steps}
    sys.stdout.write(json.dumps({"seconds": seconds, "rows_in_table": rows, "stages": steps}) + "\n")


if __name__ == "__main__":
    main()
