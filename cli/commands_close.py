"""The month-end close: `sluice close MONTH` and `sluice close --list`."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from typing import Annotated

import typer

from cli.cloud import DEFAULT_HOME, HomeOption, JsonOption, connected
from cli.orders import DryRunOption, operator, tell
from cli.output import fail, print_json, print_table
from shared.adapters.month_close import CloseAsk, Office, list_closes, perform
from shared.errors import OrderRefused


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("close", epilog="Examples:  sluice close 2026-10 --dry-run  |  sluice close --list")(close)


def close(
    month: Annotated[str, typer.Argument(metavar="[MONTH]", help="The month to close, as YYYY-MM.")] = "",
    listed: Annotated[bool, typer.Option("--list", help="Show the closed months instead.")] = False,
    dry_run: DryRunOption = False,
    home: HomeOption = DEFAULT_HOME,
    as_json: JsonOption = False,
) -> None:
    """Close a month for good: what changes in it later is booked as adjustments of the next one."""
    if listed == bool(month):
        fail("name the month to close (YYYY-MM), or ask for --list")
    if listed:
        _show(home, as_json)
        return
    with connected(home) as cloud:
        office = Office(cloud.session, cloud.warehouse, cloud.settings.base_currency, datetime.now(UTC))
        try:
            result = perform(CloseAsk(month=month, dry_run=dry_run), str(uuid.uuid4()), operator(cloud), office)
        except OrderRefused as exc:
            fail(f"{exc.reason}: {exc}", 2 if exc.reason == "malformed" else 1)
    sums = {name: f"{result[name]:,}" for name in ("gross_base", "refunds_base", "net_base")}
    told = f"{month} closed (gross {sums['gross_base']}, refunds {sums['refunds_base']}, net {sums['net_base']})"
    tell(result, told, as_json)


def _show(home: HomeOption, as_json: bool) -> None:
    with connected(home) as cloud:
        found = list_closes(cloud.session)
    if as_json:
        print_json(found)
        return
    columns = ["month", "lines", "adjustments", "transactions", "net_base", "base_currency", "operator"]
    rows = [[close[name] for name in columns] + [f"{close['closed_at']:%F %T}"] for close in found]
    print_table("Closed months", [*columns, "closed"], rows)
