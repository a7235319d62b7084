"""The builds' files say what the API takes and what a run can do; mistakes in them are found here, not there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from deploy.__main__ import STEPS
from tests.rollout.definition import ROOT, problems, read_build

FILES = sorted(ROOT.glob("cloudbuild*.yaml"))
PLAN = (ROOT / "cloudbuild.yaml").read_text(encoding="utf-8")
REGION = "  _REGION: europe-west1"
APPLY = (ROOT / "cloudbuild.apply.yaml").read_text(encoding="utf-8")


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_a_build_is_what_the_api_takes_and_names_what_is_there(file: Path) -> None:
    assert problems(file.read_text(encoding="utf-8")) == []


def steps(text: str) -> list[str]:
    return [step.id for step in read_build(text).steps]


def test_a_release_is_checked_packaged_and_planned_and_nothing_is_applied() -> None:
    order = steps(PLAN)
    wanted = ["style", "types", "tests", "package", "terraform-init", "terraform-plan", "release", "store"]
    assert [step for step in order if step in wanted] == wanted
    assert "apply" not in PLAN.partition("steps:")[2]


def test_a_release_is_saved_only_after_every_check() -> None:
    waits = {step.id: set(step.wait_for) for step in read_build(PLAN).steps}
    assert {"style", "types", "tests"} <= waits["release"]
    assert waits["store"] == {"release"}


def test_the_database_is_migrated_before_the_saved_plan_is_applied_and_tested_after() -> None:
    order = steps(APPLY)
    wanted = ["fetch", "migrate", "terraform-apply", "record", "grant", "smoke", "rollback", "finish"]
    assert [step for step in order if step in wanted] == wanted
    (apply,) = (step for step in read_build(APPLY).steps if step.id == "terraform-apply")
    assert apply.args[-1] == "../build/release/plan.bin"
    assert "-lock-timeout=10m" in apply.args
    assert "plan" not in [word for step in read_build(APPLY).steps for word in step.args]


def test_the_plan_is_of_the_region_in_which_the_builds_look_for_the_jobs() -> None:
    (plan,) = (step for step in read_build(PLAN).steps if step.id == "terraform-plan")
    assert {"-var=project=$PROJECT_ID", "-var=region=${_REGION}"} <= set(plan.args)
    variables, triggers = ((ROOT / "terraform" / name).read_text() for name in ("variables.tf", "build.tf"))
    assert "_REGION = var.region" in triggers
    default = re.search(r'variable "region" \{.*?default += "(.+?)"', variables, re.DOTALL)
    assert default is not None
    assert {read_build(file.read_text()).substitutions["_REGION"] for file in FILES} == {default[1]}


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_every_step_of_deploy_that_a_build_calls_is_one(file: Path) -> None:
    called = [step.args[2] for step in read_build(file.read_text()).steps if list(step.args[:2]) == ["-m", "deploy"]]
    assert called
    assert set(called) <= set(STEPS)


def test_every_step_of_deploy_is_called_by_a_build() -> None:
    assert set(STEPS) <= set(re.findall(r"\[-m, deploy, (\w+)", "".join(file.read_text() for file in FILES)))


@pytest.mark.parametrize(
    ("right", "wrong", "told"),
    [
        ("waitFor: [setup]", "waitsFor: [setup]", 'no field named "waitsFor"'),
        ("timeout: 3600s", "timeout: an hour", "not a Build"),
        ("machineType: E2_HIGHCPU_8", "machineType: E2_HIGHCPU_9", "not a Build"),
        ("waitFor: [release]", "waitFor: [relaese]", "step store: waits for relaese, which is no step above it"),
        ("waitFor: [setup]", "waitFor: [store]", "step style: waits for store, which is no step above it"),
        ("id: types", "id: style", "step 'style': give each step an id of its own"),
        ("id: types", "dir: .", "step '': give each step an id of its own"),
        ("env/${_ENVIRONMENT}.tfvars", "env/${_ENV}.tfvars", "$_ENV is used and not declared"),
        (REGION, f"{REGION}\n  _ZONE: b", "_ZONE is declared under"),
        (REGION, f"{REGION}\n  REGION: b", "REGION: a substitution of one's own"),
        ("> build/plan.txt", "> $plan", "a $ of the shell is written $$"),
        ("python:3.11.14-slim-bookworm", "python:slim", "image python:slim is not pinned"),
        ("hashicorp/terraform:1.11.4", "hashicorp/terraform:latest", "is not pinned"),
        ("hashicorp/terraform:1.11.4", "hashicorp/terraform", "is not pinned"),
        ("args: [style]", "args: [stile]", "the Makefile has no target stile"),
        ("requirements-cli.txt", "requirements-tool.txt", "there is no requirements-tool.txt"),
        ("constraint=constraints.txt", "constraint=limits.txt", "there is no limits.txt"),
        ("-chdir=terraform", "-chdir=infrastructure", "there is no folder infrastructure"),
        ("=env/${_ENVIRONMENT}", "=vars/${_ENVIRONMENT}", "no terraform/vars/${_ENVIRONMENT}.tfvars for dev"),
        ("logging: CLOUD_LOGGING_ONLY", "logging: LEGACY", "options.logging must be CLOUD_LOGGING_ONLY"),
        ("queueTtl: 3600s", "", "timeout and queueTtl must be set"),
        ("/serviceAccounts/sluice-plan@", "/serviceAccounts/default@", "serviceAccount: name an account of its own"),
        ("substitutionOption: MUST_MATCH", "substitutionOption: ALLOW_LOOSE", "must be MUST_MATCH"),
    ],
)  # fmt: skip
def test_a_mistake_is_caught(right: str, wrong: str, told: str) -> None:
    assert right in PLAN
    found = problems(PLAN.replace(right, wrong, 1))
    assert any(told in problem for problem in found), found


def test_a_dollar_for_the_shell_is_taken_where_it_is_written_twice() -> None:
    assert problems(PLAN.replace("> build/plan.txt", "> build/plan.txt && echo $$HOME", 1)) == problems(PLAN)


def test_the_pins_of_images_are_those_of_the_repository() -> None:
    needed = re.search(r'required_version = ">= ([0-9.]+)', (ROOT / "terraform" / "versions.tf").read_text())
    assert needed is not None
    for file in FILES:
        for version in re.findall(r"hashicorp/terraform:([0-9.]+)", file.read_text()):
            assert version.startswith(needed[1])
