"""Settings of all tests."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, settings

SHARING = {"functions"}
"""Folders whose tests share a local cloud."""

# A shared machine may pause for a moment: the time of an example says nothing about the code.
settings.register_profile("sluice", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("sluice")


@pytest.hookimpl(tryfirst=True)  # before xdist takes the groups into the names
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What shares a server goes to one process, one after the other: a folder that has one, else a file."""
    for item in items:
        folder = next((parent for parent in item.path.parents if parent.name in SHARING), None)
        item.add_marker(pytest.mark.xdist_group(str(folder or item.path)))
