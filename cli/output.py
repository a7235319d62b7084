"""How the command line speaks: tables for people, one JSON document for scripts, one clear line for a mistake.

Exit codes: 0 all is well; 1 the answer is no (not balanced, rejected, timed out); 2 the command was used wrongly.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NoReturn

import typer
from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

PIPED_WIDTH = 120
console = Console(width=None if sys.stdout.isatty() else PIPED_WIDTH)
errors = Console(stderr=True)
NARROW = 24
"""Characters that a column of text keeps on a narrow terminal."""


def fail(message: str, code: int = 2) -> NoReturn:
    """One line on standard error, and out."""
    errors.print(f"[red]error:[/red] {escape(message)}", highlight=False, soft_wrap=True)
    raise typer.Exit(code)


def print_json(value: object) -> None:
    """One JSON document on standard output; decimals and times as text."""
    sys.stdout.write(json.dumps(value, default=str, ensure_ascii=False) + "\n")


def print_table(title: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """A table; numbers stand right."""
    table = Table(title=title, title_justify="left", header_style="bold", box=box.SIMPLE_HEAD, pad_edge=False)
    listed = [list(row) for row in rows]
    for index, column in enumerate(columns):
        number = bool(listed) and all(
            isinstance(row[index], int | float) or hasattr(row[index], "quantize") for row in listed
        )
        longest = max((len(_text(row[index])) for row in listed), default=0)
        least = longest if number else min(max(longest, len(column)), NARROW)
        table.add_column(column, justify="right" if number else "left", overflow="fold", min_width=least)
    for row in listed:
        table.add_row(*["" if value is None else _text(value) for value in row])
    console.print(table)


def _text(value: object) -> str:
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)


def print_mapping(title: str, mapping: Mapping[str, Any]) -> None:
    """Names and values."""
    print_table(title, ["", ""], mapping.items())
