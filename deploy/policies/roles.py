"""Least privilege: no basic roles, no data of the whole project, no keys, and accounts of their own."""

from __future__ import annotations

import re
from collections.abc import Iterator

from deploy.planned import Plan
from deploy.policies.grants import PROJECT, grants

BASIC = {"roles/owner", "roles/editor", "roles/viewer"}
DEFAULT_ACCOUNT = re.compile(
    r"-compute@developer\.gserviceaccount\.com|@appspot\.gserviceaccount\.com|@cloudbuild\.gserviceaccount"
)
AGENT = re.compile(r"service-\S+@(gcp-sa-[\w-]+|gcf-admin-robot|serverless-robot-prod)\.iam\.gserviceaccount\.com$")
NARROWS = re.compile(r"resource\.name|modifiedGrantsByRole")
OVERWRITES = re.compile(r"google_\w+_iam_(policy|binding)$")

DATA = (
    "roles/bigquery.",
    "roles/cloudkms.",
    "roles/cloudsql.",
    "roles/pubsub.",
    "roles/secretmanager.",
    "roles/storage.",
)
"""Services whose roles give rows, messages, objects, secrets or keys, but for these:"""
NO_DATA = {
    "roles/bigquery.jobUser": "a job belongs to a project, and reads nothing by itself",
    "roles/bigquery.metadataViewer": "names and schemas",
    "roles/bigquery.resourceViewer": "jobs and what they cost",
    "roles/cloudkms.admin": "makes keys, uses none",
    "roles/cloudkms.viewer": "names",
    "roles/cloudsql.viewer": "names and settings",
    "roles/pubsub.viewer": "names and settings",
    "roles/secretmanager.viewer": "names, no values",
    "roles/storage.bucketViewer": "names and settings",
}
RUNS_AS = {
    "google_cloudfunctions2_function": ("service_config.service_account_email", "build_config.service_account"),
    "google_cloud_run_v2_job": ("template.template.service_account",),
    "google_cloudbuild_trigger": ("service_account",),
}
"""What runs code => where its account is named."""
IMPERSONATION = {
    "roles/iam.serviceAccountUser",
    "roles/iam.serviceAccountTokenCreator",
    "roles/iam.serviceAccountKeyAdmin",
}
"""On the project they let their holder act as every account that it has or will have."""

DATA_PERMISSION = re.compile(
    r"storage\.objects\.|bigquery\.tables\.(getData|updateData|export)|pubsub\.(topics\.publish|subscriptions\.consume)"
    r"|secretmanager\.versions\.access|cloudsql\.instances\.(login|connect|export)|cryptoKeyVersions\.use|iam\.serviceAccounts\.actAs"
)


def no_basic_roles(plan: Plan) -> Iterator[str]:
    """Owner, editor and viewer open everything that the project has or will have."""
    for grant in grants(plan):
        if grant.role in BASIC:
            yield f"{grant.address}: {grant.role} is a basic role; grant what is needed, where it is needed"


def no_data_of_the_whole_project(plan: Plan) -> Iterator[str]:
    """A grant on the project gives no data and lets nobody act as another, unless a condition narrows it.

    Google's own agents hold the roles that Google made for them.
    """
    own = {r.at("role_id"): r.all("permissions") for r in plan.of("google_project_iam_custom_role")}
    for grant in grants(plan):
        agent = AGENT.search(grant.member) and grant.role.lower().endswith(".serviceagent")
        if grant.kind != PROJECT or grant.condition or agent:
            continue
        permissions = own.get(grant.role.rpartition("/")[2], ())
        if grant.role.startswith(DATA) and grant.role not in NO_DATA:
            yield f"{grant.address}: {grant.role} on the whole project; grant it on the bucket, topic or dataset"
        if grant.role in IMPERSONATION:
            yield f"{grant.address}: {grant.role} on the whole project; grant it on the account"
        if data := [permission for permission in permissions if DATA_PERMISSION.search(permission)]:
            yield f"{grant.address}: {', '.join(data)} on the whole project; grant the role on the resource"


def conditions_narrow(plan: Plan) -> Iterator[str]:
    """A condition on the project's grants compares the name of a resource, or the roles that may be given."""
    for grant in grants(plan):
        if grant.kind == PROJECT and grant.condition and not NARROWS.search(grant.condition):
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
    for kind, places in RUNS_AS.items():
        for resource in plan.of(kind):
            for where in places:
                if not resource.at(where):
                    yield f"{resource.address}: {where} is missing, so a default account is used"


def functions_share_no_account(plan: Plan) -> Iterator[str]:
    """What one function may, another need not."""
    seen: dict[str, str] = {}
    for function in plan.of("google_cloudfunctions2_function"):
        account = str(function.at("service_config.service_account_email"))
        if account in seen:
            yield f"{function.address}: runs as {account}, as {seen[account]} does"
        seen[account] = function.address
