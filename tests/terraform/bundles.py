"""Bundles for plans: empty, but named as `make package` names them."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[2]
EMPTY_ZIP = b"PK\x05\x06" + bytes(18)


def make_up_bundles(folder: Path) -> Path:
    """A bundle for every function of functions.yaml, and their manifest."""
    folder.mkdir(parents=True)
    table = yaml.safe_load((ROOT / "functions" / "functions.yaml").read_text(encoding="utf-8"))
    manifest = {}
    for name in table["functions"]:
        digest = hashlib.sha256(name.encode()).hexdigest()
        manifest[name] = {"file": f"{name}-{digest[:16]}.zip", "sha256": digest, "bytes": len(EMPTY_ZIP)}
        (folder / f"{name}-{digest[:16]}.zip").write_bytes(EMPTY_ZIP)
    (folder / "manifest.json").write_text(json.dumps({"functions": manifest}), encoding="utf-8")
    return folder
