"""A job starts `sluice` from a release alone: nothing of a checkout is at hand, and Postgres is a real one."""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from deploy.release import RECORD, hashes, sha256, zip_source
from local.postgres import LocalPostgres
from tests.rollout.definition import ROOT

Start = Callable[..., subprocess.Popen[str]]
NETWORK = (ROOT / "terraform" / "network.tf").read_text(encoding="utf-8")
NOBODY = {"REACH": "127.0.0.1:1", "REACH_SECONDS": "0"}
COMMAND = ("python3", "-I", "-c", (ROOT / "deploy" / "start.py").read_text(encoding="utf-8"))


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
    """A release, in a folder of its name, with the parts that a job uses and one that it does not."""
    folder = tmp_path_factory.mktemp("release")
    zip_source(ROOT, folder / "source.zip")
    shutil.copyfile(ROOT / "deploy" / "job.sh", folder / "job.sh")
    for name in ("wheels/typer-1-py3-none-any.whl", "package/enrich.zip"):
        (folder / name).parent.mkdir()
        (folder / name).write_text(name)
    (folder / RECORD).write_text(json.dumps({"files": hashes(folder)}))
    return folder.rename(folder.parent / sha256(folder / RECORD))


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> str:
    """PATH with a `pip` that installs nothing, for all is installed here, and notes what it was to install from."""
    folder = tmp_path_factory.mktemp("bin")
    (folder / "pip").write_text(
        '#!/bin/sh\necho "$@" > "$HOME/pip.txt"\nls "$RELEASE" "$RELEASE/wheels" > "$HOME/seen.txt"\n'
        'test -f "$(echo "$@" | sed "s/.* //")"\n'
    )
    (folder / "pip").chmod(0o755)
    for name in ("python", "python3"):
        (folder / name).symlink_to(sys.executable)
    return f"{folder}:/usr/bin:/bin"


@pytest.fixture
def start(release: Path, path: str, tmp_path: Path) -> Start:
    """Starts a job as terraform/jobs.tf does, with these variables (of its network, another release) and words."""

    def started(given: dict[str, str], *words: str) -> subprocess.Popen[str]:
        variables = {
            "PATH": path, "HOME": str(tmp_path), "RELEASE": str(release),
            "GOOGLE_CLOUD_PROJECT": "shop-dev", "LANDING_BUCKET": "a", "LAKE_BUCKET": "b", "QUARANTINE_BUCKET": "c",
            "PYTHONPATH": os.pathsep.join(folder for folder in sys.path if "site-packages" in folder),
        }  # fmt: skip
        pipe = subprocess.PIPE
        return subprocess.Popen(
            [*COMMAND, *words], cwd=tmp_path, env=variables | given, stdout=pipe, stderr=pipe, text=True
        )

    return started


