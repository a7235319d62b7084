"""The `bq` command, where it is installed, against the warehouse."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.long import LONG


def bq(url: str, home: Path, *words: str) -> str:
    """What one bq command prints."""
    program = shutil.which("bq")
    if program is None:
        pytest.skip("bq is not installed; the Google Cloud CLI brings it")
    settings = {"CLOUDSDK_AUTH_ACCESS_TOKEN": "none", "CLOUDSDK_CONFIG": str(home), "HOME": str(home)}
    command = [program, "--api", url, "--project_id", "sluice-local", *words]
    done = subprocess.run(
        command, env={**os.environ, **settings}, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_bq_lists_shows_and_queries(warehouse_url: str, dataset: str, sales: str, tmp_path: Path) -> None:
    if LONG:  # each command takes seconds to start
        assert "sales" in bq(warehouse_url, tmp_path, "ls", dataset)
    shown = json.loads(bq(warehouse_url, tmp_path, "show", "--format=json", sales))
    assert shown["numRows"] == "30"
    sql = f"SELECT COUNT(*) AS n FROM {sales} WHERE day = '2024-01-01'"
    found = json.loads(bq(warehouse_url, tmp_path, "--format=json", "query", "--nouse_legacy_sql", sql))
    assert found == [{"n": "10"}]
