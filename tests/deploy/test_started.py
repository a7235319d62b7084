"""Bundles that are started: alone on the path, with the libraries of this environment."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from deploy.bundles.bundle import bundle
from deploy.bundles.files import ROOT, read_tree, write_bundles
from deploy.trial.environments import import_main, unpack
from deploy.trial.host import trigger_of

HEAVY = {"google.cloud.bigquery", "google.cloud.pubsub_v1", "google.cloud.storage", "pg8000", "marshmallow", "aiohttp"}


@pytest.mark.parametrize(
    ("function", "loaded"),
    [("report", {"google.cloud.bigquery"}), ("notify", {"pg8000"})],
)
def test_a_bundle_is_imported_from_its_zip_alone_and_loads_only_what_it_needs(
    function: str, loaded: set[str], tmp_path: Path
) -> None:
    made = bundle(read_tree(), function)
    write_bundles([made], tmp_path)
    folder = unpack(tmp_path / made.file, tmp_path / function)
    start = (
        f"import sys; sys.path[:] = [p for p in sys.path if p != {str(ROOT)!r}]; sys.path.insert(0, {str(folder)!r})"
    )
    seen = import_main(folder, Path(sys.executable), ("-I",), times=1, before=start)
    assert seen.shared == folder / "shared" / "__init__.py"
    assert str(ROOT) not in seen.path
    assert seen.modules & HEAVY == loaded
    assert seen.seconds < 30, "a process that imports one bundle; make test-bundles holds the 2 s on a quiet machine"


def test_the_trigger_of_a_call_is_told_by_what_calls() -> None:
    assert trigger_of("enrich", b"") == "schedule"
    assert trigger_of(None, b'{"subscription": "projects/p/subscriptions/validate-chunks"}') == "validate-chunks"
    assert trigger_of(None, b'{"action": "replay"}') == "http"
    assert trigger_of(None, b"") == "http"
