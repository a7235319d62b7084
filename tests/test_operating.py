"""docs/operating.md against the code: every command, every step of the doctor, the variables of an installation."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from cli.doctor.access import APIS
from cli.doctor.checkup import STEPS
from cli.environment import OF_A_CLOUD
from local.stack import Endpoints
from tests.test_docs import commands, first_column, section, table, text

PAGE = "docs/operating.md"
SERVICES = Path(__file__).resolve().parents[1] / "terraform" / "services.tf"
NETWORKS = {"local", "database", "-", "-; to wait database"}


def test_every_command_says_what_it_needs_on_a_deployed_project() -> None:
    rows = table(section(PAGE, "## What each command needs"))
    assert sorted(row[0] for row in rows) == sorted(commands())
    assert {row[1] for row in rows} <= NETWORKS
    assert all(row[2] for row in rows)


def test_every_step_of_the_doctor_is_described_in_its_order() -> None:
    assert first_column(section(PAGE, "## Doctor")) == [step.name for step in STEPS]


def test_the_variables_of_an_installation_are_those_that_a_file_replaces() -> None:
    listed = first_column(section(PAGE, "## Name the project"))
    assert set(listed) <= set(OF_A_CLOUD)
    assert set(Endpoints(*[""] * 7).environment()) <= set(OF_A_CLOUD)


def test_what_a_step_advises_to_read_is_there() -> None:
    anchors = {
        re.sub(r"[^\w\- ]", "", one.lower()).replace(" ", "-")
        for one in re.findall(r"^#+ (.+)$", text("docs/runbook.md"), re.MULTILINE)
    }
    code = "".join(path.read_text(encoding="utf-8") for path in (SERVICES.parents[1] / "cli" / "doctor").glob("*.py"))
    named = {name.strip() for listed in re.findall(r"runbook: ([a-z, -]+)", code) for name in listed.split(",")}
    assert named
    assert named <= anchors


def test_the_way_to_postgres_is_that_of_the_network() -> None:
    """Nothing is let in, so a tunnel takes more than is there; what it would stand on is there under these names."""
    told = section(PAGE, "## Reach Postgres")
    terraform = "".join(path.read_text(encoding="utf-8") for path in sorted(SERVICES.parent.glob("*.tf")))
    assert "no firewall rule lets anything in" in told
    assert set(re.findall(r'direction += "(\w+)"', terraform)) == {"EGRESS"}
    assert "google_compute_instance" not in terraform
    named = set(re.findall(r"`(sluice-[\w-]+)`", told)) - {"sluice-operate"}
    assert len(named) == 4
    assert all(f'"{name}"' in terraform for name in named)
    assert "port 3307" in told
    assert 'ports    = ["3307"]' in terraform


@pytest.mark.skipif(not SERVICES.exists(), reason="terraform/services.tf is not there: nothing to compare with")
def test_every_service_that_the_doctor_asks_for_is_switched_on_by_terraform() -> None:
    on = set(re.findall(r'"(\w+)\.googleapis\.com"', SERVICES.read_text(encoding="utf-8")))
    assert set(APIS) <= on
