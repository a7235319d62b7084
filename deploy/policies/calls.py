"""Who calls a function may, says who it is, tries again, and waits longer than the function works."""

from __future__ import annotations

from collections.abc import Iterator

from deploy.planned import Plan, Resource
from deploy.policies.grants import grants

FUNCTION = "google_cloudfunctions2_function"
SUBSCRIPTION = "google_pubsub_subscription"
JOB = "google_cloud_scheduler_job"
INTERNAL = "ALLOW_INTERNAL_ONLY"
MARGIN_SECONDS = 30
"""Between a function's own end and its caller's patience: what a response takes, and a little more."""
LONGEST_DEADLINE = 1800
"""The most that Cloud Scheduler waits for an HTTP target: https://cloud.google.com/scheduler/docs/creating."""


def callers(plan: Plan) -> Iterator[tuple[Resource, str, str, str]]:
    """Every push subscription and job with its target's URL, the audience and the account of its token."""
    for subscription in plan.of(SUBSCRIPTION):
        if subscription.all("push_config"):
            who = "push_config.oidc_token."
            url = subscription.at("push_config.push_endpoint")
            yield (
                subscription,
                url,
                subscription.at(f"{who}audience"),
                subscription.at(f"{who}service_account_email"),
            )
    for job in plan.of(JOB):
        who = "http_target.oidc_token."
        yield job, job.at("http_target.uri"), job.at(f"{who}audience"), job.at(f"{who}service_account_email")


def target(plan: Plan, url: str) -> Resource | None:
    """The function that has a URL."""
    return next((f for f in plan.of(FUNCTION) if url and f.at("service_config.uri") == url), None)


def callers_reach_a_function_and_may_call_it(plan: Plan) -> Iterator[str]:
    """The URL is a function's, the audience too, and the account of the token has run.invoker on that function."""
    may = {(g.place, g.member) for g in grants(plan) if g.kind == FUNCTION and g.role == "roles/run.invoker"}
    for caller, url, audience, account in callers(plan):
        if not account:
            yield f"{caller.address}: calls without an oidc_token, so Cloud Run refuses it"
            continue
        function = target(plan, url)
        if function is None:
            yield f"{caller.address}: {url} is the URL of no function of this plan"
        elif audience != url:
            yield f"{caller.address}: the audience {audience} is not the URL that it calls"
        elif (function.at("name"), f"serviceAccount:{account}") not in may:
            yield f"{caller.address}: {account} has no run.invoker on {function.at('name')}"


def what_is_internal_has_its_own_caller_alone(plan: Plan) -> Iterator[str]:
    """A function with internal ingress is called by the account of its pushes and job; that account calls no other.

    One without any, which answers the others, is called by a function's account.
    """
    own: dict[str, set[str]] = {}
    for _, url, _, account in callers(plan):
        if function := target(plan, url):
            own.setdefault(str(function.at("name")), set()).add(f"serviceAccount:{account}")
    functions = {f"serviceAccount:{f.at('service_config.service_account_email')}" for f in plan.of(FUNCTION)}
    internal = {str(f.at("name")) for f in plan.of(FUNCTION) if f.at("service_config.ingress_settings") == INTERNAL}
    for grant in grants(plan):
        if grant.kind != FUNCTION or grant.role != "roles/run.invoker":
            continue
        if grant.place in internal and grant.member not in own.get(grant.place, functions):
            yield f"{grant.address}: {grant.member} may call {grant.place}, which is not what it pushes to or schedules"
        elif others := sorted(name for name in own if name != grant.place and grant.member in own[name]):
            yield f"{grant.address}: {grant.member} may call {grant.place}, it is the caller of {', '.join(others)}"


def tokens_may_be_signed(plan: Plan) -> Iterator[str]:
    """Pub/Sub's agent signs as the accounts of its pushes; without the grant a push has no token."""
    signers = {
        g.place
        for g in grants(plan)
        if g.role == "roles/iam.serviceAccountTokenCreator" and "gcp-sa-pubsub" in g.member
    }
    for caller, _, _, account in callers(plan):
        if caller.kind == SUBSCRIPTION and account and account.partition("@")[0] not in signers:
            yield f"{caller.address}: Pub/Sub's agent may not make tokens of {account}"


def every_call_is_tried_again(plan: Plan) -> Iterator[str]:
    """A push waits 10 s to 10 minutes between its attempts; a job has retries."""
    for subscription in plan.of(SUBSCRIPTION):
        if subscription.all("push_config") and not subscription.at("retry_policy.minimum_backoff"):
            yield f"{subscription.address}: has no retry_policy, so its attempts are used up at once"
    for job in plan.of(JOB):
        if not (job.at("retry_config.retry_count") or 0):
            yield f"{job.address}: has no retry_config.retry_count, so a call that fails is lost until its next time"


def deadlines_are_a_ladder(plan: Plan) -> Iterator[str]:
    """A function ends before its caller gives it up, or the work is done twice at the same time."""
    for caller, url, _, _ in callers(plan):
        function = target(plan, url)
        if function is None:
            continue
        waits = caller.at("ack_deadline_seconds") or int(str(caller.at("attempt_deadline") or "180s").rstrip("s"))
        works = function.at("service_config.timeout_seconds")
        if waits < works + MARGIN_SECONDS:
            yield f"{caller.address}: waits {waits} s for {function.at('name')}, which may work {works} s"
        if caller.kind == JOB and waits > LONGEST_DEADLINE:
            yield f"{caller.address}: attempt_deadline {waits} s is more than Cloud Scheduler's {LONGEST_DEADLINE} s"
