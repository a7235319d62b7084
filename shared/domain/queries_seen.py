"""What a look at finished statements tells: their fingerprint, and whether one is slow or has become slower."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from decimal import Decimal

SLOW_SECONDS = 10
"""A standard report or the build of a mart takes less: the requirement on reports, "an alert on a breach of 10 s"."""
STANDARD_STAGES = frozenset({"report", "build_marts"})
REGRESSION_RATIO = 2
REGRESSION_SECONDS = 1
"""A day's mean of at least twice that of the seven days before is a regression, from one second on."""
LEAST_RUNS = 5
LEAST_RUNS_BEFORE = 10
"""Fewer runs say nothing: one cold start would be a regression."""

_COMMENTS = re.compile(r"--[^\n]*|#[^\n]*|/\*.*?\*/", re.DOTALL)
_TEXTS = re.compile(
    r"""[rb]{0,2}(?:"{3}.*?"{3}|'{3}.*?'{3}|"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*')""", re.DOTALL | re.IGNORECASE
)
_NUMBERS = re.compile(r"(?<![^\W_])[0-9a-f]{12,}(?![^\W_])|\d+(?:\.\d+)?", re.IGNORECASE)
"""Numbers, and the hexadecimal words by which a run names its staging tables."""


@dataclass(frozen=True)
class Trend:
    """One statement on one day beside the seven days before it."""

    runs: int
    seconds: Decimal
    runs_before: int
    seconds_before: Decimal

    @property
    def mean(self) -> Decimal:
        """Seconds of a run on the day."""
        return self.seconds / self.runs

    @property
    def mean_before(self) -> Decimal | None:
        """Seconds of a run before; None where there was none."""
        return self.seconds_before / self.runs_before if self.runs_before else None

    @property
    def regressed(self) -> bool:
        """Whether it has become slower by more than chance."""
        before = self.mean_before
        return (
            before is not None
            and self.runs >= LEAST_RUNS
            and self.runs_before >= LEAST_RUNS_BEFORE
            and self.mean >= REGRESSION_SECONDS
            and self.mean >= REGRESSION_RATIO * before
        )


def fingerprint(sql: str) -> str:
    """SHA256 of a statement without comments, texts and numbers: the same statement with other values is the same.

    The text itself is kept nowhere: a query that somebody wrote may name a person.
    """
    bare = _NUMBERS.sub("?", _TEXTS.sub("?", _COMMENTS.sub(" ", sql)))
    return hashlib.sha256(" ".join(bare.lower().split()).encode()).hexdigest()
