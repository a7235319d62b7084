"""The estimate of docs/cost.md against the plan: each planned kind has a price or a reason, and the page is current."""

from __future__ import annotations

from benchmarks.free_kinds import FREE
from benchmarks.platform_cost import estimate, read_usage
from benchmarks.platform_prices import PRICED
from deploy.planned import Plan
from tests.test_docs import section, table

# Kinds that only an installation with a repository, a billing account or somebody to tell has.
OPTIONAL = {
    "google_billing_budget", "google_cloudbuild_trigger", "google_cloud_run_v2_job_iam_member",
    "google_monitoring_notification_channel",
}  # fmt: skip


def test_every_kind_that_is_planned_has_a_price_or_a_reason_and_none_is_told_in_vain(plan: Plan) -> None:
    planned = {resource.kind for resource in plan.resources}
    assert planned - FREE.keys() - PRICED.keys() == set()
    assert (FREE.keys() | PRICED.keys()) - planned - OPTIONAL == set()


def test_the_page_shows_the_estimate_of_production(plan: Plan) -> None:
    costs = estimate(plan.resources, read_usage("prod"))
    told = {row[0]: row[-1] for row in table(section("docs/cost.md", "## The platform"))}
    assert told == {
        **{heading: f"{dollars:,.2f}" for heading, dollars in costs.items()},
        "**together**": f"{sum(costs.values()):,.2f}",
    }
