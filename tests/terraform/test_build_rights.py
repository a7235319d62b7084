"""What the builds' accounts may do: the one that plans changes nothing, the one that applies may grant what it must."""

from __future__ import annotations

import re

import pytest

from deploy.planned import Plan
from tests.terraform.bundles import ROOT
from tests.terraform.references import before

PROJECT = "google_project_iam_member"
BUILDS = ("plan", "apply")
READ_BY = {
    "google_project": "resourcemanager.projects.get",
    "google_storage_project_service_account": "resourcemanager.projects.get",
    "google_bigquery_default_service_account": "bigquery.jobs.create",
}
"""Data source => the permission that its method asks for, by the reference of its API."""
GIVEN_BY = {
    "roles/browser": "resourcemanager.projects.get",
    "roles/bigquery.jobUser": "bigquery.jobs.create",
}


def of_the_builds(address: str) -> bool:
    return any(address.startswith(f"{PROJECT}.{name}") for name in BUILDS)


def grantable(plan: Plan) -> set[str]:
    """The roles that the condition of sluice-apply lets it grant on the project."""
    (grant,) = [one for one in plan.of(PROJECT) if one.address == f"{PROJECT}.apply_grants"]
    lists = re.findall(r"hasOnly\(\[(.*?)\]\)", str(grant.at("condition.expression")))
    assert all(found.count(",") < 10 for found in lists)
    return {role for found in lists for role in re.findall(r'"([^"]+)"', found)}


def test_every_role_that_is_granted_on_the_project_may_be_granted_by_the_build_that_applies(plan: Plan) -> None:
    granted = {str(one.at("role")) for one in plan.of(PROJECT) if not of_the_builds(one.address)}
    assert granted <= grantable(plan)


def test_the_build_that_applies_cannot_grant_itself_what_it_has(plan: Plan) -> None:
    own = {str(one.at("role")) for one in plan.of(PROJECT) if one.address.startswith(f"{PROJECT}.apply")}
    assert {"roles/resourcemanager.projectIamAdmin", "roles/run.admin"} <= own
    assert grantable(plan) & own <= {"roles/logging.logWriter"}
    assert [role for role in sorted(own) if re.search(r"(?i)iam\.(role|organizationRole|security)Admin", role)] == []
    assert [name for name in sorted(setup_permissions(plan)) if name.startswith("iam.roles.")] == []


def test_every_role_of_the_project_is_in_the_base_which_no_build_lays(plan: Plan) -> None:
    assert {one.address for one in plan.of("google_project_iam_custom_role")} <= before("terraform_data.build")


def test_the_build_that_plans_has_only_roles_that_look(plan: Plan) -> None:
    own = {str(one.at("role")) for one in plan.of(PROJECT) if one.address.startswith(f"{PROJECT}.plan[")}
    looks = re.compile(r"[vV]iewer$|[rR]eader$|Reviewer$|^roles/browser$|Accessor$|Consumer$|logWriter$|jobUser$")
    assert own
    assert [role for role in sorted(own) if not looks.search(role)] == []


def setup_permissions(plan: Plan) -> set[str]:
    (role,) = [one for one in plan.of("google_project_iam_custom_role") if one.at("role_id") == "sluiceSetup"]
    return set(role.values["permissions"])


@pytest.mark.parametrize("build", BUILDS)
def test_both_builds_may_read_what_every_plan_reads(plan: Plan, build: str) -> None:
    """Going back plans too, as the account that applies."""
    read = {
        kind
        for file in (ROOT / "terraform").glob("*.tf")
        for kind in re.findall(r'^data "(\w+)"', file.read_text(), re.M)
    }
    roles = {str(one.at("role")) for one in plan.of(PROJECT) if one.address.startswith(f"{PROJECT}.{build}[")}
    held = {GIVEN_BY.get(role) for role in roles} | (setup_permissions(plan) if build == "apply" else set())
    assert {READ_BY[kind] for kind in read} - held == set()


def test_the_role_that_sets_stores_up_reads_nothing_that_is_in_them(plan: Plan) -> None:
    permissions = setup_permissions(plan)
    assert "bigquery.tables.create" in permissions
    reading = re.compile(r"getData|export|objects\.|versions|publish|consume|connect$|login$|actAs|Key|approve|Token")
    assert [name for name in sorted(permissions) if reading.search(name)] == []


def test_the_views_read_what_the_build_that_makes_them_may_read() -> None:
    read = {
        dataset
        for view in (ROOT / "sql" / "bigquery").glob("*/*/view.sql")
        for dataset in re.findall(r"(?:FROM|JOIN)\s+`?(\w+)\.\w", view.read_text(encoding="utf-8"))
    }
    assert read == {"marts"}
