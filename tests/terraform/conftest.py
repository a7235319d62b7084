"""The plan of production, made once for all processes of a test run; its policies are judged on it."""

from __future__ import annotations

import fcntl
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

import pytest

from deploy.offline import Missing, tools_folder
from deploy.planned import Plan, Resource
from deploy.planning import first_plan, offline, settled_plan
from deploy.repository import Repository, read_repository
from tests.terraform.bundles import ROOT, make_up_bundles

ENVIRONMENT = "prod"
"""The one that counts. `make plan` judges all three."""


@contextmanager
def locked(file: Path) -> Iterator[None]:
    """One process at a time."""
    with file.open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


@pytest.fixture(scope="session")
def shared_folder(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Path:
    """A folder that every process of this run sees."""
    base = tmp_path_factory.getbasetemp()
    folder = (base if worker_id == "master" else base.parent) / "terraform"
    folder.mkdir(exist_ok=True)
    return folder


@pytest.fixture(scope="session")
def plan(shared_folder: Path) -> Plan:
    """The settled plan of production; the tests skip where there is no terraform or no offline provider."""
    kept = shared_folder / "plan.json"
    with locked(shared_folder / "lock"):
        if not kept.exists():
            kept.write_text(json.dumps(asdict(_made(shared_folder))), encoding="utf-8")
    resources = json.loads(kept.read_text(encoding="utf-8"))["resources"]
    return Plan(ENVIRONMENT, tuple(Resource(**resource) for resource in resources))


def _made(folder: Path) -> Plan:
    try:
        terraform = offline(ROOT, folder, make_up_bundles(folder / "package"), tools_folder())
    except Missing as missing:
        pytest.skip(str(missing))
    return settled_plan(terraform, ENVIRONMENT, folder, first_plan(terraform, ENVIRONMENT, folder))


@pytest.fixture(scope="session")
def repository() -> Repository:
    """What this checkout says must be planned."""
    return read_repository(ROOT)
