"""The installation that `--env-file` names: its variables take the place of those of the shell.

A file holds KEY=VALUE lines, or the JSON of `terraform output -json environment` (or of all outputs). Of several files
the later one wins, so that a tunnel's DATABASE_URL can stand in a small file of its own.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable, MutableMapping
from pathlib import Path
from typing import Annotated, Any

import typer

from cli.output import fail

OUTPUT = "environment"
"""The output of Terraform that holds the variables."""
OF_A_CLOUD = (
    "GOOGLE_CLOUD_PROJECT", "REGION", "LANDING_BUCKET", "LAKE_BUCKET", "QUARANTINE_BUCKET", "STORAGE_EMULATOR_HOST",
    "PUBSUB_EMULATOR_HOST", "BIGQUERY_EMULATOR_HOST", "BIGQUERY_LOCATION", "DATABASE_URL", "CLOUDSQL_INSTANCE",
    "CLOUDSQL_USER", "CLOUDSQL_DATABASE", "FUNCTIONS_URL", "FUNCTION_URLS", "SCHEDULER_URL", "PRODUCT_API_URL",
    "PRODUCT_API_DATA", "BASE_CURRENCY", "RUNBOOK_URL", "OPERATORS", "ALERT_WEBHOOK_URL",
)  # fmt: skip
"""Variables that say which cloud this is: none of the shell's is mixed with those of a file."""
_LINE = re.compile(r"(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)=(.*)")


EnvFileOption = Annotated[
    list[Path] | None,
    typer.Option(
        "--env-file", envvar="SLUICE_ENV_FILE", exists=True, dir_okay=False, readable=True,
        help="Variables of an installation: KEY=VALUE lines, or `terraform output -json environment`. Repeatable.",
    ),
]  # fmt: skip


class BadEnvironment(Exception):
    """A file of variables cannot be read; the message says where."""


def read_environment(files: Iterable[Path]) -> dict[str, str]:
    """The variables of all files; an address of the database goes before the instance. Raises BadEnvironment."""
    found: dict[str, str] = {}
    for file in files:
        read = _read(file)
        if read.get("DATABASE_URL"):
            read.setdefault("CLOUDSQL_INSTANCE", "")
        found |= read
    return found


def use_environment(found: dict[str, str], environ: MutableMapping[str, str] | None = None) -> None:
    """Put the variables in the place of the shell's, also of those that the files do not name."""
    target = os.environ if environ is None else environ
    for name in OF_A_CLOUD:
        target.pop(name, None)
    target.update(found)


def take_environment(files: list[Path] | None) -> None:
    """Use the variables of the files that a command names; a file that cannot be read ends it."""
    if files:
        try:
            use_environment(read_environment(files))
        except BadEnvironment as exc:
            fail(str(exc))


def _read(file: Path) -> dict[str, str]:
    text = file.read_text(encoding="utf-8", errors="replace")
    return _of_json(file, text) if text.lstrip().startswith("{") else _of_lines(file, text)


def _of_lines(file: Path, text: str) -> dict[str, str]:
    found = {}
    for number, line in enumerate(text.splitlines(), 1):
        stripped = line.strip()
        if not stripped or stripped.startswith("#"):
            continue
        match = _LINE.fullmatch(stripped)
        if match is None:
            raise BadEnvironment(f"{file}, line {number}: write NAME=VALUE")
        name, value = match[1], match[2].strip()
        quoted = len(value) > 1 and value[0] == value[-1] and value[0] in "'\""
        found[name] = value[1:-1].replace('\\"', '"') if quoted else value
    return found


def _of_json(file: Path, text: str) -> dict[str, str]:
    try:
        document: dict[str, Any] = json.loads(text)
    except ValueError as exc:
        raise BadEnvironment(f"{file}: {exc}; write `terraform output -json environment` to it") from exc
    output = document.get(OUTPUT)
    if isinstance(output, dict) and isinstance(output.get("value"), dict):
        document = output["value"]
    elif any(isinstance(value, dict) and "value" in value for value in document.values()):
        raise BadEnvironment(f"{file}: no output `{OUTPUT}` is in it; is it of this release's Terraform?")
    return {name: value if isinstance(value, str) else _plain(value) for name, value in document.items()}


def _plain(value: Any) -> str:
    return "" if value is None else json.dumps(value)
