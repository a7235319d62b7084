"""Starts the peer: a fresh database of the same PostgreSQL with the same options, and dlt in its own environment."""

from __future__ import annotations

import json
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from benchmarks.memory import Peaks, largest_of_tree
from local.postgres import LocalPostgres
from local.table import ROOT

PYTHON = ROOT / ".venv-bench" / "bin" / "python"
WORKERS = 2
ROTATE_ROWS = 25_000
Way = Literal["default", "tuned"]
FORMATS: dict[Way, str] = {"default": "insert_values", "tuned": "csv"}


class PeerFailed(Exception):
    """dlt did not load the file; the message ends with its own words."""


@dataclass(frozen=True)
class PeerRun:
    """What one run of the peer gave."""

    rows: int
    seconds: float
    rows_in_table: int
    stages: dict[str, float]
    peak_mb: float

    @property
    def rows_per_second(self) -> float:
        """Rows read a second, bad ones counted as ours are."""
        return self.rows / self.seconds


def measure_peer(home: Path, data: Path, rows: int, way: Way) -> PeerRun:
    """Load the data set's transactions with dlt: as it comes, or with the settings that its documentation advises."""
    server = LocalPostgres()
    url = server.start(home / "postgres")
    try:
        return _run(home, data / "transactions.ndjson", url, rows, way)
    finally:
        server.stop()


def _run(home: Path, file: Path, url: str, rows: int, way: Way) -> PeerRun:
    address = url.replace("sluice@", "sluice:unused@")  # dlt wants a password; the server trusts its own machine
    arguments = ["--file", str(file), "--url", address, "--home", str(home / "dlt"), "--format", FORMATS[way]]
    words = home / "dlt.log"
    with words.open("wb") as log:
        process = subprocess.Popen(
            [PYTHON, "-m", "benchmarks.peer_dlt", *arguments],
            cwd=home, env=_environment(home, way), stdout=subprocess.PIPE, stderr=log,
        )  # fmt: skip
        with Peaks(largest_of_tree("dlt", process.pid)) as peaks:
            answer, _ = process.communicate()
    if process.returncode != 0:
        raise PeerFailed(f"dlt ended with {process.returncode}:\n{words.read_text(errors='replace')[-1500:]}")
    told = json.loads(answer.decode().strip().rpartition("\n")[2])
    return PeerRun(rows, told["seconds"], told["rows_in_table"], told["stages"], peaks.mb["dlt"])


def _environment(home: Path, way: Way) -> dict[str, str]:
    """No telemetry and no file outside `home`; tuned, the files are cut so that both workers have something to do."""
    common = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "DLT_DATA_DIR": str(home / "dlt"),
        "RUNTIME__DLTHUB_TELEMETRY": "false",
        "RUNTIME__LOG_LEVEL": "ERROR",
    }
    if way == "default":
        return common
    return {
        **common,
        "NORMALIZE__WORKERS": str(WORKERS),
        "LOAD__WORKERS": str(WORKERS),
        "DATA_WRITER__FILE_MAX_ITEMS": str(ROTATE_ROWS),
    }
