"""What the pins of a bundle bring along, at the versions of constraints.txt: what was tested is what Google builds."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import cache
from importlib import metadata

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from deploy.bundles.errors import BundleError
from deploy.bundles.modules import Tree
from deploy.bundles.requirements import pins

RUNTIME = {
    "implementation_name": "cpython", "os_name": "posix", "platform_machine": "x86_64",
    "platform_python_implementation": "CPython", "platform_system": "Linux", "python_full_version": "3.11.0",
    "python_version": "3.11", "sys_platform": "linux",
}  # fmt: skip
"""Where the functions run (`runtime` in terraform/modules/function), whatever the machine that packs them is."""

Requires = Callable[[str, str], Iterable[str]]
"""The requirements (PEP 508) of a distribution at a version."""


def constraints(tree: Tree) -> dict[str, str]:
    """The lines of constraints.txt by canonical name. Raises BundleError for a line that is no exact pin."""
    return {str(canonicalize_name(name)): line for name, line in pins(tree, "constraints.txt").items()}


@cache
def installed(name: str, version: str) -> tuple[str, ...]:
    """The requirements of a distribution as it is installed here. Raises BundleError where that is another version."""
    try:
        found = metadata.distribution(name)
    except metadata.PackageNotFoundError as exc:
        raise BundleError(f"{name} is not installed; run `make setup`") from exc
    if found.version != version:
        raise BundleError(f"{name} {found.version} is installed, constraints.txt has {version}; run `make setup`")
    return tuple(found.requires or ())


def brought(pinned: Iterable[str], held: Mapping[str, str], requires: Requires = installed) -> list[str]:
    """Pins of what these distributions require, and those in turn, without themselves; sorted.

    `held` are lines `name==version` by canonical name. Raises BundleError for what is not among them.
    """
    given = {(str(canonicalize_name(name)), "") for name in pinned}
    known, left = set(given), sorted(given)
    while left:
        name, extra = left.pop()
        required = {one for text in requires(name, _version(name, held)) for one in _wanted(text, extra)}
        left += sorted(required - known)
        known |= required
    names = {name for name, _ in known} - {name for name, _ in given}
    return sorted((held[name] for name in names), key=str.lower)


@cache
def _wanted(requirement: str, extra: str) -> frozenset[tuple[str, str]]:
    """The distributions that a requirement asks for where the functions run, each with the extra of it, or none."""
    found = Requirement(requirement)
    if found.marker is not None and not found.marker.evaluate({**RUNTIME, "extra": extra}):
        return frozenset()
    return frozenset((str(canonicalize_name(found.name)), each) for each in ("", *found.extras))


def _version(name: str, held: Mapping[str, str]) -> str:
    if name not in held:
        raise BundleError(f"constraints.txt has no {name}; run `make constraints`")
    return held[name].partition("==")[2]
