"""`python3 -m deploy STEP`: a step of a build, at the root of a checkout. One line and exit code 1: it was refused.

Only the standard library, here and in what it imports: it runs in the image of the Google Cloud CLI, uninstalled.
"""

from __future__ import annotations

import argparse
import shutil
import sys
from pathlib import Path

from deploy import rollout
from deploy.release import Origin, Refused, check, save
from deploy.rollout import Installation, Running, note, noted

STEPS = ("save", "store", "fetch", "migrate", "record", "smoke", "rollback", "finish")


def main(words: list[str], root: Path) -> int:
    """Run the step; its exit code."""
    given = _parser().parse_args(words)
    there = Installation(given.project, given.region, given.environment)
    try:
        told, code = _step(given, root, there)
    except Refused as exc:
        told, code = f"refused: {exc}", 1
    sys.stdout.write(told + "\n")
    return code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="deploy")
    parser.add_argument("step", choices=STEPS)
    parser.add_argument("--project", required=True)
    parser.add_argument("--region", required=True)
    parser.add_argument("--environment", required=True)
    parser.add_argument("--commit", default="", help="of the checkout; empty where the build has no repository")
    parser.add_argument("--release", default="", type=_of_tag, help="the release to roll out, or a tag that ends in it")
    parser.add_argument("--back-to", default="", type=_of_tag, help="the release to go back to, likewise")
    return parser


def _of_tag(tag: str) -> str:
    return tag.rpartition("-")[2]


def _step(given: argparse.Namespace, root: Path, there: Installation) -> tuple[str, int]:
    """What the step has to say, and its exit code."""
    match given.step:
        case "save":
            name = save(root, root / "build" / "release", Origin(there.project, there.environment, given.commit))
            return f"release {name}", 0
        case "store":
            return _approval(rollout.store(root, there), given.commit, there), 0
        case "fetch":
            return _fetch(given, root, there), 0
        case "migrate":
            rollout.migrate(there, given.release)
            return "migrated, and the users of the database have their roles", 0
        case "record":
            return _record(root, there), 0
        case "smoke":
            return _smoke(root, there), 0
        case "rollback":
            return _rollback(given, root, there), 0
        case _:
            return _finish(given, root)


def _approval(name: str, commit: str, there: Installation) -> str:
    tag = f"deploy-{there.environment}-{name}"
    return (
        f"To roll it out, read {there.releases}/{name}/plan.txt and tag its commit; the build that this starts waits\n"
        f"for an approval:  git tag {tag} {commit} && git push origin {tag}"
    )


def _fetch(given: argparse.Namespace, root: Path, there: Installation) -> str:
    """The release, checked, its bundles where the plan expects them; and the one to go back to, where there is one."""
    rollout.refuse_locked(root, there)
    runs = rollout.running(root, there)
    name, earlier = given.release or runs.release, given.back_to or runs.bundles
    if not name:
        raise Refused("no release runs yet, so there is none to go back from")
    folder = rollout.fetch(root, there, name)
    check(folder, name, Origin(there.project, there.environment, given.commit))
    shutil.rmtree(root / "build" / "package", ignore_errors=True)
    shutil.copytree(folder / "package", root / "build" / "package")
    note(root, release=name, earlier=earlier)
    if not earlier:
        return f"release {name}; it is the first, there is none to go back to"
    others = {"previous": earlier} | ({"running": runs.bundles} if given.back_to else {})
    for place, other in others.items():
        check(rollout.fetch(root, there, other, place), other, Origin(there.project, there.environment, None))
    return f"release {name}, and {earlier} to go back to"


def _record(root: Path, there: Installation) -> str:
    """What runs from here on, whatever becomes of the steps after it."""
    release = noted(root)["release"]
    rollout.record(root, there, Running(release, release))
    return f"noted that release {release} runs; whether it works, the smoke test says"


def _smoke(root: Path, there: Installation) -> str:
    """Never fails the build by itself: the steps that go back and tell come after it."""
    known = noted(root)
    passed = rollout.smoke(root, there, known["release"])
    note(root, **known, smoke="passed" if passed else "failed")
    return "the smoke test " + ("passed" if passed else "FAILED; the log of the job sluice-operate says in what")


def _rollback(given: argparse.Namespace, root: Path, there: Installation) -> str:
    """Go back where the smoke test failed, or where an operator ordered it."""
    known = noted(root)
    if not given.back_to and known["smoke"] == "passed":
        return "the smoke test passed: nothing to go back from"
    if not known["earlier"]:
        return "there is no earlier release to go back to: mend this one and deploy again"
    changed = rollout.rollback(root, there, "running" if given.back_to else "release")
    rollout.record(root, there, Running(known["release"], known["earlier"]))
    if given.back_to:
        return f"the bundles of {known['earlier']} run again: {', '.join(changed)}"
    passed = rollout.smoke(root, there, known["release"])
    told = "passes with them" if passed else "STILL FAILS: it is not the code of the functions; see docs/runbook.md"
    return f"the bundles of {known['earlier']} run again: {', '.join(changed)}; the smoke test {told}"


def _finish(given: argparse.Namespace, root: Path) -> tuple[str, int]:
    known = noted(root)
    if known["smoke"] != "passed":
        return "the smoke test did not pass; the steps above say what was done: docs/deployment.md#roll-back", 1
    return f"release {known['release']} runs" + (f" with the bundles of {known['earlier']}" if given.back_to else ""), 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], Path.cwd()))
