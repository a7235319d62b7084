"""Money and speed: `sluice cost` and `queries`."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Any

import typer

from cli.cloud import DEFAULT_HOME, HomeOption, JsonOption, connected
from cli.output import console, fail, print_json, print_table
from shared.adapters.queries import rows_of
from shared.adapters.watching import trends

COSTS = ("jobs", "failed", "bytes_processed", "bytes_billed", "slot_seconds", "rows", "cost_usd")
STATISTICS = (
    "store", "stage", "table", "fingerprint", "runs", "failed", "mean_seconds", "max_seconds", "p95_seconds",
    "bytes_billed", "slot_seconds", "cost_usd",
)  # fmt: skip
MILLION = 1_000_000


class By(StrEnum):
    """What costs are summed by."""

    DAY = "day"
    TABLE = "table"
    STAGE = "stage"


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command(epilog="Example:  sluice cost --by table --from 2026-03-01")(cost)
    app.command(epilog="Example:  sluice queries --expensive --days 30")(queries)


def cost(
    by: Annotated[By, typer.Option(help="Sum by day, table or stage.")] = By.DAY,
    first: Annotated[datetime | None, typer.Option("--from", formats=["%Y-%m-%d"], help="First day.")] = None,
    last: Annotated[datetime | None, typer.Option("--to", formats=["%Y-%m-%d"], help="Last day.")] = None,
    home: HomeOption = DEFAULT_HOME,
    as_json: JsonOption = False,
) -> None:
    """What the warehouse's jobs read and cost, by the price list; rows are those written to the table itself."""
    days = {"first_day": first.date() if first else None, "last_day": last.date() if last else None}
    with connected(home) as cloud:
        found = [
            {by.value: row[0], **dict(zip(COSTS, row[1:], strict=True))}
            for row in rows_of(cloud.session, "sum_costs", by=by.value, **days)
        ]
    listed = [{**row, "usd_per_million_rows": per_million(row["cost_usd"], row["rows"])} for row in found]
    if as_json:
        print_json(listed)
        return
    if not listed:
        console.print("no job is on record; the warehouse's functions and watch_queries write them down")
        return
    print_table(
        f"Cost by {by.value}",
        [by.value, "jobs", "failed", "processed", "billed", "slot s", "rows", "USD", "USD / million rows"],
        [
            (row[by.value] or "(none)", row["jobs"], row["failed"], size(row["bytes_processed"]),
             size(row["bytes_billed"]), row["slot_seconds"], row["rows"], usd(row["cost_usd"]),
             usd(row["usd_per_million_rows"]))
            for row in listed
        ],
    )  # fmt: skip
    console.print(f"together {usd(sum((row['cost_usd'] for row in found), Decimal(0)))} USD")


def per_million(spent: Decimal, rows: int) -> Decimal | None:
    """Dollars for a million rows; None where none was written."""
    return (spent * MILLION / rows).quantize(Decimal("0.000001")) if rows else None


def usd(amount: Decimal | None) -> str:
    """Dollars, to a ten-thousandth of a cent."""
    return "" if amount is None else f"{amount:,.6f}"


def size(number: int) -> str:
    """Bytes as people read them."""
    for unit, factor in (("TiB", 2**40), ("GiB", 2**30), ("MiB", 2**20)):
        if number >= factor:
            return f"{number / factor:,.1f} {unit}"
    return f"{number:,} B"


def queries(
    slowest: Annotated[bool, typer.Option("--slowest", help="By their longest run (the default).")] = False,
    expensive: Annotated[bool, typer.Option("--expensive", help="By what they cost.")] = False,
    failing: Annotated[bool, typer.Option("--failing", help="Those that failed.")] = False,
    regressions: Annotated[bool, typer.Option("--regressions", help="Slower today than in the week before.")] = False,
    days: Annotated[int, typer.Option(help="Days to look back.", min=1)] = 7,
    most: Annotated[int, typer.Option(help="Statements to show.", min=1)] = 20,
    home: HomeOption = DEFAULT_HOME,
    as_json: JsonOption = False,
) -> None:
    """Statements of BigQuery and Postgres by what watch_queries saw of them, hourly. Never their text."""
    chosen = [name for name, asked in (("slowest", slowest), ("expensive", expensive), ("failing", failing)) if asked]
    if len(chosen) + regressions > 1:
        fail("choose one of --slowest, --expensive, --failing and --regressions")
    today = datetime.now(UTC).date()
    with connected(home) as cloud:
        if regressions:
            rows, columns = _regressions(cloud.session, today)[:most], (*STATISTICS[:5], "mean_seconds", "mean_before")
        else:
            by, since = next(iter(chosen), "slowest"), today - timedelta(days=days - 1)
            rows, columns = rows_of(cloud.session, "list_query_stats", by=by, first_day=since, most=most), STATISTICS
    _show([dict(zip(columns, row, strict=True)) for row in rows], columns, as_json)


def _regressions(session: Any, today: date) -> list[tuple[Any, ...]]:
    return [
        (store, stage, table, mark, trend.runs, round(trend.mean, 3), round(trend.mean_before or 0, 3))
        for store, stage, table, mark, trend in trends(session, today)
        if trend.regressed
    ]


def _show(listed: Sequence[dict[str, Any]], columns: Sequence[str], as_json: bool) -> None:
    if as_json:
        print_json(listed)
    elif not listed:
        console.print("none; watch_queries reads what ran every hour, `sluice trigger watch_queries` now")
    else:
        shown = [{**row, "fingerprint": row["fingerprint"][:12]} for row in listed]
        print_table("Statements", [name.replace("_", " ") for name in columns], [list(row.values()) for row in shown])
