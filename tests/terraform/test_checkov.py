"""checkov is told to leave out little, each with its reason."""

from __future__ import annotations

from deploy.scan import CONFIG, read_scan, skips, without_empty_access
from tests.terraform.bundles import ROOT

MOST = 15

NARROW = {
    "CKV_GCP_49": "Google's agents hold the roles made for them, and one account applies",
    "CKV_GCP_80": "a view holds no rows",
}
"""Rules on rights and encryption that cannot apply to one kind of resource; they hold for all others."""


def test_few_are_left_out_and_each_says_why() -> None:
    found = skips(ROOT)
    assert 0 < len(found) <= MOST
    assert all(len(why.split()) > 3 for _, _, why in found)


def test_every_line_of_the_configuration_that_leaves_one_out_has_its_reason() -> None:
    lines = [
        line for line in (ROOT / CONFIG).read_text(encoding="utf-8").splitlines() if line.strip().startswith("- CKV")
    ]
    assert len(lines) == sum(where == CONFIG for _, where, _ in skips(ROOT))


def test_what_is_left_out_on_single_resources_is_known() -> None:
    assert {check for check, where, _ in skips(ROOT) if where != CONFIG} == set(NARROW)


def test_a_report_is_counted_and_names_what_failed() -> None:
    failed = {"check_id": "CKV_GCP_1", "resource": "google_x.y", "check_name": "Ensure it"}
    report = {"summary": {"passed": 3, "skipped": 1}, "results": {"failed_checks": [failed]}}
    found = read_scan(report)
    assert (found.passed, found.skipped, found.failed) == (3, 1, ("CKV_GCP_1 google_x.y: Ensure it",))


def test_only_an_empty_access_is_taken_away() -> None:
    granted = {"type": "google_bigquery_dataset", "values": {"access": [{"special_group": "allUsers"}]}}
    empty = {"type": "google_bigquery_dataset", "values": {"access": [], "dataset_id": "sales"}}
    plan = {"planned_values": {"root_module": {"resources": [granted, empty]}}, "resource_changes": []}
    kept = without_empty_access(plan)["planned_values"]["root_module"]["resources"]
    assert [resource["values"] for resource in kept] == [
        {"access": [{"special_group": "allUsers"}]},
        {"dataset_id": "sales"},
    ]
