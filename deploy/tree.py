"""A copy of what Terraform reads, in which it can plan without its remote state."""

from __future__ import annotations

import shutil
from pathlib import Path

FOLDERS = ("terraform", "functions", "shared", "sql", "docs", "deploy")
NOT_COPIED = shutil.ignore_patterns(".terraform", "__pycache__", "*.tfstate*", "*.tfplan", "backend.tf")


def copy_tree(root: Path, target: Path, package: Path) -> Path:
    """Copy the repository's `FOLDERS` and the bundles of `package` into `target`; the folder to plan in.

    Without backend.tf the state is a file of the copy.
    """
    for name in FOLDERS:
        shutil.copytree(root / name, target / name, ignore=NOT_COPIED)
    shutil.copytree(package, target / "build" / "package")
    return target / "terraform"
