"""The runbook has a section for every alert, reason code and file rejection of the code, and for nothing else."""

from __future__ import annotations

import re
from typing import get_args

import pytest

from shared.alert_kinds import AlertKind, runbook_anchor
from tests.test_docs import REJECTIONS, passed_to, reason_codes, section, text

RUNBOOK = "docs/runbook.md"
ALERTS = [runbook_anchor(kind) for kind in get_args(AlertKind)]
HEADINGS = re.findall(r"^## (.+)$", text(RUNBOOK), re.MULTILINE)
FAILURES = [heading for heading in HEADINGS if heading not in {*ALERTS, "Reason codes", "File rejections"}]


def codes(heading: str) -> list[str]:
    return re.findall(r"^### (\w+)$", section(RUNBOOK, heading), re.MULTILINE)


def test_every_kind_of_alert_has_a_section_and_every_such_section_a_kind() -> None:
    assert [heading for heading in HEADINGS if re.fullmatch(r"[a-z-]+", heading)] == ALERTS


@pytest.mark.parametrize("heading", [*ALERTS, *FAILURES])
def test_a_section_says_what_it_means_where_to_look_what_to_do_and_when_it_is_over(heading: str) -> None:
    parts = re.findall(r"^\*\*(Means\.|Look\.|Do\.|Over when)\*\*", section(RUNBOOK, f"## {heading}"), re.MULTILINE)
    assert parts == ["Means.", "Look.", "Do.", "Over when"]


def test_every_reason_code_has_a_section_and_every_such_section_a_code() -> None:
    found = codes("## Reason codes")
    assert sorted(found) == sorted(reason_codes())


def test_every_file_rejection_has_a_section_and_every_such_section_a_rejection() -> None:
    found = codes("## File rejections")
    assert sorted(found) == sorted(passed_to(REJECTIONS))


@pytest.mark.parametrize("heading", ["## Reason codes", "## File rejections"])
def test_a_code_says_what_it_means_and_what_to_do(heading: str) -> None:
    for body in re.split(r"^### ", section(RUNBOOK, heading), flags=re.MULTILINE)[1:]:
        assert re.findall(r"\*\*(Means|Do)\*\*", body) == ["Means", "Do"], body[:30]
