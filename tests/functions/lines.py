"""What the functions write to their log, as JSON, and what a metric of shared/metrics.yaml takes from it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import structlog
import yaml

from shared.telemetry import logger

Line = dict[str, Any]
METRICS: dict[str, dict[str, Any]] = yaml.safe_load(
    (Path(__file__).resolve().parents[2] / "shared/metrics.yaml").read_text(encoding="utf-8")
)


@contextmanager
def kept_lines() -> Iterator[list[Line]]:
    """Every line that is logged meanwhile, read back from its JSON."""
    logger()  # configured at first use, which would undo this
    processors, lines = structlog.get_config()["processors"], list[Line]()
    render = processors[-1]

    def keep(made: Any, name: str, event: structlog.typing.EventDict) -> Any:
        line = render(made, name, event)
        lines.append(json.loads(line))
        return line

    processors[-1] = keep
    try:
        yield lines
    finally:
        processors[-1] = render


def taken(metric: dict[str, Any], line: Line) -> tuple[float, dict[str, str]] | None:
    """The value and the labels that the metric takes from a line, as Cloud Logging does; None where it does not count.

    `field = value` and `field:*` (it is there) are the only comparisons of terraform/metrics.tf. Raises KeyError where
    a label is missing: Cloud Logging would leave it empty, and nobody could tell the series apart.
    """
    wanted = {"event": metric["event"], **metric.get("where", {})}
    if any(line.get(field) != value for field, value in wanted.items()):
        return None
    if "value" in metric and metric["value"] not in line:
        return None
    value = line[metric["value"]] if "value" in metric else 1
    return float(value), {label: str(line[label]) for label in metric["labels"]}
