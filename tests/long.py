"""How long the tests take: `make test` runs the short form, `make test-long` the long one, both of everything."""

from __future__ import annotations

import os

LONG = os.environ.get("LONG_TESTS") == "1"


def size(short: int, long: int) -> int:
    """A number that only makes a test longer, by the form that is asked for."""
    return long if LONG else short
