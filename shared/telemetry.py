"""Logs: one JSON object a line on standard error, constant event names, ids bound by the entry point.

Never a payload and never personal data: callers pass ids, counts and reason codes only.
"""

from __future__ import annotations

import sys
from datetime import timedelta
from functools import cache

import structlog
from structlog.typing import FilteringBoundLogger

from shared.metric_names import Dated


@cache
def _configure() -> None:
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True, key="time"),
            _severity,
            structlog.processors.JSONRenderer(),
        ],
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )


def _severity(_: object, __: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    """Cloud Logging reads the level from `severity`."""
    event["severity"] = str(event.pop("level", "info")).upper()
    return event


def logger() -> FilteringBoundLogger:
    """The logger of the process; configured at first use, so that importing a function has no effect."""
    _configure()
    log: FilteringBoundLogger = structlog.get_logger()
    return log


def log_freshness(of: Dated, name: str, age: timedelta, *, late: bool) -> None:
    """Tell how old a source or a mart is, and whether that is more than it may be."""
    logger().info("freshness", of=of, name=name, age_seconds=round(max(age, timedelta(0)).total_seconds()), late=late)
