"""Reading terraform's JSON, and the state that is made from a plan."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from deploy.offline import Missing, install, named_in, narrow
from deploy.planned import UNKNOWN, read
from deploy.settled import state_of
from deploy.terraform import Terraform, TerraformFailed


def document(
    *resources: dict[str, Any], modules: tuple[dict[str, Any], ...] = (), unknown: Any = None
) -> dict[str, Any]:
    """The JSON of a plan with these resources."""
    changes = [{"address": r["address"], "change": {"after_unknown": unknown or {}}} for r in resources]
    root = {"resources": list(resources), "child_modules": list(modules)}
    return {
        "variables": {"project": {"value": "p"}},
        "planned_values": {"root_module": root},
        "resource_changes": changes,
    }


def resource(kind: str, name: str, /, **values: Any) -> dict[str, Any]:
    address = f"{kind}.{name}"
    return {"address": address, "mode": "managed", "type": kind, "name": name, "schema_version": 0, "values": values}


def test_resources_of_modules_are_read_and_data_sources_are_not() -> None:
    inner = {"address": "module.m", "resources": [resource("google_b", "b")]}
    data = resource("google_c", "c") | {"mode": "data"}
    assert [r.address for r in read(document(resource("google_a", "a"), data, modules=(inner,)), "dev").resources] == [
        "google_a.a",
        "google_b.b",
    ]


def test_what_is_known_after_an_apply_is_a_value_and_not_nothing() -> None:
    found = read(document(resource("google_a", "a", x=[{"y": 1}]), unknown={"id": True, "x": [{"z": True}]}), "dev")
    assert found.resources[0].values == {"x": [{"y": 1, "z": UNKNOWN}], "id": UNKNOWN}


def test_a_path_goes_through_blocks() -> None:
    found = read(document(resource("google_a", "a", x=[{"y": [1, 2]}, {"y": [3]}])), "dev").resources[0]
    assert found.all("x.y") == [1, 2, 3]
    assert found.at("x.none") is None


def test_a_reference_is_found_by_id_name_or_path() -> None:
    plan = read(document(resource("google_a", "a", id="i", name="n")), "dev")
    assert [bool(plan.find("google_a", word)) for word in ("i", "n", "projects/p/as/n", "other")] == [
        True,
        True,
        True,
        False,
    ]


def test_a_settled_state_has_ids_of_its_own_accounts_and_urls() -> None:
    account = resource("google_service_account", "a", account_id="acc")
    function = resource("google_cloudfunctions2_function", "f", name="validate", service_config=[{}])
    found = [
        entry["instances"][0]["attributes"] for entry in json.loads(state_of(document(account, function)))["resources"]
    ]
    assert found[0]["email"] == "acc@p.iam.gserviceaccount.com"
    assert found[1]["service_config"][0]["uri"].startswith("https://validate-")
    assert found[0]["id"] != found[1]["id"]


def test_the_real_provider_never_applies_from_here(tmp_path: Path) -> None:
    with pytest.raises(TerraformFailed, match="only the stand-in applies"):
        Terraform(tmp_path, None).apply(tmp_path / "plan", tmp_path / "state")


def test_what_is_missing_offline_is_said_with_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(Missing, match=r"TERRAFORM_OFFLINE|no terraform|this Python"):
        install(tmp_path / "provider", tmp_path, tmp_path)


def test_the_schema_is_narrowed_to_what_the_tree_names(tmp_path: Path) -> None:
    whole = {"name": "google", "resources": {"google_a": {}, "google_b": {}}, "data": {"google_c": {}}}
    (tmp_path / "whole").write_bytes(gzip.compress(json.dumps(whole).encode()))
    (tmp_path / "main.tf").write_text('resource "google_a" "x" {}')
    narrow(tmp_path / "whole", tmp_path / "few", named_in(tmp_path.glob("*.tf")))
    few = json.loads(gzip.decompress((tmp_path / "few").read_bytes()))
    assert few == {"name": "google", "resources": {"google_a": {}}, "data": {}}
