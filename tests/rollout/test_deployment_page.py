"""docs/deployment.md names what is there: builds, tags, variables, resources, jobs, buckets, keys and steps."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from tests.rollout.definition import ROOT

PAGE = (ROOT / "docs" / "deployment.md").read_text(encoding="utf-8")
TERRAFORM = "\n".join(path.read_text(encoding="utf-8") for path in sorted((ROOT / "terraform").glob("*.tf")))
VARIABLES = set(re.findall(r'^variable "(\w+)"', TERRAFORM, re.MULTILINE))
RESOURCES = set(re.findall(r'^resource "(\w+)" "(\w+)"', TERRAFORM, re.MULTILINE))


def test_every_build_is_told_and_no_other() -> None:
    assert set(re.findall(r"cloudbuild[\w.]*\.yaml", PAGE)) == {path.name for path in ROOT.glob("cloudbuild*.yaml")}


def test_every_variable_of_the_table_is_one_of_terraform() -> None:
    table = PAGE.partition("| variable | what it says |")[2].partition("\n\n")[0]
    named = {name for row in table.splitlines()[2:] for name in re.findall(r"`(\w+)`", row.split("|")[1])}
    assert {"repository", "approvers", "operators", "secret_versions"} <= named <= VARIABLES
    for name in ("agents_wait_seconds", "key_ring", "bigquery_location", "region"):
        assert f"`{name}`" in PAGE
        assert name in VARIABLES


def test_every_target_of_terraform_is_a_resource() -> None:
    targets = re.findall(r"-target=(\w+)\.(\w+)", PAGE)
    assert targets
    assert set(targets) <= RESOURCES


def test_every_command_tells_terraform_the_project_and_the_region() -> None:
    commands = re.findall(r"terraform -chdir=terraform (?:apply|plan|destroy) .+", PAGE.replace("\\\n", ""))
    assert len(commands) == 3
    assert all("-var=project=$PROJECT -var=region=$REGION" in command for command in commands)
    assert not any(
        re.search(r"^region\b", file.read_text(), re.M) for file in (ROOT / "terraform/env").glob("*.tfvars")
    )


def test_the_base_holds_what_a_build_needs() -> None:
    assert "-target=terraform_data.build" in PAGE
    base = TERRAFORM.partition('resource "terraform_data" "build"')[2].partition("\n}\n")[0]
    for needed in (
        "google_cloud_run_v2_job.job",
        "google_project_iam_member.apply_grants",
        "google_storage_bucket_iam_member.state",
    ):
        assert needed in base
    assert "module.function" not in base


@pytest.mark.parametrize("kind", ["deploy", "back"])
def test_a_tag_is_one_that_starts_its_build(kind: str) -> None:
    assert f"{kind}-$ENVIRONMENT-" in PAGE
    assert f'tag = "{kind}"' in TERRAFORM
    assert '"^${each.value.tag}-${var.environment}-[0-9a-f]{64}$"' in TERRAFORM


def test_every_job_that_is_started_is_one_of_terraform() -> None:
    jobs = TERRAFORM.partition("  jobs = {")[2].partition("\n  }\n")[0]
    known = {f"sluice-{name}" for name in re.findall(r"^    (\w+) +?= \{", jobs, re.MULTILINE)}
    called = set(re.findall(r"jobs execute ([\w-]+)", PAGE))
    rollout = (ROOT / "deploy" / "rollout.py").read_text(encoding="utf-8")
    assert called == known == set(re.findall(r'_job\(there, "([\w-]+)"', rollout))


def test_gcloud_takes_every_command_of_the_page(tmp_path: Path) -> None:
    """By gcloud's own check, which asks nobody: commands that are there, with flags that they have."""
    if shutil.which("gcloud") is None:
        pytest.skip("there is no gcloud on the PATH")
    page = re.sub(r"\$(\w+)", lambda name: "shop-dev" if name[1] == "PROJECT" else "x", PAGE.replace("\\\n", ""))
    commands = re.findall(r"^ {4,}(?:.*\| )?(gcloud .+)$", page, re.MULTILINE)
    assert len(commands) > 30
    file = tmp_path / "commands.json"
    file.write_text(json.dumps([{"command_string": command} for command in commands]), encoding="utf-8")
    lint = ["gcloud", "meta", "lint-gcloud-commands", f"--commands-file={file}"]
    judged = json.loads(subprocess.run(lint, capture_output=True, text=True, check=True).stdout)
    assert len(judged) == len(set(commands))
    assert [f"{one['command_string']}: {one['error_message']}" for one in judged if not one["success"]] == []


def test_a_submitted_build_takes_its_source_from_a_bucket_that_its_account_may_read() -> None:
    """An account of one's own may not read the bucket that gcloud takes by itself."""
    submitted = re.findall(r"gcloud builds submit (?:.*\\\n)*.*", PAGE)
    assert len(submitted) == 2
    assert all("--gcs-source-staging-dir=gs://$PROJECT-source/" in command for command in submitted)
    may_read = TERRAFORM.partition('resource "google_storage_bucket_iam_member" "bundles"')[2].partition("\n}\n")[0]
    assert 'plan = "roles/storage.objectViewer", apply = "roles/storage.objectUser"' in may_read
    assert "google_storage_bucket.source.name" in may_read


def test_buckets_of_the_page_are_named_as_terraform_names_them() -> None:
    for name in set(re.findall(r"gs://\$PROJECT-(\w+)", PAGE)) - {"terraform", "landing"}:
        assert f'"${{var.project}}-{name}"' in TERRAFORM
    assert 'bucket = "${var.project}-terraform"' in TERRAFORM  # made by hand, step 3
    assert '"${var.project}-${each.key}"' in TERRAFORM  # landing and those of its kind


def test_figures_of_the_environments_are_those_of_their_files() -> None:
    rows = {
        row.split("|")[1].strip(): [cell.strip() for cell in row.split("|")[2:5]]
        for row in PAGE.splitlines()
        if row.startswith("| ")
    }
    files = [(ROOT / "terraform" / "env" / f"{name}.tfvars").read_text() for name in ("dev", "staging", "prod")]

    def figure(name: str) -> list[str]:
        return [re.search(rf"{name} += (\d+)", text)[1] for text in files]  # type: ignore[index]

    assert rows["back to any second of the last"] == [f"{days} days" for days in figure("log_days")]
    assert rows["backups kept"] == [f"{days} days" for days in figure("backups")]
    zones = ["two" if '"REGIONAL"' in text else "one" for text in files]
    assert [cell.split()[0] for cell in rows["database"]] == zones
    table = yaml.safe_load((ROOT / "functions" / "functions.yaml").read_text())["functions"]
    simulated = table["product_api"]["environments"]
    assert rows["simulated product API"] == [
        "yes" if name in simulated else "no" for name in ("dev", "staging", "prod")
    ]


def test_the_trigger_of_a_rollout_waits_for_an_approval() -> None:
    builds = TERRAFORM.partition("  builds = {")[2].partition("\n  }\n")[0]
    approved = dict(re.findall(r"^    (\w+) .*approved = (\w+)", builds, re.MULTILINE))
    assert approved == {"plan": "false", "apply": "true", "rollback": "true"}
    assert "approval_required = each.value.approved" in TERRAFORM


def test_the_accounts_of_the_builds_are_those_of_their_files() -> None:
    builds = TERRAFORM.partition("  builds = {")[2].partition("\n  }\n")[0]
    for file, account in re.findall(r'file = "([\w.]+)", account = "(\w+)"', builds):
        assert f"/serviceAccounts/sluice-{account}@" in (ROOT / file).read_text(encoding="utf-8")
