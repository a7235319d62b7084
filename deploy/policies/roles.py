"""Least privilege: no basic roles, no data of the whole project, no keys, and accounts of their own."""

from __future__ import annotations

import re
from collections.abc import Iterator

from deploy.planned import Plan
from deploy.policies.grants import PROJECT, grants

BASIC = {"roles/owner", "roles/editor", "roles/viewer", "roles/browser"}
DEFAULT_ACCOUNT = re.compile(
    r"-compute@developer\.gserviceaccount\.com|@appspot\.gserviceaccount\.com|@cloudbuild\.gserviceaccount"
)
AGENT = re.compile(r"service-\S+@(gcp-sa-[\w-]+|gcf-admin-robot|serverless-robot-prod)\.iam\.gserviceaccount\.com$")
OVERWRITES = re.compile(r"google_\w+_iam_(policy|binding)$")

PROJECT_WIDE = {
    "roles/bigquery.jobUser": "a job belongs to a project; it reads nothing by itself",
    "roles/logging.logWriter": "logs belong to a project",
    "roles/monitoring.metricWriter": "metrics belong to a project",
}
"""Roles that Google grants on nothing smaller, and that give no data."""

PROJECT_WIDE_PERMISSIONS = {"pubsub.subscriptions.list", "bigquery.jobs.listAll"}
"""What a role of our own may hold when it is granted on the project: names and costs, no data."""


def no_basic_roles(plan: Plan) -> Iterator[str]:
    """Owner, editor, viewer and browser open everything that the project has or will have."""
    for grant in grants(plan):
        if grant.role in BASIC:
            yield f"{grant.address}: {grant.role} is a basic role; grant what is needed, where it is needed"


def nothing_of_the_whole_project(plan: Plan) -> Iterator[str]:
    """A grant on the project is of the short list above, of Google's own agent, or narrowed by a condition."""
    permissions = {r.at("role_id"): set(r.all("permissions")) for r in plan.of("google_project_iam_custom_role")}
    for grant in grants(plan):
        if grant.kind != PROJECT or grant.condition or grant.role in PROJECT_WIDE:
            continue
        if AGENT.search(grant.member) and grant.role.lower().endswith(".serviceagent"):
            continue
        own = permissions.get(grant.role.rpartition("/")[2])
        if own is not None and own <= PROJECT_WIDE_PERMISSIONS:
            continue
        yield f"{grant.address}: {grant.role} on the whole project; grant it on the bucket, topic or dataset"


def conditions_name_a_resource(plan: Plan) -> Iterator[str]:
    """A condition narrows only where it compares the name of a resource."""
    for grant in grants(plan):
        if grant.kind == PROJECT and grant.condition and "resource.name" not in grant.condition:
            yield f"{grant.address}: its condition does not say on which resource: {grant.condition}"


def grants_are_added_not_overwritten(plan: Plan) -> Iterator[str]:
    """A policy or a binding takes away what others, and Google's agents, were given."""
    for resource in plan.resources:
        if OVERWRITES.match(resource.kind):
            yield f"{resource.address}: replaces the grants of others; use {resource.kind.rpartition('_')[0]}_member"


def accounts_have_no_keys(plan: Plan) -> Iterator[str]:
    """A key file can be copied and does not expire."""
    for key in plan.of("google_service_account_key"):
        yield f"{key.address}: a key file can be copied; let callers act as the account instead"


def nothing_runs_as_a_default_account(plan: Plan) -> Iterator[str]:
    """Google's default accounts may read and write every bucket."""
    for grant in grants(plan):
        if DEFAULT_ACCOUNT.search(grant.member):
            yield f"{grant.address}: grants to {grant.member}, which everything without an account of its own runs as"
    for function in plan.of("google_cloudfunctions2_function"):
        for where in ("service_config.service_account_email", "build_config.service_account"):
            if not function.at(where):
                yield f"{function.address}: {where} is missing, so a default account is used"


def functions_share_no_account(plan: Plan) -> Iterator[str]:
    """What one function may, another need not."""
    seen: dict[str, str] = {}
    for function in plan.of("google_cloudfunctions2_function"):
        account = str(function.at("service_config.service_account_email"))
        if account in seen:
            yield f"{function.address}: runs as {account}, as {seen[account]} does"
        seen[account] = function.address
