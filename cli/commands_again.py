"""Doing it once more: `sluice reprocess` for landed files, `sluice refeed` for the warehouse."""

from __future__ import annotations

import uuid
from datetime import date
from typing import Annotated

import typer

from cli.cloud import DEFAULT_HOME, Cloud, HomeOption, JsonOption, connected
from cli.landing import follow
from cli.orders import DryRunOption, TimeoutOption, WaitOption, day_of, operator, tell, wait_for
from cli.output import fail
from shared.adapters.actions import Order
from shared.adapters.pubsub import CloudPublisher
from shared.adapters.queries import rows_of
from shared.adapters.refeeds import order_refeed
from shared.adapters.reprocessing import list_reprocessable, order_reprocess
from shared.domain.sources import SOURCES

FromOption = Annotated[str | None, typer.Option("--from", metavar="YYYY-MM-DD", help="First day.")]
ToOption = Annotated[str | None, typer.Option("--to", metavar="YYYY-MM-DD", help="Last day.")]
END_STATES = ("built", "replaced")


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command(epilog="Example:  sluice reprocess --source transactions --from 2026-03-01 --to 2026-03-07 --dry-run")(
        reprocess
    )
    app.command(epilog="Examples:  sluice refeed  |  sluice refeed --from 2026-03-01 --to 2026-03-07 --wait")(refeed)


def reprocess(
    source: Annotated[str, typer.Option(help=f"One of {', '.join(SOURCES)}.")],
    first: FromOption = None,
    last: ToOption = None,
    dry_run: DryRunOption = False,
    wait: WaitOption = False,
    timeout: TimeoutOption = 3600,
    home: HomeOption = DEFAULT_HOME,
    as_json: JsonOption = False,
) -> None:
    """Run landed files, by the day they landed, through the pipeline of today once more.

    Where nothing changed the tables stay the same; where today's code reads a line otherwise, its row is corrected.
    """
    if source not in SOURCES:
        fail(f"--source {source}: a source is one of {', '.join(SOURCES)}")
    first_day, last_day = _days(first, last)
    if first_day is None or last_day is None:
        fail("name the days of landing: --from and --to")
    with connected(home) as cloud:
        if dry_run:
            files = list_reprocessable(cloud.session, source, first_day, last_day)
            tell({"dry_run": True, "files": len(files), "rows": sum(f.rows for f in files)}, "reprocessed", as_json)
            return
        order = Order(str(uuid.uuid4()), operator(cloud), "reprocess", {"source": source, **_named(first, last)}, {})
        publisher = CloudPublisher(cloud.settings.project)
        result = order_reprocess(cloud.session, publisher, order, source, first_day, last_day)
        ids = result.pop("file_ids")
        if wait and ids:
            _follow(cloud, ids, timeout)
    tell(result, "reprocessed", as_json)


def _follow(cloud: Cloud, ids: list[str], timeout: float) -> None:
    try:
        for _ in follow(cloud.session, ids, timeout):
            continue
    except TimeoutError as exc:
        fail(f"{exc}; look with `sluice status`", 1)


def refeed(
    first: FromOption = None,
    last: ToOption = None,
    wait: WaitOption = False,
    timeout: TimeoutOption = 3600,
    home: HomeOption = DEFAULT_HOME,
    as_json: JsonOption = False,
) -> None:
    """Feed BigQuery anew from Postgres: everything (needed after a restore), or some days of sale.

    The next run of enrich takes the order. What BigQuery holds in that scope and Postgres does not is deleted.
    """
    first_day, last_day = _days(first, last)
    with connected(home) as cloud:
        order = Order(str(uuid.uuid4()), operator(cloud), "refeed", _named(first, last), {})
        result = order_refeed(cloud.session, cloud.warehouse, order, first_day, last_day)

        def built() -> int:
            state = rows_of(cloud.session, "follow_refeed", order_id=result["order_id"])[0][1]
            return int(state in END_STATES)

        if wait:
            wait_for(built, 1, "refeeds built into the mart", timeout, quiet=as_json)
    tell(result, "refeed ordered", as_json)


def _days(first: str | None, last: str | None) -> tuple[date | None, date | None]:
    first_day, last_day = day_of(first), day_of(last)
    if (first_day is None) != (last_day is None):
        fail("--from and --to go together")
    if first_day and last_day and last_day < first_day:
        fail("--to lies before --from")
    return first_day, last_day


def _named(first: str | None, last: str | None) -> dict[str, str | None]:
    return {"from": first, "to": last}
