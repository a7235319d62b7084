"""Watching: `sluice quality` and `alerts`."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import asdict
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated

import typer

from cli.cloud import DEFAULT_HOME, HomeOption, JsonOption, connected
from cli.output import console, print_json, print_table
from shared.adapters.quality import kept
from shared.adapters.queries import rows_of
from shared.alert_kinds import runbook_anchor
from shared.domain.quality.judging import Result
from shared.domain.quality.rules import WEIGHTS
from shared.domain.quality.scoring import Score, score

BARS = "▁▂▃▄▅▆▇█"
TREND_DAYS = 30
SHOWN = 30
ALERT_COLUMNS = (
    "alert_id", "kind", "severity", "subject", "told", "state", "seen", "raised_at", "last_seen_at", "delivered_at",
    "refused_status",
)  # fmt: skip


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command(epilog="Example:  sluice quality --dataset transactions --from 2026-03-01")(quality)
    app.command(epilog="Example:  sluice alerts --json")(alerts)


def quality(
    dataset: Annotated[str | None, typer.Option(help="Only this: a source, sales, or reconcile.")] = None,
    first: Annotated[datetime | None, typer.Option("--from", formats=["%Y-%m-%d"], help="First day.")] = None,
    last: Annotated[datetime | None, typer.Option("--to", formats=["%Y-%m-%d"], help="Last day.")] = None,
    home: HomeOption = DEFAULT_HOME,
    as_json: JsonOption = False,
) -> None:
    """Scores, their trend and parts, and what breaks a rule. Exit code 1 where a critical rule is broken."""
    with connected(home) as cloud:
        results = kept(
            cloud.session, dataset=dataset, first_day=first.date() if first else None,
            last_day=last.date() if last else None,
        )  # fmt: skip
    breaches = [one for one in results if not one.passed]
    scores = _scores(results)
    if as_json:
        print_json(
            {
                "scores": [
                    {"dataset": name, "day": day, "score": found.total, "parts": dict(found.parts)}
                    for name, days in scores.items()
                    for day, found in days.items()
                ],
                "breaches": [_as_json(one) for one in breaches],
            }
        )
    else:
        _print(scores, breaches)
    if any(one.severity == "critical" for one in breaches):
        raise typer.Exit(1)


def _scores(results: Sequence[Result]) -> dict[str, dict[date, Score]]:
    grouped: dict[str, dict[date, list[Result]]] = defaultdict(lambda: defaultdict(list))
    for one in results:
        grouped[one.dataset][one.day].append(one)
    return {name: {day: score(some) for day, some in sorted(days.items())} for name, days in grouped.items()}


def _print(scores: dict[str, dict[date, Score]], breaches: list[Result]) -> None:
    if not scores:
        console.print("nothing is measured; check_quality runs every 15 minutes, `sluice trigger check_quality` now")
        return
    latest = {name: max(days) for name, days in scores.items()}
    print_table(
        "Scores", ["dataset", "newest day", "score", "trend", "days"],
        [
            (name, latest[name], days[latest[name]].total, trend([one.total for one in days.values()]), len(days))
            for name, days in scores.items()
        ],
    )  # fmt: skip
    parts = [part for part in WEIGHTS if any(part in days[latest[name]].parts for name, days in scores.items())]
    print_table(
        "Parts of the newest score", ["dataset", *parts],
        [(name, *(days[latest[name]].parts.get(part, "") for part in parts)) for name, days in scores.items()],
    )  # fmt: skip
    newest = sorted(breaches, key=lambda one: (one.severity != "critical", -one.day.toordinal(), one.dataset, one.rule))
    print_table(
        "Broken rules", ["severity", "dataset", "day", "rule", "value", "asked", "rows"],
        [
            (one.severity, one.dataset, one.day, f"{one.rule} {one.subject}".strip(), _plain(one.value),
             _plain(one.threshold), one.rows)
            for one in newest[:SHOWN]
        ],
    )  # fmt: skip
    if len(breaches) > SHOWN:
        console.print(f"… and {len(breaches) - SHOWN:,} more; --json shows all.")


def trend(scores: Sequence[Decimal]) -> str:
    """The newest scores as bars, from 0 to 100."""
    return "".join(BARS[min(int(one) * len(BARS) // 100, len(BARS) - 1)] for one in scores[-TREND_DAYS:])


def _plain(value: Decimal) -> str:
    return f"{value.normalize():f}"


def _as_json(one: Result) -> dict[str, object]:
    left_out = {"scope", "told"}
    return {name: value for name, value in asdict(one).items() if name not in left_out}


def alerts(
    most: Annotated[int, typer.Option(help="Alerts to show.", min=1)] = 50,
    home: HomeOption = DEFAULT_HOME,
    as_json: JsonOption = False,
) -> None:
    """List what somebody must look at, newest first, with where to read what to do."""
    with connected(home) as cloud:
        url = cloud.settings.runbook_url
        rows = [dict(zip(ALERT_COLUMNS, row, strict=True)) for row in rows_of(cloud.session, "list_alerts", most=most)]
    listed = [{**row, "runbook": f"{url}#{runbook_anchor(row['kind'])}"} for row in rows]
    if as_json:
        print_json(listed)
        return
    shown = ("raised_at", "severity", "subject", "told", "state", "seen", "runbook")
    print_table(
        "Alerts", ["raised", "severity", "about", "what was found", "state", "seen", "what to do"],
        [(f"{row['raised_at']:%Y-%m-%d %H:%M}", *(row[name] for name in shown[1:])) for row in listed],
    )  # fmt: skip
