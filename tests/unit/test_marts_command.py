"""`sluice marts` says what makes no sense before it asks any cloud."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from cli.main import app


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--from", "2026-03-02", "--to", "2026-03-01"], "--to lies before --from"),
        (["--from", "2.3.2026"], "write a day as YYYY-MM-DD"),
        (["no_mart"], "a mart is one of"),
    ],
)
def test_an_order_to_build_what_cannot_be_is_refused(tmp_path: Path, words: list[str], told: str) -> None:
    done = CliRunner().invoke(app, ["marts", "rebuild", *words, "--home", str(tmp_path)])
    assert done.exit_code != 0
    assert told in done.output
