"""Metrics, alerts, service levels, runbook and the page on monitoring say the same, in both directions."""

from __future__ import annotations

import re
from typing import Any, get_args

import pytest
import yaml

from shared.alert_kinds import AlertKind, runbook_anchor
from tests.test_docs import first_column, section, table, text

METRICS: dict[str, dict[str, Any]] = yaml.safe_load(text("shared/metrics.yaml"))
ALERTS: dict[str, dict[str, Any]] = yaml.safe_load(text("terraform/alerts.yaml"))
SLOS: dict[str, dict[str, Any]] = yaml.safe_load(text("terraform/slos.yaml"))
TILES: list[dict[str, Any]] = yaml.safe_load(text("terraform/dashboard.yaml"))
PAGE = "docs/monitoring.md"
CONDITIONS = [(name, condition) for name, alert in ALERTS.items() for condition in alert["conditions"]]
NO_ALERTS = {"Reason codes", "File rejections", "The feed stopped after a restore"}
"""Sections of the runbook that no alert leads to; a feed that stopped comes as `function-failing` of enrich."""


def link(heading: str) -> str:
    """The link that a heading gets, as GitHub makes it."""
    return re.sub(r"[^a-z0-9 -]", "", heading.lower()).replace(" ", "-")


def sections() -> set[str]:
    headings = re.findall(r"^## (.+)$", text("docs/runbook.md"), re.MULTILINE)
    return {link(heading) for heading in headings if heading not in NO_ALERTS}


def ours(conditions: list[dict[str, Any]]) -> set[str]:
    return {one["metric"] for one in conditions if "/" not in one["metric"]}


def test_every_alert_has_a_section_of_the_runbook_and_every_section_an_alert() -> None:
    linked = {name: row["runbook"] for name, row in [*ALERTS.items(), *SLOS.items()]}
    assert {name: to for name, to in linked.items() if to not in sections()} == {}
    assert sections() - set(linked.values()) == set()


def test_what_leads_to_no_section_is_still_a_section() -> None:
    assert set(re.findall(r"^## (.+)$", text("docs/runbook.md"), re.MULTILINE)) >= NO_ALERTS


def test_every_kind_of_alert_that_the_pipeline_raises_has_a_policy() -> None:
    found = {
        condition["only"]["metric.labels.kind"]: (name, ALERTS[name]["runbook"])
        for name, condition in CONDITIONS
        if condition["metric"] == "alerts_raised"
    }
    assert found == {kind: (runbook_anchor(kind), runbook_anchor(kind)) for kind in get_args(AlertKind)}


def test_alerts_levels_and_tiles_name_known_metrics_and_every_metric_is_read() -> None:
    read = ours([condition for _, condition in CONDITIONS]) | ours(TILES) | {slo["metric"] for slo in SLOS.values()}
    assert read == set(METRICS)


def labels_of(condition: dict[str, Any]) -> set[str]:
    named = {*condition["only"], *condition.get("share_of", {}), *condition["by"]}
    return {label.removeprefix("metric.labels.") for label in named if label.startswith("metric.labels.")}


def test_an_alert_asks_only_for_labels_that_its_metric_has() -> None:
    for name, condition in CONDITIONS:
        if "/" not in condition["metric"]:
            assert labels_of(condition) <= set(METRICS[condition["metric"]]["labels"]), name


def test_the_bound_of_a_service_level_is_on_a_metric_of_seconds() -> None:
    for slo in SLOS.values():
        assert METRICS[slo["metric"]]["unit"] == "s"
        assert 0.9 < slo["goal"] < 1


@pytest.mark.parametrize(("name", "condition"), CONDITIONS)
def test_a_condition_fires_on_a_value_or_on_silence_within_the_limits_of_cloud_monitoring(
    name: str, condition: dict[str, Any]
) -> None:
    """A condition on silence lasts 23.5 hours at most; how missing values count may be said from 60 s on.

    https://cloud.google.com/monitoring/api/ref_v3/rest/v3/projects.alertPolicies
    """
    assert ("above" in condition) != ("absent" in condition)
    assert condition["window"] % 60 == 0 < condition["window"]
    if "absent" in condition:
        assert 180 <= condition["absent"] <= 84_600
    else:
        assert condition["lasting"] >= 60
    assert ALERTS[name]["severity"] in {"warning", "critical"}


def test_the_page_lists_every_metric_alert_and_service_level() -> None:
    assert first_column(section(PAGE, "## Metrics")) == list(METRICS)
    for name, metric in METRICS.items():
        assert f"| {metric['description']} |" in section(PAGE, "## Metrics"), name
    rows = {row[0].strip("`"): row[1:] for row in table(section(PAGE, "## Alerts"))}
    told = {name: [alert["severity"], alert["says"], alert["runbook"]] for name, alert in ALERTS.items()}
    assert {name: [row[0], row[1], re.sub(r".*#([a-z-]+)\)", r"\1", row[2])] for name, row in rows.items()} == told
    levels = {row[0].strip("`"): row[1] for row in table(section(PAGE, "## Service levels"))}
    assert levels == {name: slo["says"] for name, slo in SLOS.items()}
