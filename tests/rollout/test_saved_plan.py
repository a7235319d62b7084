"""What the builds count on from Terraform: a saved plan is applied as it was read, and an old one is refused.

By the real binary, with its built-in resource: no provider and no project are needed.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

TERRAFORM = shutil.which("terraform")
pytestmark = pytest.mark.skipif(TERRAFORM is None, reason="there is no terraform on PATH")
CONFIGURATION = """
variable "bundle" { type = string }
resource "terraform_data" "function" { input = var.bundle }
output "bundle" { value = terraform_data.function.output }
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "main.tf").write_text(CONFIGURATION)
    terraform(tmp_path, "init", "-input=false")
    return tmp_path


def terraform(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    alone = {name: value for name, value in os.environ.items() if not name.startswith("TF_")}
    return subprocess.run([str(TERRAFORM), *words], cwd=folder, env=alone, capture_output=True, text=True, check=False)


def plan(folder: Path, bundle: str, name: str) -> None:
    done = terraform(folder, "plan", "-input=false", "-lock=false", f"-var=bundle={bundle}", f"-out={name}")
    assert done.returncode == 0, done.stderr


def test_a_saved_plan_is_applied_as_it_was_read_whatever_the_checkout_says_now(folder: Path) -> None:
    plan(folder, "one", "plan.bin")
    (folder / "main.tf").write_text(CONFIGURATION.replace("input = var.bundle", 'input = "another"'))
    done = terraform(folder, "apply", "-input=false", "plan.bin")
    assert done.returncode == 0, done.stderr
    assert terraform(folder, "output", "-raw", "bundle").stdout == "one"


def test_a_plan_of_an_older_state_is_refused(folder: Path) -> None:
    plan(folder, "one", "first.bin")
    plan(folder, "two", "second.bin")
    assert terraform(folder, "apply", "-input=false", "second.bin").returncode == 0
    late = terraform(folder, "apply", "-input=false", "-no-color", "first.bin")
    assert late.returncode == 1
    assert "Saved plan is stale" in late.stderr
    assert terraform(folder, "output", "-raw", "bundle").stdout == "two"
