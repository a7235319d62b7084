"""One running pipeline that the tests of this folder share; those that break things start their own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.integration.pipeline.access import oversteps, strangers
from tests.integration.pipeline.harness import Pipeline, pipeline


@pytest.fixture(scope="module")
def running() -> Iterator[Pipeline]:
    """A pipeline on a local cloud. At its end nobody has done what would be refused in a project."""
    with pipeline() as started:
        yield started
        assert oversteps(started) == []
        assert strangers(started) == []
