"""`make plan`: validates, tests and plans Terraform for each environment, and holds each plan against every policy.

    python -m deploy.make_plan [--environment dev] [--checkov PATH]

Offline by a stand-in for the provider (deploy/offline.py), which then also applies each plan to a state that is thrown
away, and plans again: no changes. That shows that a plan is the same each time; it shows nothing of Google Cloud.
After all three it writes the tables of docs/terraform.md anew.
Without the stand-in it is the real provider, which needs credentials. Writes build/plan/<environment>.json.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from deploy.offline import ROOT, Missing, install, tools_folder
from deploy.page import write_page
from deploy.planned import Plan, read
from deploy.planning import first_plan, settled_plan
from deploy.policies import findings
from deploy.repository import read_repository
from deploy.scan import scan
from deploy.terraform import ENVIRONMENTS, Terraform, TerraformFailed
from deploy.tree import copy_tree

BUILD = ROOT / "build" / "plan"
Result = TypeVar("Result")


class Broken(Exception):
    """A plan does not hold; the message says what is against it."""


def main(words: list[str]) -> int:
    """Run everything; 0 where all of it holds."""
    options = _options(words)
    steps = Steps()
    try:
        terraform = _prepared(ROOT / "build" / "package")
        steps.run("all", "validate", terraform.validate)
        steps.run("all", "test", terraform.test)
        wanted = options.environment or ENVIRONMENTS
        with ThreadPoolExecutor(len(wanted)) as pool:
            made = pool.map(lambda name: _environment(steps, terraform, name, options.checkov), wanted)
            plans = dict(zip(wanted, made, strict=True))
    except (Missing, TerraformFailed, Broken) as exc:
        sys.stderr.write(f"\n{exc}\n")
        return 1
    if tuple(plans) == ENVIRONMENTS:
        write_page(ROOT, plans)
    return 0


class Steps:
    """Runs steps one after the other, and tells of each how long it took and what came of it."""

    def __init__(self) -> None:
        self._write("environment", "step", "seconds", "result")

    def run(
        self, environment: str, step: str, work: Callable[[], Result], told: Callable[[Result], str] = str
    ) -> Result:
        """Run `work`; `told` says its result in a few words."""
        start = time.monotonic()
        result = work()
        self._write(environment, step, f"{time.monotonic() - start:.1f}", "ok" if result is None else told(result))
        return result

    @staticmethod
    def _write(environment: str, step: str, seconds: str, result: str) -> None:
        sys.stdout.write(f"{environment:12} {step:10} {seconds:>8}  {result}\n")
        sys.stdout.flush()


def _options(words: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m deploy.make_plan")
    parser.add_argument("--environment", action="append", choices=ENVIRONMENTS)
    parser.add_argument("--checkov", type=Path, default=ROOT / ".venv-plan" / "bin" / "checkov")
    return parser.parse_args(words)


def _prepared(package: Path) -> Terraform:
    """A fresh copy of the tree in build/plan, with the stand-in where it is there."""
    if not (package / "manifest.json").exists():
        raise Missing(f"{package} has no manifest.json: run `make package` first")
    shutil.rmtree(BUILD, ignore_errors=True)
    folder = copy_tree(ROOT, BUILD / "tree", package)
    offline = install(BUILD / "provider", tools_folder(), folder) if tools_folder().exists() else None
    sys.stdout.write(f"provider: {'the stand-in of ' + str(tools_folder()) if offline else 'the real one'}\n\n")
    terraform = Terraform(folder, offline)
    terraform.prepare()
    return terraform


def _environment(steps: Steps, terraform: Terraform, environment: str, checkov: Path) -> Plan:
    """Everything for one environment; its plan, settled where it is the stand-in's."""
    first = steps.run(
        environment, "plan", lambda: first_plan(terraform, environment, BUILD), lambda f: f"{_to_create(f)} to create"
    )
    file = BUILD / f"{environment}.json"
    file.write_text(json.dumps(first, indent=1), encoding="utf-8")
    steps.run(environment, "checkov", lambda: _scanned(checkov, file))
    if terraform.offline is None:
        return read(first, environment)
    settled = steps.run(
        environment,
        "settled",
        lambda: settled_plan(terraform, environment, BUILD, first),
        lambda s: f"{len(s.resources)} resources",
    )
    steps.run(environment, "policies", lambda: _judged(settled))
    steps.run(environment, "apply", lambda: terraform.apply(*_files(environment)))
    steps.run(environment, "plan again", lambda: _unchanged(terraform, environment))
    return settled


def _to_create(first: dict[str, list[dict[str, dict[str, list[str]]]]]) -> int:
    return sum("create" in change["change"]["actions"] for change in first["resource_changes"])


def _scanned(checkov: Path, file: Path) -> str:
    found = scan(checkov, ROOT, file)
    if found.failed:
        raise Broken("checkov:\n  " + "\n  ".join(found.failed))
    return f"{found.passed} passed, 0 failed, {found.skipped} skipped on single resources"


def _judged(plan: Plan) -> str:
    found = findings(plan, read_repository(ROOT))
    broken = [f"{policy}: {finding}" for policy, against in found.items() for finding in against]
    if broken:
        raise Broken("\n".join(broken))
    return f"{len(found)} kept"


def _unchanged(terraform: Terraform, environment: str) -> str:
    plan, state = _files(environment)
    if terraform.plan(environment, plan.with_suffix(".again"), state):
        raise Broken(f"{environment}: a second plan, after an apply, is not empty")
    return "no changes"


def _files(environment: str) -> tuple[Path, Path]:
    return BUILD / f"{environment}.tfplan", BUILD / f"{environment}.tfstate"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