@pytest.fixture
def closed() -> Iterator[socket.socket]:
    """A port of our own at which nobody listens yet."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield bound


def address(of: socket.socket) -> str:
    return f"127.0.0.1:{of.getsockname()[1]}"


def test_a_job_migrates_by_the_code_of_its_release(database: str, start: Start, tmp_path: Path) -> None:
    there = urlsplit(database)
    network = {"DATABASE_URL": database, "REACH": f"{there.hostname}:{there.port}"}
    check = start(network, "migrate", "--check", "--json")
    told, errors = check.communicate()
    assert check.returncode == 1, (told, errors)
    assert '"pending": ["0001_create_ledger.sql"' in told
    migration = start(network, "migrate", "--json")
    told, errors = migration.communicate()
    assert migration.returncode == 0, (told, errors)
    assert '"applied": ["0001_create_ledger.sql"' in told
    assert "--no-index --find-links" in (tmp_path / "pip.txt").read_text()


def test_a_job_waits_until_the_network_is_there(start: Start, closed: socket.socket) -> None:
    job = start({"REACH": address(closed), "REACH_SECONDS": "60"}, "--help")
    assert job.stderr
    assert job.stderr.readline().startswith(f"waiting for {address(closed)} (")
    closed.listen()
    told, errors = job.communicate()
    assert (job.returncode, "Usage" in told) == (0, True), errors
    assert f"{address(closed)} was reached after" in errors


def test_a_job_that_reaches_nobody_does_no_work_and_says_what_to_look_at(start: Start, closed: socket.socket) -> None:
    job = start({"REACH": address(closed), "REACH_SECONDS": "2"}, "--help")
    told, errors = job.communicate()
    assert (job.returncode, told) == (1, "")
    assert f"{address(closed)} was not reached in 2 s" in errors
    named = re.findall(r"sluice-[a-z-]+", errors)
    assert named
    assert all(re.search(f'name += "{resource}"', NETWORK) for resource in named)


def test_a_job_waits_for_what_its_network_lets_it_reach_and_longer_than_an_instance_may_need() -> None:
    waits = re.search(r"\$\{REACH:-(.+):443\}.*\$\{REACH_SECONDS:-(\d+)\}", (ROOT / "deploy" / "job.sh").read_text())
    assert waits is not None
    assert waits[1].endswith(".googleapis.com")
    assert 120 <= int(waits[2]) <= 300


def test_a_job_is_started_as_terraform_says() -> None:
    """Its command is in the plan, so what checks a release is not of the bucket that it checks."""
    command = 'command = ["python3", "-I", "-c", file("${path.module}/../deploy/start.py")]'
    assert command in (ROOT / "terraform" / "jobs.tf").read_text(encoding="utf-8")


@pytest.fixture
def copy(release: Path, tmp_path: Path) -> Path:
    """The same release for a test that does something to it."""
    return Path(shutil.copytree(release, tmp_path / "releases" / release.name))


def test_what_was_planted_in_the_folder_of_a_release_is_not_seen_by_its_job(
    start: Start, copy: Path, tmp_path: Path
) -> None:
    (copy / "wheels" / "typer-1-9-py3-none-any.whl").write_text("not of the build")
    (copy / "sitecustomize.py").write_text("raise SystemExit('planted')")
    job = start(NOBODY | {"RELEASE": str(copy)}, "--help")
    _, errors = job.communicate()
    assert "127.0.0.1:1 was not reached" in errors
    seen = (tmp_path / "seen.txt").read_text().split()
    assert [name for name in seen if name.endswith((".py", ".sh", ".whl", ".zip"))] == [
        "job.sh", "source.zip", "typer-1-py3-none-any.whl",
    ]  # fmt: skip
    assert str(copy) not in (tmp_path / "pip.txt").read_text()


def change(copy: Path, name: str) -> None:
    (copy / name).write_bytes((copy / name).read_bytes() + b" ")


def accept(copy: Path, name: str) -> None:
    """Change a file and say so in the record, as whoever could write both would."""
    change(copy, name)
    (copy / RECORD).write_text(json.dumps({"files": hashes(copy)}))


def lose(copy: Path, name: str) -> None:
    (copy / name).unlink()


@pytest.mark.parametrize(
    ("damage", "name", "told"),
    [
        (change, "wheels/typer-1-py3-none-any.whl", "typer-1-py3-none-any.whl has the SHA-256"),
        (change, "source.zip", "source.zip has the SHA-256"),
        (change, "job.sh", "job.sh has the SHA-256"),
        (accept, "job.sh", "release.json has the SHA-256"),
        (lose, "source.zip", "source.zip'; RELEASE must be /releases/NAME"),
    ],
)
def test_a_job_runs_nothing_of_a_release_that_is_not_as_it_was_saved(
    start: Start, copy: Path, tmp_path: Path, damage: Callable[[Path, str], None], name: str, told: str
) -> None:
    damage(copy, name)
    job = start(NOBODY | {"RELEASE": str(copy)}, "--help")
    said, errors = job.communicate()
    assert (job.returncode, said) == (1, "")
    assert told in errors
    assert not (tmp_path / "pip.txt").exists()


def test_a_job_that_is_told_no_release_says_how_it_is_told(start: Start) -> None:
    job = start(NOBODY | {"RELEASE": ""}, "migrate")
    assert "RELEASE must be /releases/NAME" in job.communicate()[1]
    assert job.returncode == 1


def test_the_source_of_a_release_is_the_same_bytes_each_time(tmp_path: Path) -> None:
    first, second = tmp_path / "1.zip", tmp_path / "2.zip"
    for target in (first, second):
        zip_source(ROOT, target)
    assert first.read_bytes() == second.read_bytes()
