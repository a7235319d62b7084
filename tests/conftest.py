"""Settings of all tests."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import PurePosixPath
from typing import Any

import pytest
import typer.testing
from hypothesis import HealthCheck, settings
from typer.main import get_command
from xdist.scheduler import LoadFileScheduling  # type: ignore[import-untyped]

from local import postgres, process
from tests import sockets
from tests.cluster import Clusters
from tests.long import LONG
from tests.warm import Nursery

SHARING = tuple(
    PurePosixPath("tests", *folder.split("/")) for folder in ("functions", "integration/doctor", "terraform")
)
"""Folders whose tests share a local cloud, or a plan."""
LONGEST_FIRST = tuple(
    PurePosixPath("tests", *folder.split("/"))
    for folder in (
        "functions",
        "integration/doctor",
        "integration/chaos",
        "integration/cli",
        "integration/pipeline",
        "integration",
        "contract",
    )
)
"""Folders in the order in which several processes take them: what takes a minute is not begun last."""

# Where it is set, every process of the tests and every server would compile the project anew.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False
# Else each client of Cloud Storage has a thread that outlives its test and asks whatever took its server's port.
os.environ.setdefault("DISABLE_GCS_PYTHON_CLIENT_OTEL_BUCKET_METADATA", "true")

# A shared machine may pause for a moment: the time of an example says nothing about the code. The short form tries the
# same examples each time, so that it fails for what a change broke and not by chance; the long form and `make fuzz`
# look for new ones.
settings.register_profile("sluice", deadline=None, derandomize=not LONG, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("sluice")


def pytest_configure(config: pytest.Config) -> None:
    """A connection that is left open is told with where it was opened."""
    config.pluginmanager.register(sockets)


class BySharing(LoadFileScheduling):  # type: ignore[misc]
    """What shares a server goes to one process, one after the other: a file, or the folder that has a cloud."""

    def _split_scope(self, nodeid: str) -> str:
        file = str(super()._split_scope(nodeid))
        return next((str(folder) for folder in SHARING if folder in PurePosixPath(file).parents), file)


def _turn(file: PurePosixPath) -> int:
    ranks = (rank for rank, folder in enumerate(LONGEST_FIRST) if folder in file.parents)
    return next(ranks, len(LONGEST_FIRST))


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """In one of several processes the files come in the order in which they are taken."""
    if hasattr(config, "workerinput"):
        items.sort(key=lambda item: _turn(PurePosixPath(item.nodeid.partition("::")[0])))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> BySharing:
    """Called where tests run in several processes."""
    config.option.loadscopereorder = False  # it would begin with the files of most tests, which are the quickest
    return BySharing(config, log)


@pytest.fixture(scope="session", autouse=True)
def warm() -> Iterator[None]:
    """Servers that a test starts start warm, with a copied cluster, and the command line is put together once."""
    nursery, clusters = Nursery(), Clusters()
    with pytest.MonkeyPatch.context() as patch:
        if sys.platform == "linux":
            patch.setattr(process, "launch", nursery.launch)
        patch.setattr(postgres, "_initialise", clusters.initialise)
        patch.setattr(typer.testing, "_get_command", cache(get_command))
        yield
    nursery.close()
    clusters.close()
