"""Rolling a release out and, where its smoke test fails, going back to the bundles of the one before.

What the steps of cloudbuild.apply.yaml and cloudbuild.rollback.yaml do; each leaves in build/ what the next ones need.
The two programs of the outside, gcloud and terraform, are called by name.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from deploy.plan import beyond_code
from deploy.release import RECORD, Refused, earlier_bundles, sha256

CURRENT = "current.json"
"""Object of the bucket that says what runs."""
LOCK = "default.tflock"
"""Object beside the state (terraform/backend.tf) that Terraform makes while it changes something."""
LOCK_TIMEOUT = "-lock-timeout=10m"
"""How long Terraform waits for whoever changes something now."""
MOUNT = "/releases"
"""Where the jobs see the bucket of the releases (terraform/jobs.tf)."""
OF_THE_PAST = ("backlog", "scheduler")
"""Steps of the doctor that tell of the code that ran until now: a dead letter or a failed job from before a rollout
must not undo the release that mends it. What the release itself breaks there stops its canary, or an alert tells it."""


@dataclass(frozen=True)
class Installation:
    """Where a release is rolled out to."""

    project: str
    region: str
    environment: str

    @property
    def releases(self) -> str:
        """The bucket of the releases."""
        return f"gs://{self.project}-releases"

    @property
    def state(self) -> str:
        """The folder of Terraform's state."""
        return f"gs://{self.project}-terraform/sluice"


def refuse_locked(root: Path, there: Installation) -> None:
    """Raises Refused where the state is locked: what waits for it in vain had better not migrate first."""
    if f"{there.state}/{LOCK}" in _ask(["gcloud", "storage", "ls", there.state], root).split():
        raise Refused(
            f"{there.state}/{LOCK} is there: somebody applies a change now, so start this again when it has ended; "
            "where nobody does, an apply was killed: docs/deployment.md#a-state-that-stays-locked"
        )


def store(root: Path, there: Installation) -> str:
    """Put the release in build/release into the bucket, under its name; return it. What is there stays as it is."""
    name = sha256(root / "build" / "release" / RECORD)
    _gcloud("storage", "cp", "--recursive", "--no-clobber", f"{root}/build/release/*", f"{there.releases}/{name}/")
    return name


def fetch(root: Path, there: Installation, name: str, folder: str = "release") -> Path:
    """Get a release of the bucket into build/<folder>. Whoever uses it checks it first."""
    target = root / "build" / folder
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    _gcloud("storage", "cp", "--recursive", f"{there.releases}/{name}/*", str(target))
    return target


@dataclass(frozen=True)
class Running:
    """What runs: the release whose infrastructure was applied last, and the one whose bundles run. Both empty: none."""

    release: str = ""
    bundles: str = ""


def running(root: Path, there: Installation) -> Running:
    """What the bucket says that runs."""
    if f"{there.releases}/{CURRENT}" not in _ask(["gcloud", "storage", "ls", there.releases], root).split():
        return Running()
    file = root / "build" / CURRENT
    _gcloud("storage", "cp", f"{there.releases}/{CURRENT}", str(file))
    return Running(**_read(file))


def record(root: Path, there: Installation, runs: Running) -> None:
    """Note in the bucket what runs."""
    _write(root / "build" / CURRENT, asdict(runs))
    _gcloud("storage", "cp", f"{root}/build/{CURRENT}", f"{there.releases}/{CURRENT}")


def migrate(there: Installation, name: str) -> None:
    """Run `sluice migrate` of the release in its job inside the network. Raises Refused where it fails."""
    if not _job(there, "sluice-migrate", name, "migrate"):
        raise Refused("the migrations failed and nothing else was changed; the job's log says which and why")


def smoke(root: Path, there: Installation, name: str) -> bool:
    """Run `sluice doctor` of the release in its job inside the network; whether it found nothing wrong with it."""
    environment = _ask([_binary(root), "output", "-json", "environment"], root / "terraform")
    (root / "build" / "environment.json").write_text(environment, encoding="utf-8")
    _gcloud("storage", "cp", f"{root}/build/environment.json", f"{there.releases}/environment.json")
    left_out = [f"--leave-out={step}" for step in OF_THE_PAST]
    return _job(there, "sluice-operate", name, "--env-file", f"{MOUNT}/environment.json", "doctor", "--json", *left_out)


def rollback(root: Path, there: Installation, running: str) -> list[str]:
    """Deploy the bundles in build/previous over the infrastructure of now; the functions that it changed.

    Those that run are in build/<running>.
    Raises Refused, before anything is changed, where the plan would touch more than bundles and functions.
    """
    build = root / "build"
    earlier, runs = build / "previous" / "package", build / running / "package"
    changed = earlier_bundles(earlier, runs, build / "package", build / "rollback")
    if not changed:
        raise Refused("the earlier release has the bundles that run: going back to it changes nothing")
    _terraform(
        root, "plan", LOCK_TIMEOUT, "-input=false", "-no-color", f"-var-file=env/{there.environment}.tfvars",
        f"-var=project={there.project}", f"-var=region={there.region}", "-var=package_dir=../build/rollback",
        "-out=../build/rollback.bin",
    )  # fmt: skip
    planned = json.loads(_ask([_binary(root), "show", "-json", "../build/rollback.bin"], root / "terraform"))
    if beyond := beyond_code(planned):
        raise Refused(f"going back would change more than code: {', '.join(beyond)}; deploy a mended release instead")
    _terraform(root, "apply", LOCK_TIMEOUT, "-input=false", "-no-color", "../build/rollback.bin")
    return changed


def note(root: Path, **known: str) -> None:
    """Keep for the later steps of this build what this one found."""
    _write(root / "build" / "rollout.json", known)


def noted(root: Path) -> dict[str, Any]:
    """What the earlier steps of this build found: release, earlier, smoke."""
    return _read(root / "build" / "rollout.json")


def _job(there: Installation, job: str, release: str, *words: str) -> bool:
    called = [
        "gcloud", "run", "jobs", "execute", job, f"--project={there.project}", f"--region={there.region}", "--wait",
        f"--update-env-vars=RELEASE={MOUNT}/{release}", f"--args={','.join(words)}",
    ]  # fmt: skip
    return subprocess.run(called, check=False).returncode == 0


def _gcloud(*words: str) -> None:
    _run(["gcloud", *words], Path.cwd())


def _terraform(root: Path, *words: str) -> None:
    _run([_binary(root), *words], root / "terraform")


def _binary(root: Path) -> str:
    """Terraform: the one that a step has put into build/bin, for the image of gcloud has none; else that of PATH."""
    put = root / "build" / "bin" / "terraform"
    return str(put) if put.exists() else "terraform"


def _run(called: list[str], folder: Path) -> None:
    _refuse(called, subprocess.run(called, cwd=folder, check=False).returncode)


def _ask(called: list[str], folder: Path) -> str:
    done = subprocess.run(called, cwd=folder, check=False, stdout=subprocess.PIPE, text=True)
    _refuse(called, done.returncode)
    return done.stdout


def _refuse(called: list[str], code: int) -> None:
    if code != 0:
        raise Refused(f"`{' '.join(called[:3])} …` ended with {code}; its own words are above")


def _read(file: Path) -> dict[str, Any]:
    read: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return read


def _write(file: Path, value: Mapping[str, object]) -> None:
    file.write_text(json.dumps(value, sort_keys=True) + "\n", encoding="utf-8")
