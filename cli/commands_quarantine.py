"""Rows that could not be loaded: `sluice quarantine list`, `show`, `stats`, `replay` and `discard`."""

from __future__ import annotations

from typing import Annotated

import typer

from cli.cloud import DEFAULT_HOME, HomeOption, JsonOption, connected
from cli.orders import (
    ChunkOption,
    DayOption,
    DryRunOption,
    FileOption,
    ForceOption,
    LineOption,
    ReasonOption,
    SourceOption,
    TimeoutOption,
    WaitOption,
    day_of,
    filters,
    give,
    tell,
    wait_for,
)
from cli.output import console, fail, print_json, print_table
from shared.adapters.choosing import Chosen
from shared.adapters.operations import Ask
from shared.adapters.queries import rows_of
from shared.adapters.raw_rows import RawRows

SHOWN_BYTES = 4096


def register(app: typer.Typer) -> None:
    """Add the commands."""
    group = typer.Typer(
        help="Rows that could not be loaded: which, why, their raw text; replay or discard them.", no_args_is_help=True
    )
    group.command("list", epilog="Example:  sluice quarantine list --reason malformed_json")(quarantine_list)
    group.command("show", epilog="Example:  sluice quarantine show 3f…-000000 17")(quarantine_show)
    group.command("stats", epilog="Example:  sluice quarantine stats --json")(quarantine_stats)
    group.command(
        "replay",
        epilog="Examples:  sluice quarantine replay --reason unknown_currency --wait  |  "
        "sluice quarantine replay --source transactions --chunk 3f…-000000 --line 17 --set currency=GBP",
    )(quarantine_replay)
    group.command(
        "discard", epilog='Example:  sluice quarantine discard --file test.ndjson --why "a test of the exporter"'
    )(quarantine_discard)
    app.add_typer(group, name="quarantine")


def quarantine_list(
    source: SourceOption = None,
    reason: ReasonOption = None,
    file: FileOption = None,
    day: DayOption = None,
    chunk: ChunkOption = None,
    line: LineOption = None,
    discarded: Annotated[bool, typer.Option("--discarded", help="Discarded rows too.")] = False,
    most: Annotated[int, typer.Option(help="Rows to show.", min=1)] = 50,
    home: HomeOption = DEFAULT_HOME,
    as_json: JsonOption = False,
) -> None:
    """List quarantined rows with their reasons, newest first."""
    chosen = Chosen(source, reason, file, day_of(day), chunk, line)
    with connected(home) as cloud:
        rows = rows_of(cloud.session, "list_quarantine", discarded=discarded, most=most, **chosen.params())
    columns = (
        "chunk_id", "line", "source", "reason", "fields", "file", "attempt", "discarded", "quarantined_at",
    )  # fmt: skip
    if as_json:
        print_json([dict(zip(columns, row, strict=True)) for row in rows])
    else:
        print_table(
            "Quarantine", ["chunk", "line", "source", "reason", "what was wrong", "file", "attempt"],
            [(row[0], row[1], row[2], row[3], _told(row[4]), row[5], row[6]) for row in rows],
        )  # fmt: skip


def _told(fields: dict[str, list[str]] | None) -> str:
    return "; ".join(
        f"{name}: {', '.join(texts)}" if name else ", ".join(texts) for name, texts in (fields or {}).items()
    )


def quarantine_show(
    chunk: Annotated[str, typer.Argument(help="Chunk id, from `sluice quarantine list`.")],
    line: Annotated[int, typer.Argument(help="Line number.")],
    home: HomeOption = DEFAULT_HOME,
    as_json: JsonOption = False,
) -> None:
    """Show one quarantined row with its raw text (which may hold personal data)."""
    with connected(home) as cloud:
        rows = rows_of(cloud.session, "show_quarantined", chunk_id=chunk, line=line)
        if not rows:
            fail(f"no quarantined row at line {line} of chunk {chunk}; see `sluice quarantine list`")
        facts, reason, fields, row_id, attempt, at, discarded, raw_object, offset, length = rows[0]
        raw = RawRows(facts, cloud.store, cloud.settings).text(line, raw_object, offset, length)
    shown = {
        "chunk": chunk, "line": line, "file": facts["file"] or "stream", "source": facts["source"], "reason": reason,
        "fields": fields, "row_id": row_id, "attempt": attempt, "quarantined_at": at, "discarded": discarded,
        "raw": raw[:SHOWN_BYTES].decode("utf-8", "replace"),
    }  # fmt: skip
    if as_json:
        print_json(shown)
    else:
        for name, value in shown.items():
            console.print(f"[bold]{name:15}[/bold]", end="")
            console.print(_told(value) if name == "fields" else str(value), markup=False, highlight=False)


def quarantine_stats(home: HomeOption = DEFAULT_HOME, as_json: JsonOption = False) -> None:
    """Count quarantined rows by source, reason and day."""
    with connected(home) as cloud:
        rows = rows_of(cloud.session, "sum_quarantine_days")
    columns = ["source", "reason", "day", "rows", "discarded", "most_attempts"]
    if as_json:
        print_json([dict(zip(columns, row, strict=True)) for row in rows])
    else:
        print_table("Quarantine", columns, rows)


def quarantine_replay(
    source: SourceOption = None,
    reason: ReasonOption = None,
    file: FileOption = None,
    day: DayOption = None,
    chunk: ChunkOption = None,
    line: LineOption = None,
    values: Annotated[
        list[str] | None, typer.Option("--set", help="FIELD=VALUE, set in each row first; may be repeated.")
    ] = None,
    force: ForceOption = False,
    dry_run: DryRunOption = False,
    wait: WaitOption = False,
    timeout: TimeoutOption = 600,
    home: HomeOption = DEFAULT_HOME,
    as_json: JsonOption = False,
) -> None:
    """Run quarantined rows through the pipeline of today once more; what is good then leaves quarantine."""
    pairs = [value.partition("=") for value in values or []]
    for name, equals, _ in pairs:
        if not name or not equals:
            fail(f"--set {name}: write FIELD=VALUE")
    chosen = filters(source=source, reason=reason, file=file, day=day_of(day), chunk=chunk, line=line)
    ask = Ask(
        action="replay", filters=chosen, set={name: value for name, _, value in pairs}, force=force, dry_run=dry_run
    )  # fmt: skip
    with connected(home) as cloud:
        result = give(cloud, ask)
        if wait and not dry_run:

            def judged() -> int:
                return int(rows_of(cloud.session, "count_replayed", action_id=result["action_id"])[0][0])

            wait_for(judged, result["rows"], "rows judged again", timeout, quiet=as_json)
    tell(result, "replayed", as_json)


def quarantine_discard(
    why: Annotated[str, typer.Option(help="Why they are given up; it is kept.")],
    source: SourceOption = None,
    reason: ReasonOption = None,
    file: FileOption = None,
    day: DayOption = None,
    chunk: ChunkOption = None,
    line: LineOption = None,
    dry_run: DryRunOption = False,
    home: HomeOption = DEFAULT_HOME,
    as_json: JsonOption = False,
) -> None:
    """Give up quarantined rows: they stay counted, and are no longer listed or replayed."""
    chosen = filters(source=source, reason=reason, file=file, day=day_of(day), chunk=chunk, line=line)
    with connected(home) as cloud:
        result = give(cloud, Ask(action="discard", filters=chosen, why=why, dry_run=dry_run))
    tell(result, "discarded", as_json)
