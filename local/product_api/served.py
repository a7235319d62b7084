"""What the simulated product API has served: what a test compares with what was stored."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from typing import Any

import msgspec

from local.product_api.plan import OK


class PageServed(msgspec.Struct):
    """One page of one run: how often it was asked for, and how often it was answered whole."""

    run: str
    page: int
    asked: int = 0
    whole: int = 0
    last_asked_at: datetime = datetime.min.replace(tzinfo=UTC)


class Served:
    """Counts, by the clock that each call is given."""

    def __init__(self) -> None:
        self._faults: Counter[str] = Counter()
        self._pages: dict[tuple[str, int], PageServed] = {}
        self._requests = 0
        self._early = 0
        self._closed_until: datetime | None = None

    def asked(self, run: str, page: int, outcome: str, now: datetime) -> None:
        """A request came in, and what becomes of it."""
        self._requests += 1
        self._early += self._closed_until is not None and now < self._closed_until
        seen = self._pages.setdefault((run, page), PageServed(run, page))
        seen.asked += 1
        seen.last_asked_at = now
        if outcome == OK:
            seen.whole += 1
        else:
            self._faults[outcome] += 1

    def close_until(self, until: datetime) -> None:
        """A Retry-After was sent: a request before this time is an early one."""
        self._closed_until = max(until, self._closed_until or until)

    def summary(self) -> dict[str, Any]:
        """As `sluice simulate api --show --json` prints it."""
        return {
            "requests": self._requests,
            "faults": dict(sorted(self._faults.items())),
            "early_requests": self._early,
            "pages": [msgspec.to_builtins(page) for _, page in sorted(self._pages.items())],
        }
