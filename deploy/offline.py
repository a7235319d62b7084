"""A stand-in for the google provider, so that the real terraform binary plans without a network or an account.

It is a tool beside the repository (TERRAFORM_OFFLINE, else ../shared/tools/terraform-offline) and serves the real
schema of the provider's release. Its 1,375 kinds of resources cost terraform most of its time, so it is given only
those that the tree names; a name that the release does not have is missing there as here, and refused.
"""

from __future__ import annotations

import gzip
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
TOOLS = "TERRAFORM_OFFLINE"
DEFAULT_TOOLS = ROOT.parent / "shared" / "tools" / "terraform-offline"
MODULES = ("grpc", "google.protobuf", "msgpack", "cryptography")


class Missing(Exception):
    """Something that an offline plan needs is not here; the message says what, and what to do."""


def tools_folder() -> Path:
    """Where the stand-in should be; whether it is there, `install` says."""
    return Path(os.environ.get(TOOLS) or DEFAULT_TOOLS)


def install(folder: Path, tools: Path, tree: Path) -> Path:
    """Set the stand-in up in `folder` for the Terraform of `tree`; the CLI configuration file that names it.

    Raises Missing where terraform, the tool or a Python with its modules is not there.
    """
    if shutil.which("terraform") is None:
        raise Missing("there is no terraform on the PATH: install 1.11 or later")
    schemas = sorted(tools.glob("google-*.schema.json.gz"))
    if not schemas:
        raise Missing(f"there is no offline provider in {tools}: give its folder by {TOOLS}")
    if not all(find_spec(module) for module in MODULES):
        raise Missing(f"this Python lacks one of {', '.join(MODULES)}: run `make setup`")
    folder.mkdir(parents=True, exist_ok=True)
    schema = folder / schemas[-1].name
    narrow(schemas[-1], schema, named_in(tree.rglob("*.tf")))
    script = ["sh", str(tools / "install_stub.sh"), str(folder), str(schema), sys.executable]
    subprocess.run(script, check=True, capture_output=True)
    return folder / "terraform.rc"


def named_in(files: Iterable[Path]) -> set[str]:
    """Every word of the files that may name a kind of resource."""
    return {word for file in files for word in re.findall(r"\bgoogle_\w+", file.read_text(encoding="utf-8"))}


def narrow(schema: Path, target: Path, kinds: set[str]) -> None:
    """Write the schema with only the `kinds` that it has."""
    whole: dict[str, Any] = json.loads(gzip.decompress(schema.read_bytes()))
    for part in ("resources", "data"):
        whole[part] = {kind: block for kind, block in whole[part].items() if kind in kinds}
    target.write_bytes(gzip.compress(json.dumps(whole).encode(), mtime=0))
