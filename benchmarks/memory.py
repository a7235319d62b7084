"""The peak resident memory of some processes, sampled while a `with` lasts."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Mapping
from types import TracebackType

import psutil

SAMPLE_SECONDS = 0.1
Read = Callable[[], Mapping[str, float]]


class Peaks:
    """Asks each reader ten times a second; `mb` has the largest answer for each name."""

    def __init__(self, *readers: Read) -> None:
        self.mb: dict[str, float] = {}
        self._readers = readers
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> Peaks:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._ended.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._ended.wait(SAMPLE_SECONDS):
            for reader in self._readers:
                for name, size in reader().items():
                    self.mb[name] = max(round(size, 1), self.mb.get(name, 0.0))


def largest_of_tree(name: str, pid: int) -> Read:
    """A reader of the largest process among one and its descendants: their shared pages are not counted twice."""

    def read() -> dict[str, float]:
        sizes = [0.0]
        with contextlib.suppress(psutil.Error):
            root = psutil.Process(pid)
            for process in [root, *root.children(recursive=True)]:
                with contextlib.suppress(psutil.Error):
                    sizes.append(process.memory_info().rss / 1e6)
        return {name: max(sizes)}

    return read


def parent_of(pid: int) -> int:
    """The parent's process id, such as the database server's of a backend."""
    return psutil.Process(pid).ppid()
