"""Kill points: named places before and after each durable step, agreed on through a folder by driver and workers.

    DIR/points/NAME     the step was reached once: the catalogue of points writes itself while the pipeline runs
    DIR/armed/NAME      whoever reaches this point next dies there
    DIR/hit/NAME.N      somebody died there, for the Nth time

A file system is all that two processes need for this: a rename is atomic, so one worker takes an armed point, once.
"""

from __future__ import annotations

import os
import signal
from collections import Counter
from collections.abc import Callable
from pathlib import Path


def kill_the_host() -> None:
    """kill -9 to our process group: the host with all of its workers."""
    os.killpg(os.getpgrp(), signal.SIGKILL)


class Points:
    """The folder, seen from either side."""

    def __init__(self, folder: Path, die: Callable[[], None] = kill_the_host) -> None:
        self._points, self._armed, self._hit = (folder / name for name in ("points", "armed", "hit"))
        for part in (self._points, self._armed, self._hit):
            part.mkdir(parents=True, exist_ok=True)
        self._die = die
        self._seen: set[str] = set()

    def reach(self, name: str) -> None:
        """A worker is at the point; where it is armed, the worker and its host end here."""
        if name not in self._seen:
            (self._points / name).touch()
            self._seen.add(name)
        armed = self._armed / name
        if not armed.exists():
            return
        try:
            armed.rename(self._hit / f"{name}.{os.getpid()}.{os.urandom(4).hex()}")
        except FileNotFoundError:
            return  # another worker was faster
        self._die()

    def catalogue(self) -> list[str]:
        """Every point that was ever reached."""
        return sorted(path.name for path in self._points.iterdir())

    def arm(self, name: str) -> None:
        """Let the next worker at this point die."""
        (self._armed / name).touch()

    def armed(self) -> list[str]:
        """Points that wait for a worker."""
        return sorted(path.name for path in self._armed.iterdir())

    def take_back(self, name: str) -> bool:
        """Nobody dies at this point any more; False where somebody just did."""
        try:
            (self._armed / name).unlink()
        except FileNotFoundError:
            return False
        return True

    def disarm(self) -> list[str]:
        """Nobody dies any more; the points that were not reached."""
        left = self.armed()
        return [name for name in left if self.take_back(name)]

    def kills(self) -> Counter[str]:
        """How often somebody died at each point."""
        return Counter(path.name.rsplit(".", 2)[0] for path in self._hit.iterdir())

    def last_kill(self) -> float:
        """When somebody died last, by the wall clock; the rename is what changed then."""
        return max((path.stat().st_ctime for path in self._hit.iterdir()), default=0.0)
