"""`sluice` as a person runs it, in a process of its own or in this one, and a cloud that `sluice up` keeps running."""

from __future__ import annotations

import contextlib
import io
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from cli.main import main
from tests.integration.pipeline.harness import forget_clients

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


@pytest.fixture(scope="session")
def here() -> Run:
    """Run `sluice` with these words in this process, which spares its start; output and exit code."""

    def run(*words: str) -> subprocess.CompletedProcess[str]:
        out, err, on_end = io.StringIO(), io.StringIO(), signal.getsignal(signal.SIGTERM)
        forget_clients()
        try:
            with (
                pytest.MonkeyPatch.context() as patch,
                contextlib.redirect_stdout(out),
                contextlib.redirect_stderr(err),
            ):
                patch.setattr(os, "environ", environment())
                patch.setattr(sys, "argv", ["sluice", *words])
                with pytest.raises(SystemExit) as ended:
                    main()
        finally:
            signal.signal(signal.SIGTERM, on_end)
            forget_clients()
        return subprocess.CompletedProcess(words, int(ended.value.code or 0), out.getvalue(), err.getvalue())

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
