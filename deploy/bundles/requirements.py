"""Which pins of requirements.txt a bundle needs: those of the distributions that its closure imports."""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping

from deploy.bundles.errors import BundleError
from deploy.bundles.modules import Tree

PROVIDES: Mapping[str, tuple[str, ...]] = {
    "functions-framework": ("functions_framework", "flask"),
    "google-cloud-storage": ("google.cloud.storage", "google_crc32c"),
    "google-cloud-pubsub": ("google.cloud.pubsub_v1", "google.pubsub_v1"),
    "google-cloud-bigquery": ("google.cloud.bigquery",),
    "cloud-sql-python-connector": ("google.cloud.sql",),
    "pg8000": ("pg8000",),
    "marshmallow": ("marshmallow",),
    "msgspec": ("msgspec",),
    "structlog": ("structlog",),
    "httpx": ("httpx",),
    "tenacity": ("tenacity",),
    "pycountry": ("pycountry",),
    "PyYAML": ("yaml",),
}
"""The modules for which a distribution is required."""
COMES_WITH: Mapping[str, tuple[str, ...]] = {
    "google.api_core": ("google-cloud-storage", "google-cloud-pubsub", "google-cloud-bigquery"),
    "google.auth": ("google-cloud-storage", "google-cloud-pubsub", "google-cloud-bigquery"),
    "google.oauth2": ("google-cloud-storage", "google-cloud-pubsub", "google-cloud-bigquery"),
    "requests": ("google-cloud-storage", "google-cloud-bigquery"),
}
"""Modules of distributions that are not pinned: each of these requires them, and one of them must be needed anyway."""


def pins(tree: Tree, file: str) -> dict[str, str]:
    """A file of pins, the line of each distribution. Raises BundleError for a line that is no exact pin."""
    text = tree[file].decode()
    lines = [line.strip() for line in text.splitlines() if line.strip() and not line.startswith("#")]
    for line in lines:
        if not re.fullmatch(r"[A-Za-z0-9._-]+==[A-Za-z0-9.]+", line):
            raise BundleError(f"{file}: {line} is not an exact pin, name==version")
    return {line.partition("==")[0]: line for line in lines}


def requirements(foreign: Mapping[str, str], pinned: Mapping[str, str]) -> list[str]:
    """The pins for what is imported (module → where), sorted. Raises BundleError for what nothing pinned provides."""
    outside = {name: at for name, at in foreign.items() if name.partition(".")[0] not in sys.stdlib_module_names}
    needed = {name for module in outside for name, provided in PROVIDES.items() if _within(module, provided)}
    for module, at in outside.items():
        bringers = [name for prefix, names in COMES_WITH.items() if _within(module, (prefix,)) for name in names]
        provided = any(_within(module, modules) for modules in PROVIDES.values())
        if not provided and not needed & set(bringers):
            raise BundleError(
                f"{at} imports {module}, which no requirement provides; see deploy/bundles/requirements.py"
            )
    if unpinned := needed - set(pinned):
        raise BundleError(f"requirements.txt does not pin {', '.join(sorted(unpinned))}")
    return sorted((pinned[name] for name in needed), key=str.lower)


def _within(module: str, prefixes: tuple[str, ...]) -> bool:
    return any(module == prefix or module.startswith(f"{prefix}.") for prefix in prefixes)
