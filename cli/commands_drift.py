"""`sluice drift`: fields that are new, retyped or vanished; what to change; and what an operator has accepted."""

from __future__ import annotations

import getpass
import json
from collections.abc import Iterable
from dataclasses import asdict
from typing import Annotated, Any

import typer
from marshmallow import ValidationError

from cli.cloud import DEFAULT_HOME, HomeOption, JsonOption, connected
from cli.drift_proposal import SAMPLES, Proposal, propose_new, propose_retyped, propose_vanished
from cli.output import console, fail, print_json, print_table
from shared.adapters.migrations import read_migrations
from shared.adapters.postgres import Session
from shared.adapters.queries import rows_of
from shared.schemas.rows import SCHEMAS

COLUMNS = (
    "source", "field", "state", "types", "rows", "first_seen_at", "last_seen_at", "chunk", "status", "accepted_by",
    "was",
)  # fmt: skip
FieldArgument = Annotated[str, typer.Argument(metavar="SOURCE.FIELD", help="Such as products.colour.")]
Finding = dict[str, Any]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    drift = typer.Typer(invoke_without_command=True)
    drift.callback(epilog="Examples:  sluice drift  |  sluice drift --all --json")(drift_list)
    drift.command(epilog="Example:  sluice drift propose products.colour")(propose)
    drift.command(epilog="Example:  sluice drift accept products.colour")(accept)
    app.add_typer(drift, name="drift")


def drift_list(
    context: typer.Context,
    everything: Annotated[bool, typer.Option("--all", help="Also what is accepted or over.")] = False,
    home: HomeOption = DEFAULT_HOME,
    as_json: JsonOption = False,
) -> None:
    """List fields that are new, came with another JSON type, or vanished; `propose` says what to change."""
    if context.invoked_subcommand:
        return
    with connected(home) as cloud:
        found = [each for each in _findings(cloud.session) if everything or each["status"] == "open"]
    if as_json:
        print_json(found)
        return
    print_table(
        "Schema drift", ["field", "state", "types", "rows", "since", "status"],
        [(f"{each['source']}.{each['field']}", each["state"], ", ".join(each["types"]), each["rows"],
          f"{each['first_seen_at']:%Y-%m-%d %H:%M}", each["status"]) for each in found],
    )  # fmt: skip


def propose(name: FieldArgument, home: HomeOption = DEFAULT_HOME, as_json: JsonOption = False) -> None:
    """Print the change to the schema, to Postgres and to BigQuery that a field asks for, made from its types."""
    source, field = _parted(name)
    with connected(home) as cloud:
        findings = _findings(cloud.session)
    mine = [each for each in findings if (each["source"], each["field"]) == (source, field)]
    if not mine:
        fail(f"{name} has not drifted; see `sluice drift --all`")
    proposals = {each["state"]: _proposal(each, findings) for each in mine}
    if as_json:
        print_json({state: asdict(proposal) for state, proposal in proposals.items()})
        return
    for state, proposal in proposals.items():
        _show(name, state, proposal)


def accept(
    name: FieldArgument,
    by: Annotated[str, typer.Option("--by", help="Who accepts it.", show_default="you")] = "",
    home: HomeOption = DEFAULT_HOME,
    as_json: JsonOption = False,
) -> None:
    """Take note of the drift of a field: it is not shown as open and raises no alert any more."""
    source, field = _parted(name)
    with connected(home) as cloud:
        who = by or cloud.account or getpass.getuser()
        done = rows_of(cloud.session, "accept_drift", source=source, field=field, operator=who)
    if not done:
        fail(f"{name} has no drift to accept; see `sluice drift --all`")
    if as_json:
        print_json([{"state": state, "type": kind} for state, kind in done])
    else:
        console.print(f"accepted {name}: {', '.join(f'{state} ({kind})' for state, kind in done)}", markup=False)


def _parted(name: str) -> tuple[str, str]:
    source, _, field = name.partition(".")
    if source not in SCHEMAS or not field:
        fail(f"{name}: give SOURCE.FIELD; a source is one of {', '.join(SCHEMAS)}")
    return source, field


def _findings(session: Session) -> list[Finding]:
    return [dict(zip(COLUMNS, row, strict=True)) for row in rows_of(session, "list_drift")]


def _proposal(finding: Finding, findings: list[Finding]) -> Proposal:
    source, field, types = finding["source"], finding["field"], finding["types"]
    if finding["state"] == "new":
        return propose_new(source, field, types.keys(), len(read_migrations()) + 1)
    if finding["state"] == "retyped":
        return propose_retyped(source, field, types, finding["was"] or (), _is_read(source, field, types))
    known = SCHEMAS[source].fields.get(field)
    new = [f["field"] for f in findings if (f["source"], f["state"], f["status"]) == (source, "new", "open")]
    return propose_vanished(source, field, bool(known and known.required), new)


def _is_read(source: str, field: str, types: Iterable[str]) -> bool:
    """Whether the schema takes values of these types; of texts nobody knows."""
    known = SCHEMAS[source].fields.get(field)
    try:
        for kind in types:
            if known is None or kind not in SAMPLES:
                return False
            known.deserialize(SAMPLES[kind])
    except ValidationError:
        return False
    return True


def _show(name: str, state: str, proposal: Proposal) -> None:
    def say(text: str, style: str = "") -> None:
        console.print(text, style=style, markup=False, highlight=False, soft_wrap=True)

    say(f"{name}: {state}", "bold")
    parts = {
        f"sql/postgres/migrations/{proposal.migration_name}": proposal.migration,
        proposal.files.get("schema", ""): proposal.schema,
        proposal.files.get("copy_column", ""): proposal.copy_column,
        proposal.files.get("bigquery", ""): proposal.bigquery and json.dumps(proposal.bigquery, indent=2),
    }
    for file, text in parts.items():
        if text:
            say(f"\n{file}", "bold")
            say("\n".join(f"    {line}" for line in text.splitlines()))
    say("\nBesides" if proposal.schema else "\nAdvice", "bold")
    for line in proposal.advice:
        say(f"- {line}")
