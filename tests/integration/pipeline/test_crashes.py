"""Kill it in the middle: nothing is lost and nothing is doubled."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

import pytest
from rich.console import Console

from cli.demo_run import DemoRun
from tests.integration.pipeline.harness import Pipeline, pipeline, sample, wait_until
from tests.long import size

ROWS = size(3_000, 10_000)
CHUNK_ROWS = str(ROWS // 5)


def until_some_but_not_all_chunks_are_loaded(running: Pipeline) -> None:
    loaded = "SELECT count(*) FROM pipeline.chunk WHERE state = 'loaded' AND source = 'transactions'"
    wait_until(lambda: running.one(loaded) > 0, "a chunk is loaded")


def assert_the_truth(running: Pipeline, truth: dict[str, int]) -> None:
    row = running.sql(
        """SELECT sum(received)::int, sum(inserted)::int, sum(updated + superseded)::int, sum(unchanged)::int,
                  sum(quarantined)::int FROM pipeline.chunk WHERE source = 'transactions'"""
    )[0]
    names = ("received", "inserted", "updated_or_superseded", "unchanged", "quarantined")
    assert dict(zip(names, row, strict=True)) == {name: truth[name] for name in names}
    assert running.findings() == []


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Small chunks, so that a file is never loaded as a whole before it is looked at."""
    monkeypatch.setenv("CHUNK_ROWS", CHUNK_ROWS)


def test_the_functions_host_killed_in_the_middle_of_a_file_loses_and_doubles_nothing(tmp_path: Path) -> None:
    truth = sample(tmp_path / "data", ROWS, 0.05, seed=3).as_json()["transactions"]
    with pipeline() as running:
        identity = running.put("transactions/large.ndjson", (tmp_path / "data" / "transactions.ndjson").read_bytes())
        for _ in range(3):
            until_some_but_not_all_chunks_are_loaded(running)
            running.run.cloud.servers["functions"].kill()
            running.run.cloud.restart("functions")
        running.run.wait_for([identity])
        running.feed()
        assert_the_truth(running, truth)


def test_a_cloud_stopped_in_the_middle_goes_on_when_it_is_started_again(tmp_path: Path) -> None:
    truth = sample(tmp_path / "data", ROWS, 0.05, seed=4).as_json()["transactions"]
    home = Path(tempfile.mkdtemp(prefix="sluice-test-"))
    home.chmod(0o755)
    try:
        with DemoRun(home, Console(quiet=True)) as first:
            running = Pipeline(first)
            data = (tmp_path / "data" / "transactions.ndjson").read_bytes()
            identity = running.put("transactions/large.ndjson", data)
            until_some_but_not_all_chunks_are_loaded(running)
            for name in ("pubsub", "storage", "functions"):
                first.cloud.servers[name].kill()
        with DemoRun(home, Console(quiet=True)) as second:
            running = Pipeline(second)
            second.wait_for([identity])
            running.feed()
            assert_the_truth(running, truth)
    finally:
        shutil.rmtree(home, ignore_errors=True)
