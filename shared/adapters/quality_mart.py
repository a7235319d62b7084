"""The verdicts of some days in BigQuery: an object in the lake, a free load job, a statement that replaces the days."""

from __future__ import annotations

import csv
import io
import uuid
from collections import defaultdict
from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal

from shared.adapters.ports import ObjectStore, Warehouse
from shared.adapters.warehouse import NULL
from shared.adapters.warehouse_sql import feed_schema, warehouse_sql
from shared.domain.quality.judging import Result
from shared.domain.quality.scoring import score

TABLE = "marts.quality_metrics"
MOST_DAYS = 1_000
"""Days that one statement replaces; BigQuery allows 4,000 partitions a job."""


def publish_days(
    run: int, days: Sequence[date], results: Sequence[Result], at: datetime, *,
    store: ObjectStore, warehouse: Warehouse, bucket: str,
) -> None:  # fmt: skip
    """Replace these days by the results, which are all that is known of them.

    Objects and jobs are named by `run` and a word of their own: numbers of runs come again after a restore, while the
    lake and BigQuery keep what an earlier run left.
    """
    ordered, own = sorted(days), uuid.uuid4().hex
    for start in range(0, len(ordered), MOST_DAYS):
        some = ordered[start : start + MOST_DAYS]
        name = f"{run:d}_{own}_{start // MOST_DAYS:d}"
        staging, path = f"staging.quality_{name}", f"quality/{name}.csv"
        chosen = set(some)
        store.write_once(bucket, path, _csv([one for one in results if one.day in chosen], at))
        warehouse.load_csv(staging, [f"gs://{bucket}/{path}"], feed_schema(TABLE), f"quality-{name}-load", label=TABLE)
        sql = warehouse_sql(TABLE, "replace").replace("${run}", staging)
        warehouse.run(sql, {"days": some}, f"quality-{name}-replace", table=TABLE)


def _csv(results: Sequence[Result], at: datetime) -> bytes:
    scores = _scores(results)
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow([field["name"] for field in feed_schema(TABLE)])
    for one in results:
        writer.writerow(
            [
                one.day, one.dataset, one.rule, one.subject or NULL, one.value, one.threshold, one.severity,
                str(one.passed).lower(), one.rows, scores[one.dataset, one.day], at.isoformat(),
            ]
        )  # fmt: skip
    return out.getvalue().encode()


def _scores(results: Sequence[Result]) -> dict[tuple[str, date], Decimal]:
    grouped: dict[tuple[str, date], list[Result]] = defaultdict(list)
    for one in results:
        grouped[one.dataset, one.day].append(one)
    return {key: score(some).total for key, some in grouped.items()}
