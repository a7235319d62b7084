"""The tree that bundles are made of, read from a checkout; and the bundles, written to a folder."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import yaml

from deploy.bundles.bundle import Bundle, bundle, manifest
from deploy.bundles.modules import Tree

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "build" / "package"
FOLDERS = ("functions", "shared", "sql")
LOOSE = ("requirements.txt", "constraints.txt")


def read_tree(root: Path = ROOT) -> dict[str, bytes]:
    """The files of a checkout that a bundle may have. What an editor or the interpreter left there is none of them."""
    paths = [path for folder in FOLDERS for path in (root / folder).rglob("*") if path.is_file()]
    tree = {
        path.relative_to(root).as_posix(): path.read_bytes()
        for path in paths
        if not any(part.startswith((".", "__pycache__")) for part in path.relative_to(root).parts)
    }
    return tree | {name: (root / name).read_bytes() for name in LOOSE}


def all_bundles(tree: Tree) -> list[Bundle]:
    """The bundle of each function of functions/functions.yaml. Raises BundleError."""
    return [bundle(tree, name) for name in yaml.safe_load(tree["functions/functions.yaml"])["functions"]]


def write_bundles(bundles: Sequence[Bundle], folder: Path = PACKAGE) -> None:
    """Write the zips and manifest.json; zips of other content are removed, those of the same stay untouched."""
    folder.mkdir(parents=True, exist_ok=True)
    wanted = {made.file for made in bundles}
    for old in folder.glob("*.zip"):
        if old.name not in wanted:
            old.unlink()
    for made in bundles:
        if not (folder / made.file).exists():
            partial = folder / f"{made.file}.partial"
            partial.write_bytes(made.archive)
            partial.replace(folder / made.file)
    text = json.dumps(manifest(list(bundles)), indent=2) + "\n"
    (folder / "manifest.json").write_text(text, encoding="utf-8")
