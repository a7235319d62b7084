"""checkov on the JSON of plans: https://www.checkov.io. It runs in .venv-plan, as its dependencies are not ours."""

from __future__ import annotations

import json
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

CONFIG = ".checkov.yaml"
SKIP = re.compile(r"checkov:skip=(CKV\w+):(.+)")


@dataclass(frozen=True)
class Scan:
    """What checkov found in one plan: how many checks passed and were skipped, and what failed."""

    passed: int
    skipped: int
    failed: tuple[str, ...]


def scan(checkov: Path, root: Path, plan: Path) -> Scan:
    """Run checkov on a plan with the configuration and the skips of the checkout `root`."""
    adapted = plan.with_suffix(".checkov.json")
    adapted.write_text(json.dumps(without_empty_access(json.loads(plan.read_text(encoding="utf-8")))), encoding="utf-8")
    options = ("--config-file", str(root / CONFIG), "--repo-root-for-plan-enrichment", str(root / "terraform"))
    command = [str(checkov), "-f", str(adapted), *options, "-o", "json"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=plan.parent)
    adapted.unlink()
    if done.returncode not in (0, 1):
        raise RuntimeError(f"checkov failed: {done.stderr}")
    return read_scan(json.loads(done.stdout))


def read_scan(report: dict[str, Any]) -> Scan:
    """Read checkov's report."""
    failed = report["results"]["failed_checks"]
    summary = report["summary"]
    found = tuple(f"{f['check_id']} {f['resource']}: {f['check_name']}" for f in failed)
    return Scan(summary["passed"], summary["skipped"], found)


def without_empty_access(plan: dict[str, Any]) -> dict[str, Any]:
    """Without the empty `access` of datasets: Google fills it, the stand-in cannot, checkov takes it for a grant."""
    for resource in plan["planned_values"]["root_module"].get("resources", ()):
        if resource["type"] == "google_bigquery_dataset" and not resource["values"].get("access"):
            resource["values"].pop("access", None)
    for change in plan["resource_changes"]:
        after = change["change"].get("after") or {}
        if change["type"] == "google_bigquery_dataset" and not after.get("access"):
            after.pop("access", None)
    return plan


def skips(root: Path) -> list[tuple[str, str, str]]:
    """Every suppression of the checkout: the check, where it is left out, and why."""
    listed = re.findall(r"^\s+- (CKV\w+)\s+# (.+)$", (root / CONFIG).read_text(encoding="utf-8"), re.MULTILINE)
    found = [(check, CONFIG, why) for check, why in listed]
    for file in sorted((root / "terraform").rglob("*.tf")):
        for check, why in SKIP.findall(file.read_text(encoding="utf-8")):
            found.append((check, file.name, why.strip()))
    return found
