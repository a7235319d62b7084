"""Every SQL statement of the documentation is one that the database takes."""

from __future__ import annotations

import re
from pathlib import Path

from shared.adapters.postgres import Session

DOCS = Path(__file__).resolve().parents[3] / "docs"


def test_every_statement_of_a_page_runs_read_only(session: Session) -> None:
    statements = {
        statement
        for page in DOCS.glob("*.md")
        for statement in re.findall(r'sluice sql "([^"]+)"', page.read_text(encoding="utf-8"))
    }
    assert len(statements) > 10
    for statement in statements:
        with session.transaction("READ ONLY"):
            session.rows(statement)
