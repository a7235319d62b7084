"""Settings of the tests that need no server."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True)
def no_collection() -> Iterator[None]:
    """No garbage is collected meanwhile.

    Some of these tests recurse as deep as Python goes. What other tests of the process left behind must not be
    finalised down there: its finalisers would fail, and the test with them.
    """
    gc.disable()
    yield
    gc.enable()
