"""`sluice` as a person runs it: a process of its own, and a cloud that `sluice up` keeps running."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

Run = Callable[..., subprocess.CompletedProcess[str]]
SLUICE = [sys.executable, "-c", "from cli.main import main; main()"]
CLOUD_VARIABLES = (
    "STORAGE_EMULATOR_HOST", "PUBSUB_EMULATOR_HOST", "BIGQUERY_EMULATOR_HOST", "DATABASE_URL", "LANDING_BUCKET",
    "PRODUCT_API_URL",
)  # fmt: skip


def environment() -> dict[str, str]:
    """Ours without the variables of another cloud."""
    return {name: value for name, value in os.environ.items() if name not in CLOUD_VARIABLES} | {"COLUMNS": "120"}


@pytest.fixture(scope="session")
def sluice() -> Run:
    """Run `sluice` with these words; output and exit code."""

    def run(*words: str, timeout: float = 120) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*SLUICE, *words],
            capture_output=True,
            text=True,
            timeout=timeout,
            env=environment(),
            check=False,
        )

    return run


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that the database server's account can reach."""
    made = Path(tempfile.mkdtemp(prefix="sluice-test-"))
    made.chmod(0o755)
    yield made
    shutil.rmtree(made, ignore_errors=True)


@pytest.fixture(scope="module")
def home() -> Iterator[Path]:
    """The home of a running cloud."""
    made = Path(tempfile.mkdtemp(prefix="sluice-test-"))
    made.chmod(0o755)
    with subprocess.Popen(
        [*SLUICE, "up", "--home", str(made), "--json"], stdout=subprocess.PIPE, text=True, env=environment()
    ) as up:
        assert up.stdout is not None
        ready = json.loads(up.stdout.readline())
        assert set(ready) == {"storage", "pubsub", "warehouse", "postgres", "functions", "product_api"}
        yield made
        up.terminate()
        assert up.wait(60) == 0
    shutil.rmtree(made, ignore_errors=True)
