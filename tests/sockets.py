"""Where a connection was opened that nobody closed: the garbage collector tells of it in whichever test it runs."""

from __future__ import annotations

import re
import sys
import traceback
from collections.abc import Generator
from typing import Any

import pytest

DEEPEST = 15
UNCLOSED = re.compile(r"unclosed <\S+ fd=(\d+)|Exception ignored in: <\S+ fd=(\d+)")
_opened: dict[int, str] = {}
_running = [""]


def _remember(event: str, given: tuple[Any, ...]) -> None:
    if event == "socket.connect":
        stack = traceback.format_list(traceback.extract_stack(sys._getframe(1), DEEPEST))
        _opened[given[0].fileno()] = f"{_running[0]}\n{''.join(stack)}"  # a descriptor is used again


sys.addaudithook(_remember)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Beside a test that fails by such a connection stands the one that opened it."""
    report = yield
    for found in UNCLOSED.finditer(str(report.longrepr or "")):
        descriptor = int(found[1] or found[2])
        report.sections.append((f"descriptor {descriptor} was opened in", _opened.get(descriptor, "an unknown place")))
    return report


@pytest.hookimpl
def pytest_runtest_logstart(nodeid: str) -> None:
    """What is opened from now on is opened by this test."""
    _running[0] = nodeid
