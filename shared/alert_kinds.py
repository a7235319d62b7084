"""Every kind of alert. Each is a section of docs/runbook.md that says where to look and what to do."""

from __future__ import annotations

from typing import Literal

AlertKind = Literal[
    "extraction_failed",
    "schema_drift",
    "quality_breach",
    "source_stale",
    "anomaly",
    "chunk_held",
    "dead_letters",
    "reconcile_mismatch",
    "mart_check_failed",
    "slow_query",
    "cost_budget",
]

Severity = Literal["warning", "critical"]


def runbook_anchor(kind: AlertKind) -> str:
    """The heading of the kind's section in docs/runbook.md, as a link."""
    return kind.replace("_", "-")
