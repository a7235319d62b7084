"""A job starts `sluice` from a release alone: nothing of a checkout is at hand, and Postgres is a real one."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.release import zip_source
from local.postgres import LocalPostgres
from tests.rollout.definition import ROOT


@pytest.fixture(scope="module")
def database() -> Iterator[str]:
    """The URL of an empty database."""
    if "DATABASE_URL" in os.environ:
        pytest.skip("it wants an empty database of its own; DATABASE_URL names another")
    home = Path(tempfile.mkdtemp(prefix="sluice-test-job-", dir="/var/tmp"))
    home.chmod(0o755)
    server = LocalPostgres()
    yield server.start(home)
    server.kill()
    shutil.rmtree(home)


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The parts of a release that a job uses."""
    folder = tmp_path_factory.mktemp("release")
    zip_source(ROOT, folder / "source.zip")
    shutil.copyfile(ROOT / "deploy" / "job.sh", folder / "job.sh")
    return folder


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> str:
    """PATH with a `pip` that installs nothing, for all is installed here, and notes what it was to install from."""
    folder = tmp_path_factory.mktemp("bin")
    (folder / "pip").write_text('#!/bin/sh\necho "$@" > "$RELEASE/pip.txt"\ntest -f "$(echo "$@" | sed "s/.* //")"\n')
    (folder / "pip").chmod(0o755)
    (folder / "python").symlink_to(sys.executable)
    return f"{folder}:/usr/bin:/bin"


def test_a_job_migrates_by_the_code_of_its_release(database: str, release: Path, path: str, tmp_path: Path) -> None:
    variables = {
        "PATH": path, "HOME": str(tmp_path), "RELEASE": str(release), "DATABASE_URL": database,
        "GOOGLE_CLOUD_PROJECT": "shop-dev", "LANDING_BUCKET": "a", "LAKE_BUCKET": "b", "QUARANTINE_BUCKET": "c",
        "PYTHONPATH": os.pathsep.join(folder for folder in sys.path if "site-packages" in folder),
    }  # fmt: skip

    def job(*words: str) -> tuple[int, str]:
        called = ["sh", "-c", 'exec sh "$RELEASE/job.sh" "$@"', "sluice", *words]  # as terraform/jobs.tf
        done = subprocess.run(called, cwd=tmp_path, env=variables, capture_output=True, text=True, check=False)
        return done.returncode, done.stdout + done.stderr

    missing = job("migrate", "--check", "--json")
    assert missing[0] == 1, missing
    assert '"pending": ["0001_create_ledger.sql"' in missing[1]
    done = job("migrate", "--json")
    assert (done[0], '"applied": ["0001_create_ledger.sql"' in done[1]) == (0, True), done
    assert "--no-index --find-links" in (release / "pip.txt").read_text()


def test_a_job_is_started_as_terraform_says() -> None:
    assert 'command = ["sh", "-c", "exec sh \\"$RELEASE/job.sh\\" \\"$@\\"", "sluice"]' in (
        ROOT / "terraform" / "jobs.tf"
    ).read_text(encoding="utf-8")


def test_the_source_of_a_release_is_the_same_bytes_each_time(tmp_path: Path) -> None:
    first, second = tmp_path / "1.zip", tmp_path / "2.zip"
    for target in (first, second):
        zip_source(ROOT, target)
    assert first.read_bytes() == second.read_bytes()
