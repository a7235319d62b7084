"""A release: what one build made and what another may apply; the very files, told by their hashes.

    release.json            which commit, project and environment; the SHA-256 of every other file
    plan.bin  plan.txt      Terraform's plan, for Terraform and for people; the latter begins with the commit
    package/                the bundles of the functions and their manifest.json
    source.zip  wheels/  job.sh     `sluice` itself, for the jobs that run inside the network

The SHA-256 of release.json names all of it: the build that makes a release prints it, the one that applies it is given
it, so what was looked at and approved is what is applied, also where somebody could write to the bucket.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deploy.plan import undrained

RECORD = "release.json"
SOURCES = ("cli", "functions", "local", "shared", "sql")
LOOSE = ("requirements.txt", "requirements-cli.txt")
EPOCH = (1980, 1, 1, 0, 0, 0)


class Refused(Exception):
    """A release cannot be made, or is not what it should be; the message says what and what to do."""


@dataclass(frozen=True)
class Origin:
    """Of what and for where a release is. `commit` is empty where a checkout has none, None where any will do."""

    project: str
    environment: str
    commit: str | None


def save(root: Path, folder: Path, origin: Origin) -> str:
    """Gather a release of the checkout `root` in `folder`; its name, the SHA-256 of its record. Raises Refused."""
    build = root / "build"
    for name in ("plan.bin", "plan.txt", "plan.json", "package/manifest.json", "wheels"):
        if not (build / name).exists():
            raise Refused(f"build/{name} is missing: an earlier step of the build makes it")
    if lost := undrained(_read(build / "plan.json")):
        raise Refused(
            f"the plan deletes {', '.join(lost)} with the messages that wait there: "
            "docs/deployment.md#rename-or-remove-a-function"
        )
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    shutil.copyfile(build / "plan.bin", folder / "plan.bin")
    told = f"Release of commit {origin.commit or 'unknown'} for {origin.environment}, project {origin.project}.\n\n"
    (folder / "plan.txt").write_text(told + (build / "plan.txt").read_text(encoding="utf-8"), encoding="utf-8")
    for name in ("package", "wheels"):
        shutil.copytree(build / name, folder / name)
    shutil.copyfile(root / "deploy" / "job.sh", folder / "job.sh")
    zip_source(root, folder / "source.zip")
    record = {**vars(origin), "files": hashes(folder)}
    (folder / RECORD).write_text(json.dumps(record, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    return sha256(folder / RECORD)


def check(folder: Path, name: str, origin: Origin) -> None:
    """Raises Refused unless `folder` holds the release of that name, whole and unchanged, for this project."""
    record_file = folder / RECORD
    if not record_file.exists():
        raise Refused(f"there is no {RECORD}: no such release, or it is older than the bucket keeps them")
    if sha256(record_file) != name:
        raise Refused(
            f"{RECORD} has the SHA-256 {sha256(record_file)}, the build was given {name}: not what was approved"
        )
    record = _read(record_file)
    for what, expected in vars(origin).items():
        if expected is not None and record[what] != expected:
            raise Refused(f"the release is of {what} {record[what]!r}, this build is of {expected!r}")
    found = hashes(folder)
    differing = {file for file in record["files"].keys() | found if record["files"].get(file) != found.get(file)}
    if differing:
        raise Refused(f"not as they were saved: {', '.join(sorted(differing))}; make a new release")


def hashes(folder: Path) -> dict[str, str]:
    """File => SHA-256, for all but the record."""
    files = sorted(path for path in folder.rglob("*") if path.is_file() and path != folder / RECORD)
    return {path.relative_to(folder).as_posix(): sha256(path) for path in files}


def sha256(path: Path) -> str:
    """SHA-256 of a file, in hex."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def zip_source(root: Path, target: Path) -> None:
    """What `sluice` needs, as a zip whose bytes depend on the files alone: sorted, without times."""
    files = [path for name in SOURCES for path in (root / name).rglob("*") if path.is_file()]
    files = [path for path in files if "__pycache__" not in path.parts] + [root / name for name in LOOSE]
    with zipfile.ZipFile(target, "w") as archive:
        for path in sorted(files):
            entry = zipfile.ZipInfo(path.relative_to(root).as_posix(), EPOCH)
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, path.read_bytes())


def earlier_bundles(earlier: Path, running: Path, current: Path, target: Path) -> list[str]:
    """Into `target`: the bundles of an earlier release, for the functions that there are now; those that do not run.

    A function that the earlier release did not have yet keeps its bundle of now. One that is gone stays gone.
    """
    before, runs, now = (_read(folder / "manifest.json")["functions"] for folder in (earlier, running, current))
    chosen = {name: before.get(name, entry) for name, entry in now.items()}
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    for name, entry in chosen.items():
        shutil.copyfile((earlier if name in before else current) / entry["file"], target / entry["file"])
    (target / "manifest.json").write_text(json.dumps({"functions": chosen}, indent=1, sort_keys=True), encoding="utf-8")
    return sorted(name for name, entry in chosen.items() if entry["file"] != runs.get(name, now[name])["file"])


def _read(file: Path) -> dict[str, Any]:
    read: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return read
