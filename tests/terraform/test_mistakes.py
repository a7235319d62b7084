"""Mistakes on purpose are caught by what they say. What needs no plan is made here, all by `make mistakes`."""

from __future__ import annotations

from pathlib import Path

import pytest

from deploy.offline import Missing, tools_folder
from deploy.planning import offline
from deploy.terraform import Terraform
from tests.terraform.bundles import ROOT, make_up_bundles
from tests.terraform.mistakes import MISTAKES, Mistake, caught_by

CHEAP = [mistake for mistake in MISTAKES if mistake.stage == "terraform validate"]


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Terraform:
    work = tmp_path_factory.mktemp("mistakes")
    try:
        return offline(ROOT, work, make_up_bundles(work / "package"), tools_folder())
    except Missing as missing:
        pytest.skip(str(missing))


@pytest.mark.parametrize("mistake", CHEAP, ids=lambda m: m.what.replace(" ", "-"))
def test_a_mistake_is_refused_early_and_by_its_name(mistake: Mistake, base: Terraform, tmp_path: Path) -> None:
    stage, said = caught_by(mistake, base, tmp_path)
    assert stage == mistake.stage
    assert mistake.words in said


@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda m: m.what.replace(" ", "-"))
def test_a_mistake_can_still_be_made(mistake: Mistake) -> None:
    assert mistake.old in (ROOT / mistake.file).read_text(encoding="utf-8")
