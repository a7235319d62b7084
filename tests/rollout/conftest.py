"""What the tests of the builds' steps share."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.rollout.fakes import install, path_with
from tests.rollout.shop import Shop


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Shop:
    monkeypatch.setenv("FAKE_HOME", str(tmp_path))
    monkeypatch.setenv("PATH", path_with(install(tmp_path)))
    return Shop(tmp_path, capsys)
