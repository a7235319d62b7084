"""The marts: `sluice marts list` and `marts rebuild`."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import date
from typing import Annotated, Any

import typer

from cli.cloud import DEFAULT_HOME, Cloud, HomeOption, JsonOption, connected, run_job
from cli.orders import day_of, operator, tell
from cli.output import fail, print_json, print_table
from shared.adapters.actions import Order, Result, carry_out
from shared.adapters.marts import mark
from shared.adapters.queries import rows_of
from shared.adapters.refeeds import FIRST_DAY, LAST_DAY
from shared.adapters.warehouse_sql import marts as known_marts
from shared.domain.marts import Mart

FromOption = Annotated[str | None, typer.Option("--from", metavar="YYYY-MM-DD", help="First day of sale.")]
ToOption = Annotated[str | None, typer.Option("--to", metavar="YYYY-MM-DD", help="Last day of sale.")]
COLUMNS = ("mart", "built", "period", "last_built_at", "out_of_date", "marked_since")


def register(app: typer.Typer) -> None:
    """Add the commands."""
    group = typer.Typer(help="The marts: how far they are, and building them anew.", no_args_is_help=True)
    group.command("list", epilog="Example:  sluice marts list --json")(list_marts)
    group.command(epilog="Examples:  sluice marts rebuild  |  sluice marts rebuild user_analytics --from 2026-03-01")(
        rebuild
    )
    app.add_typer(group, name="marts")


def list_marts(home: HomeOption = DEFAULT_HOME, as_json: JsonOption = False) -> None:
    """When each mart is built, when it last was, and how many of its periods are out of date."""
    with connected(home) as cloud:
        states = {row[0]: (row[1], row[2], row[4]) for row in rows_of(cloud.session, "list_mart_states")}
    rows = [(mart.short, mart.cadence, mart.period, *states.get(mart.name, (None, 0, None))) for mart in known_marts()]
    if as_json:
        print_json([dict(zip(COLUMNS, row, strict=True)) for row in rows])
    else:
        print_table("Marts", COLUMNS, rows)


def rebuild(
    mart: Annotated[str | None, typer.Argument(help="Only this mart.")] = None,
    first: FromOption = None,
    last: ToOption = None,
    home: HomeOption = DEFAULT_HOME,
    as_json: JsonOption = False,
) -> None:
    """Have marts built anew from the facts: everything, or some days of sale. The next run of build_marts does it."""
    chosen = [one for one in known_marts() if mart in (None, one.short, one.name)]
    if not chosen:
        fail(f"{mart}: a mart is one of {', '.join(one.short for one in known_marts())}")
    first_day, last_day = day_of(first) or FIRST_DAY, day_of(last) or LAST_DAY
    if last_day < first_day:
        fail("--to lies before --from")
    with connected(home) as cloud:
        result = _order(cloud, chosen, {"mart": mart, "from": first, "to": last}, first_day, last_day)
        if cloud.jobs:
            run_job(cloud.jobs, "build_marts")
    tell(result, "rebuild ordered", as_json)


def _order(
    cloud: Cloud, chosen: list[Mart], filters: Mapping[str, str | None], first_day: date, last_day: date
) -> Result:
    def work(_: int) -> dict[str, Any]:
        found = rows_of(cloud.session, "list_fact_days", first_day=first_day, last_day=last_day)
        days = [row[0] for row in found]
        mark(cloud.session, chosen, {table: days for one in chosen for table in one.reads}, urgent=True)
        return {"days": len(days), "marts": len(chosen)}

    return carry_out(cloud.session, Order(str(uuid.uuid4()), operator(cloud), "rebuild_marts", filters, {}), work)
