"""What a bundle's pins bring along: all of it is pinned, by what it requires where the functions run."""

from __future__ import annotations

import re
from collections.abc import Iterable
from importlib import metadata
from pathlib import Path

import pytest
from packaging.utils import canonicalize_name

from deploy.bundles.brought import brought, constraints, installed
from deploy.bundles.errors import BundleError
from deploy.bundles.files import all_bundles, read_tree

ROOT = Path(__file__).resolve().parents[2]
FILES = ("requirements.txt", "requirements-cli.txt", "requirements-dev.txt")
REQUIRED = {
    "a": ["b>=1", "c; python_version < '3.11'", "w; sys_platform == 'win32'", "x; extra == 'more'"],
    "b": ["Dotted.Name[more]"],
    "dotted-name": ["a", "e; extra == 'more'", "f; extra == 'other'"],
    "e": ["b"],
}
CONSTRAINTS = {name: f"{name}==1" for name in ("a", "b", "c", "dotted-name", "e", "f", "w", "x")}


def requires(name: str, version: str) -> Iterable[str]:
    assert version == "1"
    return REQUIRED.get(name, ())


def test_what_pins_require_is_followed_by_the_markers_of_the_runtime_and_by_the_extras_that_are_asked_for() -> None:
    assert brought(["a"], CONSTRAINTS, requires) == ["b==1", "dotted-name==1", "e==1"]
    assert brought(["a", "B"], CONSTRAINTS, requires) == ["dotted-name==1", "e==1"]
    assert brought(["f"], CONSTRAINTS, requires) == []


def test_what_constraints_do_not_hold_stops_the_packer_and_says_what_to_do() -> None:
    with pytest.raises(BundleError, match=r"constraints\.txt has no e; run `make constraints`"):
        brought(["a"], {name: line for name, line in CONSTRAINTS.items() if name != "e"}, requires)


def test_another_version_than_the_pinned_one_stops_the_packer() -> None:
    with pytest.raises(BundleError, match=r"msgspec .* is installed, constraints\.txt has 0\.0\.1; run `make setup`"):
        installed("msgspec", "0.0.1")
    with pytest.raises(BundleError, match="no-such-thing is not installed"):
        installed("no-such-thing", "1")


def test_the_constraints_hold_every_pin_of_the_requirements_files() -> None:
    held = set(constraints(read_tree()).values())
    lines = [line for name in FILES for line in (ROOT / name).read_text(encoding="utf-8").splitlines()]
    pinned = {line for line in lines if re.match(r"[A-Za-z0-9]", line)}
    assert len(pinned) > 30
    assert {line.lower() for line in pinned} - {line.lower() for line in held} == set()


def test_the_tests_run_with_the_versions_of_the_constraints() -> None:
    here = {str(canonicalize_name(one.name)): f"{one.name}=={one.version}" for one in metadata.distributions()}
    held = {name: line for name, line in constraints(read_tree()).items() if name in here}
    assert len(held) > 100
    assert {name: here[name] for name, line in held.items() if line.lower() != here[name].lower()} == {}


def test_a_bundle_pins_whatever_it_would_install() -> None:
    for made in all_bundles(read_tree()):
        lines = [line for line in made.files["requirements.txt"].decode().splitlines() if not line.startswith("#")]
        names = {canonicalize_name(line.partition("==")[0]) for line in lines}
        assert {"flask", "werkzeug", "click"} <= names  # of functions-framework
        assert brought(names, constraints(read_tree())) == []
