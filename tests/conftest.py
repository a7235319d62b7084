"""Settings of all tests."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from xdist.scheduler import LoadFileScheduling  # type: ignore[import-untyped]

SHARING = (PurePosixPath("tests/functions"), PurePosixPath("tests/integration/doctor"))
"""Folders whose tests share a local cloud."""

# A shared machine may pause for a moment: the time of an example says nothing about the code.
settings.register_profile("sluice", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("sluice")


class BySharing(LoadFileScheduling):  # type: ignore[misc]
    """What shares a server goes to one process, one after the other: a file, or the folder that has a cloud."""

    def _split_scope(self, nodeid: str) -> str:
        file = str(super()._split_scope(nodeid))
        return next((str(folder) for folder in SHARING if folder in PurePosixPath(file).parents), file)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> BySharing:
    """Called where tests run in several processes."""
    return BySharing(config, log)
