"""An alert reaches somebody and tells where to read what to do."""

from __future__ import annotations

import re
from collections.abc import Iterator

from deploy.planned import Plan
from deploy.repository import Repository

RUNBOOK = re.compile(r"runbook(?:\.md)?#([\w-]+)")
METRIC = re.compile(r"logging\.googleapis\.com/user/([\w./-]+)")


def alerts_link_to_the_runbook(plan: Plan, repository: Repository) -> Iterator[str]:
    """In its documentation: the link's anchor is a heading of docs/runbook.md."""
    for alert in plan.of("google_monitoring_alert_policy"):
        content = "\n".join(
            str(text) for text in (*alert.all("documentation.content"), *alert.all("documentation.links.url"))
        )
        linked = RUNBOOK.findall(content)
        if not linked:
            yield f"{alert.address}: its documentation links to no section of docs/runbook.md"
        for anchor in linked:
            if anchor not in repository.anchors:
                yield f"{alert.address}: docs/runbook.md has no section #{anchor}"


def alerts_use_metrics_that_are_there(plan: Plan) -> Iterator[str]:
    """A log-based metric that nobody makes never fires."""
    made = {metric.at("name") for metric in plan.of("google_logging_metric")}
    for alert in plan.of("google_monitoring_alert_policy"):
        for name in METRIC.findall(str(alert.values)):
            if name not in made:
                yield f"{alert.address}: watches the metric {name}, which is not made"
