"""A shop whose releases are made and rolled out by the steps of the builds, with stand-ins for gcloud and terraform."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from deploy.__main__ import main
from deploy.release import RECORD, sha256

WHERE = ("--project=shop-dev", "--region=europe-west1", "--environment=dev")
FUNCTIONS = ("enrich", "validate")


def change(address: str, kind: str, *actions: str, name: str = "") -> dict[str, object]:
    return {"address": address, "type": kind, "change": {"actions": list(actions), "before": {"name": name}}}


BUNDLE, FUNCTION = "google_storage_bucket_object", "google_cloudfunctions2_function"
CODE_ONLY = [
    change('module.function["enrich"].google_storage_bucket_object.bundle', BUNDLE, "delete", "create"),
    change('module.function["enrich"].google_cloudfunctions2_function.this', FUNCTION, "update"),
    change("google_pubsub_topic.topic", "google_pubsub_topic", "no-op"),
]


class Shop:
    """A checkout, a project with a bucket of releases, and the steps of a build on them."""

    def __init__(self, home: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.home, self.root, self._capsys = home, home / "checkout", capsys
        self.bucket = home / "buckets" / "shop-dev-releases"
        self.bucket.mkdir(parents=True)
        for folder in ("cli", "functions", "local", "shared", "sql", "deploy", "terraform", "build/wheels"):
            (self.root / folder).mkdir(parents=True)
        for name in (
            "requirements.txt",
            "requirements-cli.txt",
            "shared/errors.py",
            "deploy/job.sh",
            "build/wheels/a.whl",
        ):
            (self.root / name).write_text(name)
        self.plan(CODE_ONLY)

    def plan(self, changes: list[dict[str, object]], *drained: str) -> None:
        """What Terraform will plan from now on."""
        plan = {"resource_changes": changes, "variables": {"drained": {"value": drained}}}
        (self.home / "plan.json").write_text(json.dumps(plan))

    def doctor_says(self, *codes: int) -> None:
        """How the next smoke tests end."""
        (self.home / "sluice-operate.says").write_text(" ".join(map(str, codes)))

    def step(self, name: str, *words: str) -> tuple[int, str]:
        code = main([name, *WHERE, *words], self.root)
        return code, self._capsys.readouterr().out

    def release(self, version: str, commit: str = "c1") -> str:
        """Make and store a release whose bundle of `enrich` is of this version; its name."""
        package = self.root / "build" / "package"
        package.mkdir(exist_ok=True)
        entries = {name: {"file": f"{name}-{version if name == 'enrich' else 'same'}.zip"} for name in FUNCTIONS}
        for entry in entries.values():
            (package / entry["file"]).write_text(entry["file"])
        (package / "manifest.json").write_text(json.dumps({"functions": entries}))
        for name in ("plan.bin", "plan.txt"):
            (self.root / "build" / name).write_text(version)
        shutil.copyfile(self.home / "plan.json", self.root / "build" / "plan.json")
        code, told = self.step("save", f"--commit={commit}")
        assert code == 0, told
        assert self.step("store", f"--commit={commit}")[0] == 0
        return sha256(self.root / "build" / "release" / RECORD)

    def roll_out(self, release: str, commit: str = "c1") -> tuple[int, str]:
        """The steps of cloudbuild.apply.yaml but Terraform's own; the last one's exit code and all that was told."""
        told = ""
        for step in ("fetch", "migrate", "record", "smoke", "rollback", "finish"):
            code, words = self.step(
                step, f"--release=deploy-dev-{release}", *([f"--commit={commit}"] if step == "fetch" else [])
            )
            told += words
            if code:
                break
        return code, told

    def go_back(self, release: str, commit: str = "c1") -> tuple[int, str]:
        """The steps of cloudbuild.rollback.yaml but Terraform's own, likewise."""
        told = ""
        for step in ("fetch", "rollback", "smoke", "finish"):
            code, words = self.step(
                step, f"--back-to=back-dev-{release}", *([f"--commit={commit}"] if step == "fetch" else [])
            )
            told += words
            if code:
                break
        return code, told

    @property
    def calls(self) -> list[str]:
        return (self.home / "calls.txt").read_text().splitlines()

    @property
    def runs(self) -> dict[str, str]:
        read: dict[str, str] = json.loads((self.bucket / "current.json").read_text())
        return read
