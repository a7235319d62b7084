"""One pipeline for the folder: its first file finds it empty, the others leave its rows alone."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.integration.doctor.google import Google, google
from tests.integration.pipeline.harness import Pipeline, pipeline


@pytest.fixture(scope="package")
def running() -> Iterator[Pipeline]:
    """A pipeline on a local cloud, with every job by its schedule: the doctor tells of a job that is not."""
    with pipeline(by_schedule=True) as started:
        yield started


@pytest.fixture
def documented() -> Iterator[Google]:
    """A server that answers as Google's APIs are documented to."""
    with google() as server:
        yield server
