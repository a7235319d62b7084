"""Asking: `sluice report`, the standard reports as a table, CSV, JSON or a plot."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from typing import Annotated

import typer

from cli.cloud import DEFAULT_HOME, HomeOption, JsonOption, connected
from cli.output import console, errors, fail, print_table
from cli.plotting import drawn
from shared.adapters.reports import Answer, answer_as_json, catalogue, run_report
from shared.domain.report_text import as_csv, catalogue_as_json
from shared.errors import OrderRefused


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(epilog="Example:  sluice report revenue_by_day --from 2026-11-01 --to 2026-11-30 --plot")(report)


def report(
    name: Annotated[str | None, typer.Argument(help="Which report; without it they are listed.")] = None,
    first: Annotated[str | None, typer.Option("--from", metavar="YYYY-MM-DD", help="First day.")] = None,
    last: Annotated[str | None, typer.Option("--to", metavar="YYYY-MM-DD", help="Last day; else yesterday.")] = None,
    currency: Annotated[str | None, typer.Option(help="Only sales made in this currency.")] = None,
    limit: Annotated[str | None, typer.Option(help="Rows at most.", metavar="N")] = None,
    param: Annotated[
        list[str] | None, typer.Option(metavar="NAME=VALUE", help="Another parameter, such as category=Toys.")
    ] = None,
    csv: Annotated[bool, typer.Option("--csv", help="Print CSV.")] = False,
    plot: Annotated[bool, typer.Option("--plot", help="Draw the report instead.")] = False,
    home: HomeOption = DEFAULT_HOME,
    as_document: JsonOption = False,
) -> None:
    """Run a standard report over the marts, or list them."""
    if csv + plot + as_document > 1:
        fail("choose one of --csv, --json and --plot")
    named = {"from": first, "to": last, "currency": currency, "limit": limit}
    given = [(key, value) for key, value in named.items() if value is not None] + [_pair(text) for text in param or []]
    if name is None:
        _list(given, as_document)
        return
    answer = _run(name, given, home)
    if as_document:
        sys.stdout.write(answer_as_json(answer).decode() + "\n")
    elif csv:
        sys.stdout.write(as_csv(answer.report.columns, answer.rows))
    elif not answer.rows:
        console.print(f"{answer.report.title}: nothing there{_period(answer)}")
    elif plot:
        sys.stdout.write(drawn(answer.report, answer.rows, console.width, colour=sys.stdout.isatty()) + "\n")
    else:
        title = f"{answer.report.title}{_period(answer)}: {len(answer.rows):,} rows"
        print_table(title, [column.name for column in answer.report.columns], answer.rows)
    if answer.has_more:
        errors.print(f"stopped at {len(answer.rows):,} rows; --limit shows more", highlight=False)


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals:
        fail(f"--param {text}: write NAME=VALUE")
    return name, value


def _list(given: list[tuple[str, str]], as_document: bool) -> None:
    if given:
        fail(f"name the report that {given[0][0]} is for")
    if as_document:
        sys.stdout.write(catalogue_as_json(catalogue()).decode() + "\n")
        return
    print_table(
        "Reports", ["report", "question", "parameters"],
        [(name, one.question, ", ".join(one.parameters)) for name, one in catalogue().reports.items()],
    )  # fmt: skip


def _run(name: str, given: list[tuple[str, str]], home: HomeOption) -> Answer:
    """The report; what makes no sense is told before any cloud is asked."""
    today = datetime.now(UTC).date()
    try:
        catalogue().read(catalogue().find(name), given, today)
        with connected(home) as cloud:
            most_bytes = cloud.settings.report_max_bytes
            return run_report(name, given, today, warehouse=cloud.warehouse, most_bytes=most_bytes)
    except OrderRefused as exc:
        fail(str(exc))


def _period(answer: Answer) -> str:
    return f", {answer.parameters['from']} to {answer.parameters['to']}" if "from" in answer.parameters else ""
