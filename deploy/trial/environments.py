"""Bundles unpacked, each with a clean virtual environment that has its requirements.txt and nothing else."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from time import monotonic

IMPORTS = 5
PROBE = """
import json, main, resource, shared, sys
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(json.dumps({"shared": shared.__file__, "path": sys.path, "peak_kib": peak, "modules": sorted(sys.modules)}))
"""


@dataclass(frozen=True)
class Installed:
    """A bundle that can be started."""

    function: str
    entry_point: str
    folder: str
    python: str


@dataclass(frozen=True)
class Import:
    """How a bundle's main.py is imported by a process of its own; the files are in the page cache."""

    seconds: float
    peak_mb: float
    shared: Path
    path: tuple[str, ...]
    modules: frozenset[str]


def install(package: Path, entry_points: Mapping[str, str], home: Path) -> list[Installed]:
    """Unpack the zips of a manifest below `home`; bundles with the same requirements share an environment."""
    files = json.loads((package / "manifest.json").read_text(encoding="utf-8"))["functions"]
    installed = []
    for function, entry_point in entry_points.items():
        folder = unpack(package / files[function]["file"], home / "bundles" / function)
        python = environment(folder / "requirements.txt", home / "environments")
        installed.append(Installed(function, entry_point, str(folder), str(python)))
    return installed


def unpack(archive: Path, folder: Path) -> Path:
    """The zip's files alone in a folder."""
    shutil.rmtree(folder, ignore_errors=True)
    with zipfile.ZipFile(archive) as made:
        made.extractall(folder)
    return folder


def environment(requirements: Path, folder: Path) -> Path:
    """The interpreter of an environment with these requirements, which must need no others; made unless it is there."""
    wanted = hashlib.sha256(requirements.read_bytes() + sys.version.encode()).hexdigest()[:16]
    made, ready = folder / wanted, folder / f"{wanted}.ready"
    if not ready.exists():
        shutil.rmtree(made, ignore_errors=True)
        subprocess.run([sys.executable, "-m", "venv", str(made)], check=True)
        pip = [str(made / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*pip, "--no-deps", "-r", str(requirements)], check=True, stderr=subprocess.DEVNULL)
        subprocess.run([*pip[:3], "check"], check=True, stdout=subprocess.DEVNULL)
        ready.touch()
    return made / "bin" / "python"


def clean(folder: Path, given: Mapping[str, str] | None = None) -> dict[str, str]:
    """The environment of a process of a bundle: what it is given, and nothing of ours."""
    return {"PATH": os.environ["PATH"], "HOME": str(folder), "PYTHONDONTWRITEBYTECODE": "", **(given or {})}


def import_main(
    folder: Path, python: Path, options: Sequence[str] = (), times: int = IMPORTS, before: str = ""
) -> Import:
    """Import main.py first thing in a process of its own, some times; the median of the times, interpreter and all.

    `before` is code that runs first, where the interpreter does not find main.py by itself.
    """
    seconds, told = [], {}
    for _ in range(times + 1):  # the first writes bytecode and fills the page cache
        began = monotonic()
        ran = subprocess.run(
            [str(python), *options, "-c", f"{before}\n{PROBE}"],
            cwd=folder,
            env=clean(folder),
            capture_output=True,
            check=False,
        )
        seconds.append(monotonic() - began)
        if ran.returncode:
            raise RuntimeError(f"{folder.name}: main.py cannot be imported:\n{ran.stderr.decode()[-2000:]}")
        told = json.loads(ran.stdout.splitlines()[-1])
    return Import(
        median(seconds[1:]), told["peak_kib"] * 1024 / 1e6, Path(told["shared"]), tuple(told["path"]),
        frozenset(told["modules"]),
    )  # fmt: skip


def write_installed(installed: Sequence[Installed], path: Path) -> None:
    """For the host, which is another process."""
    path.write_text(json.dumps([asdict(one) for one in installed]), encoding="utf-8")


def read_installed(path: Path) -> list[Installed]:
    """What `write_installed` wrote."""
    return [Installed(**one) for one in json.loads(path.read_text(encoding="utf-8"))]
