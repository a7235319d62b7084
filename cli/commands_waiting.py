"""What waits for an operator: `sluice held list|release|reject` and `sluice deadletter list|replay`."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import typer

from cli.cloud import DEFAULT_HOME, HomeOption, JsonOption, connected
from cli.orders import (
    ChunkOption,
    DayOption,
    DryRunOption,
    FileOption,
    ForceOption,
    SourceOption,
    TimeoutOption,
    WaitOption,
    day_of,
    filters,
    give,
    now_utc,
    tell,
    wait_for,
)
from cli.output import print_json, print_table
from shared.adapters.choosing import Chosen
from shared.adapters.deadletters import DeadLetters
from shared.adapters.deciding import list_held
from shared.adapters.operations import Ask

FunctionOption = Annotated[str | None, typer.Option(help="Only messages that this function could not handle.")]
TopicOption = Annotated[str | None, typer.Option(help="Only messages of this topic.")]
MessageOption = Annotated[str | None, typer.Option("--message", help="Only this message id.")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    held = typer.Typer(
        help="Chunks of which more than half is bad: nothing of them is loaded before you decide.", no_args_is_help=True
    )
    held.command("list", epilog="Example:  sluice held list --json")(held_list)
    held.command("release", epilog="Example:  sluice held release --chunk 3f…-000000 --wait")(held_release)
    held.command("reject", epilog="Example:  sluice held reject --file wrong-export --wait")(held_reject)
    app.add_typer(held, name="held")
    letters = typer.Typer(help="Messages that failed too often: look, and send them again.", no_args_is_help=True)
    letters.command("list", epilog="Example:  sluice deadletter list --function validate")(deadletter_list)
    letters.command("replay", epilog="Example:  sluice deadletter replay --topic chunks")(deadletter_replay)
    app.add_typer(letters, name="deadletter")


def held_list(
    source: SourceOption = None,
    file: FileOption = None,
    day: DayOption = None,
    chunk: ChunkOption = None,
    home: HomeOption = DEFAULT_HOME,
    as_json: JsonOption = False,
) -> None:
    """List held chunks, oldest first."""
    with connected(home) as cloud:
        found = list_held(cloud.session, Chosen(source, None, file, day_of(day), chunk))
    if as_json:
        print_json([each.as_fields() for each in found])
    else:
        print_table(
            "Held chunks", ["chunk", "source", "file", "rows", "bad", "since", "decision"],
            [(h.chunk_id, h.source, h.file, h.received, h.bad, f"{h.held_at:%F %T}", h.decision) for h in found],
        )  # fmt: skip


def held_release(
    source: SourceOption = None,
    file: FileOption = None,
    day: DayOption = None,
    chunk: ChunkOption = None,
    dry_run: DryRunOption = False,
    wait: WaitOption = False,
    timeout: TimeoutOption = 600,
    home: HomeOption = DEFAULT_HOME,
    as_json: JsonOption = False,
) -> None:
    """Load held chunks: their good rows, and their bad ones into quarantine."""
    chosen = {"source": source, "file": file, "day": day_of(day), "chunk": chunk}
    _decide("release", chosen, dry_run, wait, timeout, home, as_json)


def held_reject(
    source: SourceOption = None,
    file: FileOption = None,
    day: DayOption = None,
    chunk: ChunkOption = None,
    dry_run: DryRunOption = False,
    wait: WaitOption = False,
    timeout: TimeoutOption = 600,
    home: HomeOption = DEFAULT_HOME,
    as_json: JsonOption = False,
) -> None:
    """Quarantine every row of held chunks, as operator_rejected."""
    chosen = {"source": source, "file": file, "day": day_of(day), "chunk": chunk}
    _decide("reject", chosen, dry_run, wait, timeout, home, as_json)


def _decide(
    action: Literal["release", "reject"], given: dict[str, Any], dry_run: bool, wait: bool, timeout: float, home: Any,
    as_json: bool,
) -> None:  # fmt: skip
    chosen = filters(**given)
    decision = "released" if action == "release" else "rejected"
    with connected(home) as cloud:
        result = give(cloud, Ask(action=action, filters=chosen, dry_run=dry_run))

        def loaded() -> int:
            waiting = [held for held in list_held(cloud.session, chosen.chosen) if held.decision == decision]
            return max(int(result["chunks"]) - len(waiting), 0)

        if wait and not dry_run:
            wait_for(loaded, result["chunks"], "chunks loaded", timeout, quiet=as_json)
    tell(result, decision, as_json)


def deadletter_list(
    function: FunctionOption = None,
    topic: TopicOption = None,
    home: HomeOption = DEFAULT_HOME,
    as_json: JsonOption = False,
) -> None:
    """List dead letters: what they are about and how old they are, never what is in them."""
    chosen = filters(function=function, topic=topic)
    with connected(home) as cloud:
        found = [each.as_fields(now_utc()) for each in DeadLetters(cloud.settings.project).peek(chosen.wants)]
    if as_json:
        print_json(found)
    else:
        columns = ["message_id", "function", "topic", "about", "age_seconds", "bytes", "attempts", "redrives"]
        print_table("Dead letters", columns, [[each[name] for name in columns] for each in found])


def deadletter_replay(
    function: FunctionOption = None,
    topic: TopicOption = None,
    message: MessageOption = None,
    force: ForceOption = False,
    dry_run: DryRunOption = False,
    home: HomeOption = DEFAULT_HOME,
    as_json: JsonOption = False,
) -> None:
    """Send dead letters to their topic again, each with its identity."""
    chosen = filters(function=function, topic=topic, message_id=message)
    with connected(home) as cloud:
        result = give(cloud, Ask(action="deadletter", filters=chosen, force=force, dry_run=dry_run))
    tell(result, "sent again", as_json)
