"""Starts a job from the release that RELEASE names: a copy of just the files for which that name stands, each checked.

Terraform holds this text (terraform/jobs.tf), the bucket does not: whoever may add to a release's folder adds nothing.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
import tempfile
from pathlib import Path


def main() -> None:
    """Copy job.sh, source.zip and the wheels to a folder of our own, and become job.sh of that copy."""
    release, home = Path(os.environ["RELEASE"]), Path(tempfile.mkdtemp())
    record = json.loads(read(release / "release.json", release.name))
    for name, sha256 in record["files"].items():
        if name in ("job.sh", "source.zip") or name.startswith("wheels/"):
            content = read(release / name, sha256)
            (home / name).parent.mkdir(exist_ok=True)
            (home / name).write_bytes(content)
    os.environ["RELEASE"] = str(home)
    os.execv("/bin/sh", ["sh", str(home / "job.sh"), *sys.argv[1:]])  # noqa: S606  # no words of it are a shell's


def read(file: Path, sha256: str) -> bytes:
    """The bytes of a file, read once. Ends the job where they are not those of this hash."""
    try:
        content = file.read_bytes()
    except OSError as exc:
        sys.exit(f"refused: {exc}; RELEASE must be /releases/NAME, the folder of a whole release")
    if (found := hashlib.sha256(content).hexdigest()) != sha256:
        sys.exit(f"refused: {file} has the SHA-256 {found}, not {sha256}; it was changed: make a new release")
    return content


if __name__ == "__main__":
    main()
